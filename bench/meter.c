/* SPDX-License-Identifier: MIT */
/*
 * meter: measures how late a SCHED_FIFO thread of a Linux system wakes up while
 * another process on the same CPU repeats one action: it writes a file
 * (control), reads or writes an EFI variable through a file, or reads the
 * clock. This is the counterpart of programs/measure/latency.c, except that the
 * expiries drift relative to the kernel's own tick. It prints the `cell` and
 * `hist` lines of docs/formats.md. With -o it only makes the load, for another
 * program to measure. Exit codes: 0 success, 1 the load failed or nothing was
 * measured, 2 could not run.
 */
#include "load.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY 90
#define TICK_NS 16 /* a tick of the counter is a bin of the histogram */
#define NS_PER_S 1000000000u
#define KERNEL_TICK_NS 4000000u /* tick of Debian's kernels, CLOCK_MONOTONIC */
#define CLOSE_NS 10000u
#define PAIRS_A_LINE 64

static const char usage[] =
	"usage: meter [OPTION…]\n"
	"  -p PHASE   idle, control, gettime, getvariable, setvariable or "
	"mask\n"
	"  -f FILE    what the load reads or writes\n"
	"  -b BYTES   size of the value (1024)\n"
	"  -c CALLS   ends after so many calls of the load\n"
	"  -n SAMPLES or after so many wake-ups (2000)\n"
	"  -r HZ      rate of the wake-ups, in the mean (10000)\n"
	"  -s SEED    of when they are (1)\n"
	"  -m MODE    what the cell is called: kernel or sandbox\n"
	"  -o         the load only\n"
	"  -t MS      and that for so long at most\n";

struct meter {
	struct load load;
	const char *mode;
	bool load_only;
	uint64_t rate_hz, seed, random;
	uint32_t *late_ns;
	size_t samples, room;
	uint64_t missed;
	struct progress *progress; /* shared with the load's process */
	int start[2]; /* a pipe: the load begins when its other end closes */
};

static uint64_t random_below(struct meter *meter, uint64_t bound)
{
	meter->random ^= meter->random << 13;
	meter->random ^= meter->random >> 7;
	meter->random ^= meter->random << 17;
	return meter->random % bound;
}

/* Returns the next expiry, half a period to one and a half periods after the
 * last one. So the expiries do not always coincide with the kernel's periodic
 * work, and do not always avoid it. If the kernel's tick is in that interval,
 * the expiry is close to the tick, because wake-ups are latest there. */
static uint64_t expiry_after(struct meter *meter, uint64_t expiry_ns)
{
	uint64_t period_ns = NS_PER_S / meter->rate_hz;
	uint64_t earliest_ns = expiry_ns + period_ns / 2;
	uint64_t from_tick_ns =
		KERNEL_TICK_NS - (earliest_ns + CLOSE_NS) % KERNEL_TICK_NS;

	return from_tick_ns < period_ns
		       ? earliest_ns + from_tick_ns +
				 random_below(meter, 2 * CLOSE_NS)
		       : earliest_ns + random_below(meter, period_ns);
}

static void sleep_until(uint64_t ns)
{
	const struct timespec until = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) !=
	       0) {
	}
}

static void run_schedule(struct meter *meter)
{
	uint64_t expiry_ns = expiry_after(meter, load_now_ns());

	while (meter->samples < meter->room) {
		uint64_t next_ns = expiry_after(meter, expiry_ns);
		uint64_t woke_ns;

		sleep_until(expiry_ns);
		woke_ns = load_now_ns();
		if (progress_ended(meter->progress)) {
			return;
		}
		meter->missed += woke_ns >= next_ns;
		meter->late_ns[meter->samples++] =
			(uint32_t)(woke_ns - expiry_ns);
		expiry_ns = next_ns;
	}
}

/* ---- Output -------------------------------------------------------------- */

static int compare(const void *a_, const void *b_)
{
	const uint32_t *a = a_, *b = b_;

	return (*a > *b) - (*a < *b);
}

static void print_histogram(const struct meter *meter)
{
	size_t pairs = 0;

	for (size_t i = 0; i < meter->samples;) {
		uint32_t bin = meter->late_ns[i] / TICK_NS;
		size_t count = 0;

		while (i < meter->samples &&
		       meter->late_ns[i] / TICK_NS == bin) {
			i++;
			count++;
		}
		if (pairs % PAIRS_A_LINE == 0) {
			printf("%shist", pairs == 0 ? "" : "\n");
		}
		pairs++;
		printf(" %" PRIu32 ":%zu", bin * TICK_NS, count);
	}
	putchar('\n');
}

