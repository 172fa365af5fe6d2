/* SPDX-License-Identifier: MIT */
/* Threads, for <caesura/host.h>: their identity, priority and CPUs, and whether
 * they are running. Also the clock. */
#include "host/threads.h"
#include "host/confine.h"
#include "host/process.h"
#include "host/report.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

/* ---- The clock ---- */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = {0};

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t cz_host_now_ns(struct cz_host *host)
{
	(void)host;
	return clock_ns(CLOCK_MONOTONIC);
}

/* ---- Threads ---- */

static _Thread_local struct host_thread self;

/* The library does not keep these pointers after the thread has ended. */
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

/* SCHED_OTHER has priority 0, real-time priorities are higher. */
int cz_host_priority(struct cz_host *host, cz_host_thread thread)
{
	struct sched_param param = {0};

	(void)host;
	(void)sched_getparam(((struct host_thread *)thread)->id, &param);
	return param.sched_priority;
}

/* The library needs the worker's pointer as soon as the worker may run. So
 * run_worker() fills it in, and cz_host_worker_start() waits for that. */
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
		report_log(host, CZ_LOG_WARNING,
			   "a thread stays SCHED_OTHER, because SCHED_FIFO %d "
			   "failed: %s",
			   param.sched_priority, strerror(errno));
	}
}

/*
 * Without --fifo the lowest real-time priority is enough, and without
 * permission for that the thread stays SCHED_OTHER. Only timers are affected. A
 * real-time kernel serves timers of SCHED_OTHER threads in a thread of the CPU
 * on which they were started, which a busy real-time thread there delays; it
 * serves timers of real-time threads at once.
 */
void host_be_punctual(struct cz_host *host)
{
	struct sched_param least = {.sched_priority = 1};

	if (host->options.fifo_priority != 0) {
		/* One above the worker: on a single CPU, a worker that hangs
		 * must not keep this thread from ending its call. */
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
	ready = signals_enter(&thread->signals);
	set_priority(host, 0);
	ready = confine_thread() && ready;
	start->self = thread;
	start->ready = ready;
	/* from here on `start` is not valid */
	cz_host_event_set(host, &start->started);
	if (ready) {
		thread->entry(thread->argument);
		signals_leave(&thread->signals);
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

/* `worker` points into the thread's own storage, which ends with the thread.
 * Only the pthread_t is needed. */
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

/* ---- Pinning, by the worker ---- */

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

/* If somebody has changed the affinity meanwhile (taskset, a cpuset without
 * that CPU), it stays. */
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

/* The kernel preserves FP/SIMD registers of each thread. */
void cz_host_fp_begin(struct cz_host *host)
{
	(void)host;
}

void cz_host_fp_end(struct cz_host *host)
{
	(void)host;
}

/* ---- Whether a thread is running ---- */

uint64_t host_ran_ns(const struct host_thread *thread)
{
	clockid_t clock;

	return pthread_getcpuclockid(thread->pthread, &clock) == 0
		       ? clock_ns(clock)
		       : 0;
}

/*
 * The kernel does not tell whether another thread is running right now. The
 * watch asks at regular times, from one thread, so the answer is derived from
 * the CPU time since the last question: true if the thread ran for at least
 * half of that time. What an answer does not account for is carried over, up to
 * half of the time since, so that of a worker that has a third of its CPU every
 * third answer is true.
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
	signals_kick(((struct host_thread *)thread)->pthread);
}
