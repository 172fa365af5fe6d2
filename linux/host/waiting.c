/* SPDX-License-Identifier: MIT */
/* Mutexes, events and timers, for <caesura/host.h>. All threads that wait for a
 * result have one scheduling class, which an option of the daemon's sets. So an
 * event has no priority to pass on to its owner; only mutexes inherit it. */
#include "host/waiting.h"
#include "host/process.h"
#include "host/report.h"
#include "host/threads.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S),
				 .tv_nsec = (long)(ns % NS_PER_S)};
}

/* ---- Mutexes and events ---- */

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(cz_host_mutex), "mutex");

static void init_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;

	(void)pthread_mutexattr_init(&attributes);
	(void)pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	(void)pthread_mutex_init(mutex, &attributes);
	(void)pthread_mutexattr_destroy(&attributes);
}

void cz_host_mutex_init(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	init_mutex((pthread_mutex_t *)mutex);
}

void cz_host_mutex_lock(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	(void)pthread_mutex_lock((pthread_mutex_t *)mutex);
}

void cz_host_mutex_unlock(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	(void)pthread_mutex_unlock((pthread_mutex_t *)mutex);
}

/* The futex: 1 when the event is set. */
static uint32_t *word_of(cz_host_event *event)
{
	return (uint32_t *)event->opaque;
}

void cz_host_event_init(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	__atomic_store_n(word_of(event), 0, __ATOMIC_RELEASE);
}

void cz_host_event_clear(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	__atomic_store_n(word_of(event), 0, __ATOMIC_RELEASE);
}

/* The waiter may see the event set and free it before the wake-up. That is
 * harmless: the kernel finds nobody at the address. */
void cz_host_event_set(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	__atomic_store_n(word_of(event), 1, __ATOMIC_RELEASE);
	(void)syscall(SYS_futex, word_of(event), FUTEX_WAKE_PRIVATE, INT_MAX,
		      NULL, NULL, 0);
}

bool cz_host_event_wait(struct cz_host *host, cz_host_event *event,
			cz_host_thread owner, uint64_t deadline_ns)
{
	struct timespec until = timespec_of(deadline_ns);

	(void)host;
	(void)owner;
	while (__atomic_load_n(word_of(event), __ATOMIC_ACQUIRE) == 0) {
		long result = syscall(SYS_futex, word_of(event),
				      FUTEX_WAIT_BITSET_PRIVATE, 0,
				      deadline_ns == CZ_FOREVER ? NULL : &until,
				      NULL, FUTEX_BITSET_MATCH_ANY);

		if (result != 0 && errno == ETIMEDOUT) {
			return __atomic_load_n(word_of(event),
					       __ATOMIC_ACQUIRE) != 0;
		}
	}
	return true;
}

/* ---- Timers ---- */

struct host_timer {
	struct host_timer *next;
	bool started;
	uint64_t at_ns;
	void (*fire)(void *argument);
	void *argument;
};

_Static_assert(sizeof(struct host_timer) <= sizeof(cz_host_timer), "timer");

static void take_out(struct cz_host *host, struct host_timer *timer)
{
	struct host_timer **link = &host->timers;

	while (*link != NULL && *link != timer) {
		link = &(*link)->next;
	}
	if (*link != NULL) {
		*link = timer->next;
	}
	timer->started = false;
}

void cz_host_timer_start(struct cz_host *host, cz_host_timer *storage,
			 uint64_t at_ns, void (*fire)(void *), void *argument)
{
	struct host_timer *timer = (struct host_timer *)storage;

	(void)pthread_mutex_lock(&host->timer_mutex);
	if (timer->started) {
		take_out(host, timer);
	}
	*timer = (struct host_timer){
		.next = host->timers,
		.started = true,
		.at_ns = at_ns,
		.fire = fire,
		.argument = argument,
	};
	host->timers = timer;
	/* The thread need not wake up earlier for a later time. Most timers are
	 * limits of calls, and the thread still waits for the limit of an
	 * earlier call. */
	if (at_ns < host->timers_wake_ns) {
		(void)pthread_cond_broadcast(&host->timer_changed);
	}
	(void)pthread_mutex_unlock(&host->timer_mutex);
}

void cz_host_timer_stop(struct cz_host *host, cz_host_timer *storage)
{
	struct host_timer *timer = (struct host_timer *)storage;

	(void)pthread_mutex_lock(&host->timer_mutex);
	for (;;) {
		if (timer->started) {
			take_out(host, timer);
		}
		if (host->firing != timer) {
			break;
		}
		(void)pthread_cond_wait(&host->timer_changed,
					&host->timer_mutex);
	}
	(void)pthread_mutex_unlock(&host->timer_mutex);
}

static struct host_timer *earliest(const struct cz_host *host)
{
	struct host_timer *first = host->timers;

	for (struct host_timer *timer = first; timer != NULL;
	     timer = timer->next) {
		if (timer->at_ns < first->at_ns) {
			first = timer;
		}
	}
	return first;
}

/* Called with the mutex held; releases it while the function runs. */
static void fire(struct cz_host *host, struct host_timer *timer)
{
	void (*function)(void *) = timer->fire;
	void *argument = timer->argument;

	take_out(host, timer);
	host->firing = timer;
	(void)pthread_mutex_unlock(&host->timer_mutex);
	function(argument);
	(void)pthread_mutex_lock(&host->timer_mutex);
	host->firing = NULL;
	(void)pthread_cond_broadcast(&host->timer_changed);
}

static void *run_timers(void *argument)
{
	struct cz_host *host = argument;

	host_be_punctual(host);
	(void)pthread_mutex_lock(&host->timer_mutex);
	for (;;) {
		struct host_timer *timer = earliest(host);
		struct timespec until;

		host->timers_wake_ns =
			timer == NULL ? CZ_FOREVER : timer->at_ns;
		if (timer == NULL) {
			(void)pthread_cond_wait(&host->timer_changed,
						&host->timer_mutex);
		} else if (timer->at_ns <= cz_host_now_ns(host)) {
			fire(host, timer);
		} else {
			until = timespec_of(timer->at_ns);
			(void)pthread_cond_timedwait(&host->timer_changed,
						     &host->timer_mutex,
						     &until);
		}
	}
}

bool waiting_start(struct cz_host *host)
{
	pthread_condattr_t attributes;
	pthread_t timer_thread; /* ends with the process */

	init_mutex(&host->timer_mutex);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&host->timer_changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (pthread_create(&timer_thread, NULL, run_timers, host) != 0) {
		return report_fail(host, "no thread for timers");
	}
	return true;
}
