/* SPDX-License-Identifier: MIT */
/*
 * Notices a thread that does not come back. A thread that has made no progress
 * for a while gets the highest priority. Then it runs, and so does its request,
 * unless nothing is going to wake it.
 */
#include "stress/stress.h"

#include <kernel/print.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define LOOK_MS 20u
#define HURRY_LOOKS 10u /* less urgent threads may have to wait this long */
#define LOST_LOOKS 60u /* more than one second at the highest priority */

static struct {
	uint64_t steps;
	/* Consecutive looks that found the agent at the same step. */
	unsigned looks;
} watched[STRESS_MAX_THREADS];

static const char *state_name(enum cz_request_state state)
{
	static const char *const names[] = {
		[CZ_REQUEST_FREE] = "free",
		[CZ_REQUEST_FILLING] = "being filled",
		[CZ_REQUEST_QUEUED] = "queued",
		[CZ_REQUEST_IN_FLIGHT] = "in flight",
		[CZ_REQUEST_DONE] = "done",
	};

	return names[state];
}

static void report_request(const struct agent *agent)
{
	const struct cz *cz = agent->cz;

	for (uint32_t i = 0; i < cz->request_count; i++) {
		const struct cz_request *request = &cz->requests[i];

		if ((const struct thread *)request->waiter == agent->thread) {
			kprintf("error:   its request is %s\n",
				state_name(request->state));
			return;
		}
	}
	kprintf("error:   no request names it as its waiter; %s is free\n",
		cz->free_requests == 0 ? "none" : "one");
}

static void report(const struct agent *agent)
{
	const char *doing = __atomic_load_n(&agent->doing, __ATOMIC_ACQUIRE);

	kprintf("error: a wake-up is lost: thread %u on CPU %u, the most "
		"urgent "
		"of all threads, %s %s for %u ms\n",
		agent->number, thread_cpu(agent->thread),
		doing == NULL ? "does not run" : doing,
		agent->service < CZ_SERVICE_COUNT
			? cz_service_name(agent->service)
			: "",
		LOST_LOOKS * LOOK_MS);
	if (agent->service < CZ_SERVICE_COUNT) {
		report_request(agent);
	}
}

/* Returns false when the agent is lost. */
static bool look_at(struct agent *agent)
{
	uint64_t steps = counter_read(&agent->steps);
	unsigned number = agent->number;

	if (__atomic_load_n(&agent->ended, __ATOMIC_ACQUIRE) ||
	    watched[number].steps != steps) {
		watched[number].steps = steps;
		watched[number].looks = 0;
		return true;
	}
	watched[number].looks++;
	if (watched[number].looks == HURRY_LOOKS) {
		__atomic_store_n(&agent->hurried, true, __ATOMIC_RELEASE);
		thread_set_priority(agent->thread, PRIORITY_HIGHEST - 1);
	}
	return watched[number].looks < HURRY_LOOKS + LOST_LOOKS;
}

static void watch_entry(void *argument)
{
	uint64_t lost = 0;
	uint64_t looks = 0;

	(void)argument;
	while (lost == 0 && counter_read(&stress.agents_left) != 0) {
		thread_sleep_until(ticks_now() +
				   ns_to_ticks(LOOK_MS * 1000000ull));
		for (unsigned i = 0; i < stress.threads; i++) {
			if (!look_at(&stress.agents[i])) {
				report(&stress.agents[i]);
				lost++;
			}
		}
		if (++looks % 2 == 0) {
			progress(counter_read(&stress.calls_begun),
				 stress.calls);
		}
	}
	if (lost != 0) {
		stress.lost = lost;
		completion_set(&stress.over);
	}
}

void watch_start(void)
{
	thread_create("watch", PRIORITY_HIGHEST, watch_entry, NULL);
}
