/* SPDX-License-Identifier: MIT */
/*
 * The mutex and the completion. The operations of a mutex are a single atomic
 * operation if no thread has to wait. The scheduler's lock is needed only to
 * wait and to wake.
 */
#include "sched/sched.h"
#include <kernel/print.h>

#define HAS_WAITERS 1u

void mutex_init(struct mutex *mutex)
{
	mutex->owner = 0;
	list_init(&mutex->waiters);
}

bool mutex_trylock(struct mutex *mutex)
{
	uintptr_t free = 0;

	return __atomic_compare_exchange_n(&mutex->owner, &free,
					   (uintptr_t)current_thread(), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Marks the mutex as having waiters, which makes its owner's unlock take the
 * slow path. Returns the owner, or NULL if the mutex was free and is now the
 * caller's. */
static struct thread *mutex_mark_contended(struct mutex *mutex)
{
	uintptr_t seen = __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED);
	uintptr_t wanted;

	do {
		wanted = seen == 0 ? (uintptr_t)current_thread()
				   : seen | HAS_WAITERS;
	} while (!__atomic_compare_exchange_n(&mutex->owner, &seen, wanted,
					      false, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return (struct thread *)(seen & ~(uintptr_t)HAS_WAITERS);
}

/* The slow paths are functions of their own, so that the fast paths need no
 * stack frame. */
static __attribute__((noinline)) void mutex_wait(struct mutex *mutex)
{
	uint64_t daif = sched_lock();
	struct thread *owner;

	owner = mutex_mark_contended(mutex);
	if (owner != NULL) {
		ASSERT(owner != current_thread());
		/* When this returns, the owner has handed over the mutex. */
		sched_block(&mutex->waiters, owner, FOREVER);
	}
	sched_unlock(daif);
}

void mutex_lock(struct mutex *mutex)
{
	if (!mutex_trylock(mutex)) {
		mutex_wait(mutex);
	}
}

/* Gives the mutex to the most urgent waiter. The other waiters now lend their
 * priority to that thread. */
static void mutex_hand_over(struct mutex *mutex)
{
	struct thread *heir = sched_first_waiter(&mutex->waiters);
	uintptr_t owner = (uintptr_t)heir;

	sched_wake(heir);
	for (struct list *at = mutex->waiters.next; at != &mutex->waiters;
	     at = at->next) {
		sched_lend(container_of(at, struct thread, wait_node), heir);
		owner |= HAS_WAITERS;
	}
	__atomic_store_n(&mutex->owner, owner, __ATOMIC_RELEASE);
}

static __attribute__((noinline)) void mutex_pass_on(struct mutex *mutex)
{
	uint64_t daif = sched_lock();

	ASSERT((mutex->owner & ~(uintptr_t)HAS_WAITERS) ==
	       (uintptr_t)current_thread());
	mutex_hand_over(mutex);
	sched_unlock_and_preempt(daif);
}

void mutex_unlock(struct mutex *mutex)
{
	uintptr_t mine = (uintptr_t)current_thread();

	if (!__atomic_compare_exchange_n(&mutex->owner, &mine, 0, false,
					 __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
		mutex_pass_on(mutex);
	}
}

void completion_init(struct completion *completion)
{
	completion->done = 0;
	list_init(&completion->waiters);
}

void completion_set(struct completion *completion)
{
	uint64_t daif = sched_lock();
	struct thread *thread;

	while ((thread = sched_first_waiter(&completion->waiters)) != NULL) {
		sched_wake(thread);
	}
	/* This must be the last access to the completion: whoever sees it set
	 * may free it. */
	__atomic_store_n(&completion->done, 1, __ATOMIC_RELEASE);
	sched_unlock_and_preempt(daif);
}

void completion_clear(struct completion *completion)
{
	__atomic_store_n(&completion->done, 0, __ATOMIC_RELAXED);
}

bool completion_wait(struct completion *completion, struct thread *owner,
		     uint64_t deadline_tick)
{
	bool done;
	uint64_t daif;

	if (__atomic_load_n(&completion->done, __ATOMIC_ACQUIRE) != 0) {
		return true;
	}
	daif = sched_lock();
	done = completion->done != 0;
	if (!done && ticks_now() < deadline_tick) {
		done = sched_block(&completion->waiters, owner, deadline_tick);
	}
	sched_unlock(daif);
	return done;
}
