/* SPDX-License-Identifier: MIT */
/* What is done about a sleep of the machine's; machine/resume.h finds it out. */
#include "host/sleep.h"
#include "host/origin.h"
#include "host/process.h"
#include "host/report.h"
#include "machine/resume.h"

#include <unistd.h>

/* Since the chip and RAM were last known to be what the state is of. */
static struct resume awake;

/* What is half done is left to the next daemon, which looks before it goes on. */
void sleep_check(void *context)
{
	if (resume_happened(&awake)) {
		report_log(
			context, CZ_LOG_ERROR,
			"the machine has slept, in the middle of a call: what "
			"firmware's RAM and its flash hold may be another "
			"boot's; giving up");
		_exit(1);
	}
}

void sleep_watch(struct cz_host *host)
{
	if (resume_can_be_told(&resume_clocks)) {
		resume_begin(&awake, &resume_clocks);
		return;
	}
	report_log(
		host, CZ_LOG_WARNING,
		"the CPU's counter does not run at the rate of the kernel's "
		"clock, so that it cannot be told whether the machine has "
		"slept. The flash chip is compared before each write all the "
		"same; do not hibernate while caesurad runs");
}

/* Before a call: nothing is half done. A daemon that starts anew makes its state from
 * the machine's RAM, for which this one has no rights any more. */
void sleep_check_before_call(struct cz_host *host)
{
	if (!resume_happened_since(&awake)) {
		return;
	}
	/* Before the comparison, so that a sleep in the midst of it is noticed too. */
	resume_begin(&awake, &resume_clocks);
	if (!origin_is_same(host)) {
		report_log(
			host, CZ_LOG_ERROR,
			"the machine has slept, and is not as it was: %s. A "
			"caesurad that is started anew finds out what it has "
			"to go on with; giving up",
			host->why);
		_exit(1);
	}
	report_log(host, CZ_LOG_INFO,
		   "the machine has slept, and is as it was");
}
