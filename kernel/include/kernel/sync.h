/* SPDX-License-Identifier: MIT */
/*
 * Blocking synchronisation, all with priority inheritance where there is
 * somebody to inherit. From threads only, interrupts on, unless stated.
 */
#ifndef KERNEL_SYNC_H
#define KERNEL_SYNC_H

#include <kernel/list.h>
#include <stdbool.h>
#include <stdint.h>

struct thread;

#define FOREVER UINT64_MAX

/* Not recursive; its owner inherits from its waiters. */
struct mutex {
	uintptr_t owner; /* struct thread *, bit 0: there are waiters */
	struct list waiters; /* by priority, then age */
};

void mutex_init(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
bool mutex_trylock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/*
 * Set or not; waiting returns when it is. Setting wakes all waiters. Set and
 * clear: any context.
 */
struct completion {
	uint32_t done;
	struct list waiters;
};

void completion_init(struct completion *completion);
void completion_set(struct completion *completion);
void completion_clear(struct completion *completion);

/*
 * Waits until set (true) or until the counter reaches deadline_tick (false;
 * FOREVER: never). While waiting, owner inherits the caller's priority, through
 * chains of owners; NULL: nobody does.
 */
bool completion_wait(struct completion *completion, struct thread *owner,
		     uint64_t deadline_tick);

#endif
