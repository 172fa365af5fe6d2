/* SPDX-License-Identifier: MIT */
/*
 * <caesura/host.h> for a process: clock, log, threads, waiting, timers. All threads
 * that wait for a caller's result are of one scheduling class, which the daemon's
 * options set, so that there is no priority to inherit but by the mutex.
 */
#include "host/confine.h"
#include "host/process.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
#define LOG_CHARS 512

/* ---- Clock and log ---- */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = {0};

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S),
				 .tv_nsec = (long)(ns % NS_PER_S)};
}

uint64_t cz_host_now_ns(struct cz_host *host)
{
	(void)host;
	return clock_ns(CLOCK_MONOTONIC);
}

/* For the journal by severity, as sd-daemon(3) has it; for people by name. One
 * write each, so that lines of threads do not mix. */
void cz_host_log(struct cz_host *host, enum cz_log_level level,
		 const char *format, va_list arguments)
{
	static const char *const severity[] = {"<3>", "<4>", "<6>"};
	static const char *const name[] = {"error: ", "warning: ", ""};
	char line[LOG_CHARS];
	int used = snprintf(line, sizeof(line), "%s%s",
			    host->to_terminal ? "caesurad: " : severity[level],
			    host->to_terminal ? name[level] : "");

	used += vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format,
			  arguments);
	if (used > LOG_CHARS - 2) {
		used = LOG_CHARS - 2;
	}
	line[used] = '\n';
	(void)!write(STDERR_FILENO, line, (size_t)used + 1);
}

void host_say(struct cz_host *host, enum cz_log_level level, const char *format,
	      ...)
{
	va_list arguments;

	va_start(arguments, format);
	cz_host_log(host, level, format, arguments);
	va_end(arguments);
}

/* ---- Threads ---- */

static _Thread_local struct host_thread self;

/* The library keeps these pointers no longer than the thread lives. */
static struct host_thread *this_thread(void)
{
	if (self.id == 0) {
		self.pthread = pthread_self();
		self.id = gettid();
	}
	return &self;
}

cz_host_thread cz_host_self(struct cz_host *host)
{
	(void)host;
	return (cz_host_thread)this_thread();
}

/* SCHED_OTHER is 0, real-time priorities are above. */
int cz_host_priority(struct cz_host *host, cz_host_thread thread)
{
	struct sched_param param = {0};

	(void)host;
	(void)sched_getparam(((struct host_thread *)thread)->id, &param);
	return param.sched_priority;
}

/* Who takes a worker's pointer needs it before the worker runs: it is filled in
 * there, and waited for. */
struct start {
	struct host_thread thread;
	struct host_thread *self;
	cz_host_event started;
	bool ready;
};

static void set_priority(struct cz_host *host, int above)
{
	struct sched_param param = {0};

	if (host->options.fifo_priority != 0) {
		param.sched_priority = host->options.fifo_priority + above;
	}
	if (param.sched_priority > sched_get_priority_max(SCHED_FIFO)) {
		param.sched_priority = sched_get_priority_max(SCHED_FIFO);
	}
	if (param.sched_priority != 0 &&
	    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) !=
		    0) {
		host_say(host, CZ_LOG_WARNING,
			 "a thread stays SCHED_OTHER: SCHED_FIFO %d: %s",
			 param.sched_priority, strerror(errno));
	}
}

/*
 * Where firmware has no priority the lowest will do, and where there is no permission
 * for that none: all it changes is the timers. A real-time kernel serves those of
 * ordinary threads by a thread of the CPU on which they were started, which a thread
 * that is busy and more urgent there holds up; those of urgent threads it serves at
 * once.
 */
void host_be_punctual(struct cz_host *host)
{
	struct sched_param least = {.sched_priority = 1};

	if (host->options.fifo_priority != 0) {
		/* Or a worker that hangs would keep it from being ended, on one
		 * CPU. */
		set_priority(host, 1);
	} else {
		(void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK,
					 &least);
	}
	(void)confine_thread();
}

static void *run_worker(void *argument)
{
	struct start *start = argument;
	struct host_thread *thread = this_thread();
	struct cz_host *host = start->thread.host;
	bool ready;

	thread->host = host;
	thread->entry = start->thread.entry;
	thread->argument = start->thread.argument;
	ready = signals_enter(thread);
	set_priority(host, 0);
	ready = confine_thread() && ready;
	start->self = thread;
	start->ready = ready;
	cz_host_event_set(host, &start->started); /* `start` is gone */
	if (ready) {
		thread->entry(thread->argument);
		signals_leave(thread);
	}
	return NULL;
}

cz_host_thread cz_host_worker_start(struct cz_host *host, void (*entry)(void *),
				    void *argument)
{
	struct start start = {
		.thread = {.host = host, .entry = entry, .argument = argument},
	};
	pthread_t thread;

	cz_host_event_init(host, &start.started);
	if (pthread_create(&thread, NULL, run_worker, &start) != 0) {
		return NULL;
	}
	(void)cz_host_event_wait(host, &start.started, NULL, CZ_FOREVER);
	if (!start.ready) {
		(void)pthread_join(thread, NULL);
		return NULL;
	}
	return (cz_host_thread)start.self;
}

