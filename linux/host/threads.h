/* SPDX-License-Identifier: MIT */
/* Threads that the library knows, and what the daemon's other threads need. */
#ifndef LINUX_THREADS_H
#define LINUX_THREADS_H

#include "host/signals.h"

#include <pthread.h>
#include <stdint.h>

struct cz_host;

/* A thread that the library knows: any that calls it. */
struct host_thread {
	pthread_t pthread;
	int id; /* the kernel's */
	/* For cz_host_is_running(): when it was asked last, and what the thread ran
	 * since that no answer has told yet. */
	uint64_t asked_ns, ran_ns;
	int64_t owed_ns;
	/* A worker's. */
	struct cz_host *host;
	void (*entry)(void *argument);
	void *argument;
	struct signals_stack signals;
};

/* A new thread, which acts by the clock: makes it urgent enough for that, and gives up
 * the thread's privileges. */
void host_be_punctual(struct cz_host *host);

/* How long a thread has run, of this process. */
uint64_t host_ran_ns(const struct host_thread *thread);

#endif
