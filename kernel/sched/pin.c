/* SPDX-License-Identifier: MIT */
/* Pins a thread to its CPU; the thread stays preemptible. */
#include "sched/sched.h"

void migrate_disable(void)
{
	current_thread()->migrate_disabled++;
}

void migrate_enable(void)
{
	struct thread *self = current_thread();

	if (--self->migrate_disabled == 0 && !self->cpu->alone) {
		sched_unpinned();
	}
}
