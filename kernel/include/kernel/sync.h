/* SPDX-License-Identifier: MIT */
/*
 * Blocking synchronisation, with priority inheritance if the owner is known.
 * Only threads with interrupts on may call these functions, unless stated
 * otherwise.
 */
#ifndef KERNEL_SYNC_H
#define KERNEL_SYNC_H

#include <kernel/list.h>
#include <stdbool.h>
#include <stdint.h>

struct thread;

#define FOREVER UINT64_MAX

/* A mutex that is not recursive. Its owner inherits the priority of its
 * waiters. */
struct mutex {
	uintptr_t owner; /* struct thread *; bit 0 is set if threads wait */
	struct list waiters; /* sorted by priority, then by arrival */
};

void mutex_init(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
bool mutex_trylock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/*
 * A flag that threads can wait for. Setting it wakes all waiters. Any context
 * may set or clear it.
 */
struct completion {
	uint32_t done;
	struct list waiters;
};

void completion_init(struct completion *completion);
void completion_set(struct completion *completion);
void completion_clear(struct completion *completion);

/*
 * Waits until the completion is set, and returns true, or until the counter
 * reaches deadline_tick, and returns false. FOREVER means no deadline. While
 * the caller waits, `owner` inherits its priority, along chains of owners; NULL
 * means that there is no owner.
 */
bool completion_wait(struct completion *completion, struct thread *owner,
		     uint64_t deadline_tick);

#endif
