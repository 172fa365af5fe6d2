/* SPDX-License-Identifier: MIT */
/*
 * Loses a wake-up now and then: an event that a caller waits for is not set.
 * Replaces kernel/port/event.c.
 */
#include "port/port.h"
#include "sched/sched.h"

#define DROPPED_EVERY 500u

void cz_host_event_init(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	completion_init((struct completion *)event);
}

/* Returns true for one in DROPPED_EVERY events whose first waiter boosts an
 * owner and has no deadline. */
static bool is_dropped(struct completion *event)
{
	static uint32_t seen;
	uint64_t daif = sched_lock();
	struct thread *waiter = sched_first_waiter(&event->waiters);
	bool counts = waiter != NULL && waiter->boosts != NULL &&
		      list_empty(&waiter->timer.node);
	bool dropped = counts && ++seen % DROPPED_EVERY == 0;

	sched_unlock(daif);
	return dropped;
}

void cz_host_event_set(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	if (!is_dropped((struct completion *)event)) {
		completion_set((struct completion *)event);
	}
}

void cz_host_event_clear(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	completion_clear((struct completion *)event);
}

bool cz_host_event_wait(struct cz_host *host, cz_host_event *event,
			cz_host_thread owner, uint64_t deadline_ns)
{
	uint64_t tick =
		deadline_ns == CZ_FOREVER ? FOREVER : ns_to_ticks(deadline_ns);

	(void)host;
	return completion_wait((struct completion *)event,
			       (struct thread *)owner, tick);
}
