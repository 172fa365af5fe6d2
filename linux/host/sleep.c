/* SPDX-License-Identifier: MIT */
/* What the daemon does about a sleep of the machine. machine/resume.h detects
 * it. */
#include "host/sleep.h"
#include "host/origin.h"
#include "host/process.h"
#include "host/report.h"
#include "machine/resume.h"

#include <unistd.h>

/* Begun when the chip and RAM were last known to be those of the state. */
static struct resume awake;

/* A commit may be half done. It is left to the next daemon, which compares
 * before it goes on. */
void sleep_check(void *context)
{
	if (resume_happened(&awake)) {
		report_log(context, CZ_LOG_ERROR,
			   "the machine has slept in the middle of a call: the "
			   "contents of firmware's RAM and of its flash may be "
			   "those of another boot. caesurad ends");
		_exit(1);
	}
}

void sleep_watch(struct cz_host *host)
{
	if (resume_can_be_told(&resume_clocks)) {
		resume_begin(&awake, &resume_clocks);
		return;
	}
	report_log(host, CZ_LOG_WARNING,
		   "the CPU's counter does not run at the rate of the kernel's "
		   "clock, so that caesurad cannot detect that the machine has "
		   "slept. It still compares the flash chip before each write. "
		   "Do not hibernate while caesurad runs");
}

/* No commit is under way here. This daemon cannot make a new state from
 * the machine's RAM, since it has given up the rights for that. The
 * next one can. */
void sleep_check_before_call(struct cz_host *host)
{
	if (!resume_happened_since(&awake)) {
		return;
	}
	/* Before the comparison, so that a sleep during it is noticed
	 * as well. */
	resume_begin(&awake, &resume_clocks);
	if (!origin_is_same(host)) {
		report_log(host, CZ_LOG_ERROR,
			   "the machine has slept, and its memory or flash has "
			   "changed: %s. caesurad ends; when it is started "
			   "again, it finds out which state is valid",
			   host->why);
		_exit(1);
	}
	report_log(host, CZ_LOG_INFO,
		   "the machine has slept, and nothing has changed");
}