/* Returns false, and prints no cell, if there is no sample. */
static bool print_cell(struct meter *meter)
{
	const struct progress *progress = meter->progress;
	uint64_t calls = progress->calls;

	if (meter->samples == 0) {
		fprintf(stderr,
			"meter: phase=%s: no sample: the load ended after "
			"%" PRIu64 " calls, before the first wake-up\n",
			meter->load.phase, calls);
		return false;
	}
	qsort(meter->late_ns, meter->samples, sizeof(meter->late_ns[0]),
	      compare);
	printf("cell kind=dither mode=%s phase=%s rate_hz=%" PRIu64
	       " value_bytes=%zu samples=%zu missed=%" PRIu64 " calls=%" PRIu64
	       " call_mean_ns=%" PRIu64 " call_max_ns=%" PRIu64 "\n",
	       meter->mode, meter->load.phase, meter->rate_hz,
	       meter->load.value_bytes, meter->samples, meter->missed, calls,
	       calls == 0 ? 0 : progress->total_ns / calls, progress->max_ns);
	print_histogram(meter);
	return true;
}

/* ---- The run
 * -------------------------------------------------------------- */

static void await_start(const struct meter *meter)
{
	char nothing;

	close(meter->start[1]);
	while (read(meter->start[0], &nothing, 1) < 0) {
	}
}

/* Runs the load in a process of its own, as in real use: a switch to and from
 * it includes a change of the address space. */
static pid_t fork_load(struct meter *meter)
{
	pid_t pid;

	if (pipe(meter->start) != 0) {
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		await_start(meter);
		_exit(load_run(&meter->load, meter->progress));
	}
	close(meter->start[0]);
	return pid;
}

static int end_load(struct meter *meter, pid_t pid)
{
	int status;

	progress_stop(meter->progress);
	if (waitpid(pid, &status, 0) != pid) {
		return 2;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static bool become_urgent(void)
{
	const struct sched_param parameter = {.sched_priority = PRIORITY};

	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0 ||
	    sched_setscheduler(0, SCHED_FIFO, &parameter) != 0) {
		perror("meter: SCHED_FIFO, locked memory");
		return false;
	}
	return true;
}

/* It takes milliseconds to give the measuring thread its priority. A load of a
 * few calls would be over by then, so the load starts only afterwards. */
static int measure(struct meter *meter)
{
	pid_t pid = fork_load(meter);
	int code;

	if (pid < 0) {
		perror("meter: the load's process");
		return 2;
	}
	if (!become_urgent()) {
		progress_stop(meter->progress);
		return 2;
	}
	memset(meter->late_ns, 0, meter->room * sizeof(meter->late_ns[0]));
	close(meter->start[1]);
	run_schedule(meter);
	code = end_load(meter, pid);
	if (!print_cell(meter) && code == 0) {
		code = 1;
	}
	return code;
}

static bool take_option(struct meter *meter, int option)
{
	switch (option) {
	case 'p':
		meter->load.phase = optarg;
		return true;
	case 'f':
		meter->load.path = optarg;
		return true;
	case 'b':
		meter->load.value_bytes = strtoul(optarg, NULL, 10);
		return meter->load.value_bytes <= LOAD_MAX_BYTES;
	case 'c':
		meter->load.calls = strtoull(optarg, NULL, 10);
		return true;
	case 'n':
		meter->room = strtoul(optarg, NULL, 10);
		return meter->room > 0;
	case 'r':
		meter->rate_hz = strtoull(optarg, NULL, 10);
		return meter->rate_hz > 0 && meter->rate_hz <= NS_PER_S / 2;
	case 's':
		meter->seed = strtoull(optarg, NULL, 10);
		return true;
	case 'm':
		meter->mode = optarg;
		return true;
	case 'o':
		meter->load_only = true;
		return true;
	case 't':
		meter->load.limit_ns = strtoull(optarg, NULL, 10) * 1000000;
		return true;
	default:
		return false;
	}
}

int main(int count, char *words[])
{
	static struct meter meter = {
		.load = {.phase = "idle",
			 .value_bytes = 1024,
			 .calls = UINT64_MAX,
			 .limit_ns = UINT64_MAX},
		.mode = "kernel",
		.rate_hz = 10000,
		.seed = 1,
		.room = 2000,
	};
	int option;

	while ((option = getopt(count, words, "p:f:b:c:n:r:s:m:ot:")) != -1) {
		if (!take_option(&meter, option)) {
			fputs(usage, stderr);
			return 2;
		}
	}
	meter.random = meter.seed * 0x9e3779b97f4a7c15u | 1;
	meter.late_ns = calloc(meter.room, sizeof(meter.late_ns[0]));
	meter.progress =
		mmap(NULL, sizeof(*meter.progress), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (meter.late_ns == NULL || meter.progress == MAP_FAILED ||
	    !load_init(&meter.load)) {
		fputs(usage, stderr);
		return 2;
	}
	return meter.load_only ? load_run(&meter.load, meter.progress)
			       : measure(&meter);
}
