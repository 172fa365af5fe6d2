/* SPDX-License-Identifier: MIT */
#include "daemon/life.h"
#include "daemon/notify.h"
#include "host/process.h"
#include "host/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
#define LOOKS 6u /* in each period; one look may take two intervals */
/* CPU time that the library and a commit may use in addition to firmware. */
#define OWN_NS (30 * NS_PER_S)

static struct show {
	struct cz_host *host;
	uint64_t period_ns;
	int stat; /* the worker's line in /proc */
	/* set when the thread has dropped its privileges */
	cz_host_event confined;
} show = {.stat = -1};

static bool is_runnable(int stat)
{
	char text[256];
	ssize_t got = pread(stat, text, sizeof(text) - 1, 0);

	if (got <= 0) {
		return false;
	}
	text[got] = '\0';
	return life_is_runnable(text);
}

static void look_at_worker(struct life_look *look)
{
	struct cz *cz = show.host->cz;
	struct cz_stats stats;

	cz_get_stats(cz, &stats);
	look->completed = stats.completed;
	look->ran_ns = host_ran_ns((struct host_thread *)cz->worker);
	look->is_runnable = is_runnable(show.stat);
}

/* Returns the largest kill limit: a call within it is well. */
static uint64_t longest_call_ns(const struct cz *cz)
{
	uint64_t longest_ns = 0;

	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		uint64_t limit_ns = cz->policy.service[i].kill_limit_ns;

		longest_ns = limit_ns > longest_ns ? limit_ns : longest_ns;
	}
	return longest_ns < CZ_FOREVER - OWN_NS ? longest_ns + OWN_NS
						: CZ_FOREVER;
}

static void sleep_until(uint64_t ns)
{
	struct timespec when = {.tv_sec = (time_t)(ns / NS_PER_S),
				.tv_nsec = (long)(ns % NS_PER_S)};

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

/* A call of the null service gives an idle worker something to do, so that it
 * shows progress. */
static void *show_life(void *argument)
{
	struct cz *cz = show.host->cz;
	uint64_t limit_ns = longest_call_ns(cz);
	struct life life = {0};
	struct life_look look;

	(void)argument;
	host_be_punctual(show.host);
	cz_host_event_set(show.host, &show.confined);
	for (;;) {
		uint64_t next_ns =
			cz_host_now_ns(show.host) + show.period_ns / LOOKS;

		(void)cz_null_service(cz, next_ns);
		look_at_worker(&look);
		if (life_is_well(&life, &look, limit_ns)) {
			notify_say("WATCHDOG=1");
		}
		sleep_until(next_ns);
	}
	return NULL;
}

int life_start(struct cz_host *host, uint64_t period_ns)
{
	const struct host_thread *worker =
		(const struct host_thread *)host->cz->worker;
	pthread_t thread; /* ends with the process */
	char path[64];
	int error;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		       worker->id);
	show.host = host;
	show.period_ns = period_ns;
	show.stat = open(path, O_RDONLY | O_CLOEXEC);
	if (show.stat < 0) {
		return errno;
	}
	cz_host_event_init(host, &show.confined);
	error = pthread_create(&thread, NULL, show_life, NULL);
	if (error == 0) {
		(void)cz_host_event_wait(host, &show.confined, NULL,
					 CZ_FOREVER);
	}
	return error;
}
