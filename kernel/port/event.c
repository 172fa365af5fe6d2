/* SPDX-License-Identifier: MIT */
/* Implements the library's events as completions. */
#include "port/port.h"
#include "sched/sched.h"

_Static_assert(sizeof(struct completion) <= sizeof(cz_host_event), "event");

void cz_host_event_init(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	completion_init((struct completion *)event);
}

void cz_host_event_set(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	completion_set((struct completion *)event);
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