/* Its pthread is read first: the rest ends with it. */
void cz_host_worker_join(struct cz_host *host, cz_host_thread worker)
{
	pthread_t thread = ((struct host_thread *)worker)->pthread;

	(void)host;
	(void)pthread_join(thread, NULL);
}

bool cz_host_worker_set_cpus(struct cz_host *host, const struct cz_cpu_set *set)
{
	cpu_set_t cpus;

	(void)host;
	CPU_ZERO(&cpus);
	for (int i = 0; i < CZ_MAX_CPUS && i < CPU_SETSIZE; i++) {
		if ((set->bits[i / 64] >> i % 64 & 1) != 0) {
			CPU_SET(i, &cpus);
		}
	}
	return sched_setaffinity(0, sizeof(cpus), &cpus) == 0;
}

/* ---- Pin: on the worker, between its calls of set_cpus ---- */

static _Thread_local cpu_set_t unpinned, pinned;

void cz_host_pin(struct cz_host *host)
{
	int cpu;

	if (pin_is_free(&host->pin)) {
		return;
	}
	cpu = sched_getcpu();
	CPU_ZERO(&pinned);
	if (cpu >= 0 && cpu < CPU_SETSIZE &&
	    sched_getaffinity(0, sizeof(unpinned), &unpinned) == 0) {
		pin_choose(&host->pin, cpu, &unpinned, &pinned);
		(void)sched_setaffinity(0, sizeof(pinned), &pinned);
	}
}

/* What somebody else has set meanwhile stays: taskset, or a cpuset without that
 * CPU. */
void cz_host_unpin(struct cz_host *host)
{
	cpu_set_t now;

	if (pin_is_free(&host->pin)) {
		return;
	}
	if (sched_getaffinity(0, sizeof(now), &now) == 0 &&
	    CPU_EQUAL(&now, &pinned)) {
		(void)sched_setaffinity(0, sizeof(unpinned), &unpinned);
	}
}

/* The kernel keeps FP/SIMD of every thread. */
void cz_host_fp_begin(struct cz_host *host)
{
	(void)host;
}

void cz_host_fp_end(struct cz_host *host)
{
	(void)host;
}

/* ---- Whether a thread runs ---- */

uint64_t host_ran_ns(const struct host_thread *thread)
{
	clockid_t clock;

	return pthread_getcpuclockid(thread->pthread, &clock) == 0
		       ? clock_ns(clock)
		       : 0;
}

/*
 * No one is told that. What it did since it was asked last is the next best: the
 * watch asks at regular times, by one thread. Of a worker that has a third of its
 * CPU every third answer is yes: what was not told is carried over, up to half of
 * the time since.
 */
bool cz_host_is_running(struct cz_host *host, cz_host_thread handle)
{
	struct host_thread *thread = (struct host_thread *)handle;
	uint64_t now_ns = cz_host_now_ns(host);
	int64_t passed_ns = (int64_t)(now_ns - thread->asked_ns);
	uint64_t ran_ns = host_ran_ns(thread);
	int64_t owed_ns = thread->owed_ns;
	bool runs;

	if (pthread_equal(thread->pthread, pthread_self())) {
		return true;
	}
	if (owed_ns > passed_ns / 2) {
		owed_ns = passed_ns / 2;
	} else if (owed_ns < -passed_ns / 2) {
		owed_ns = -passed_ns / 2;
	}
	owed_ns += (int64_t)(ran_ns - thread->ran_ns);
	runs = owed_ns >= passed_ns - passed_ns / 2;
	thread->owed_ns = owed_ns - (runs ? passed_ns : 0);
	thread->asked_ns = now_ns;
	thread->ran_ns = ran_ns;
	return runs;
}

void cz_host_interrupt(struct cz_host *host, cz_host_thread thread)
{
	(void)host;
	signals_kick((struct host_thread *)thread);
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

/* One word: 1 when set. */
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

/* Whoever waits may have gone by then, and the event with it: waking an address
 * that nobody waits at is harmless. */
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
	/* Mostly it is the limit of a call, and the last call's comes earlier. */
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

/* With the mutex, which is given back meanwhile. */
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

/* ---- The beginning ---- */

bool host_start(struct cz_host *host)
{
	pthread_condattr_t attributes;
	pthread_t timer_thread; /* ends with the process */

	init_mutex(&host->timer_mutex);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&host->timer_changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	signals_install(host);
	if (pthread_create(&timer_thread, NULL, run_timers, host) != 0) {
		(void)snprintf(host->why, sizeof(host->why),
			       "no thread for timers");
		return false;
	}
	return true;
}
