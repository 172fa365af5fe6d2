/* SPDX-License-Identifier: MIT */
/* Threads: those that call the library, and functions for other threads of the
 * daemon. */
#ifndef LINUX_THREADS_H
#define LINUX_THREADS_H

#include "host/signals.h"

#include <pthread.h>
#include <stdint.h>

struct cz_host;

/* A thread that has called the library. */
struct host_thread {
	pthread_t pthread;
	int id; /* the kernel's number (TID) */
	/* For cz_host_is_running(): the time of the last question, how long the
	 * thread had run then, and running time that no answer has reported
	 * yet. */
	uint64_t asked_ns, ran_ns;
	int64_t owed_ns;
	/* These are for workers only. */
	struct cz_host *host;
	void (*entry)(void *argument);
	void *argument;
	struct signals_stack signals;
};

/* For a new thread that acts at certain times: makes it urgent enough for that,
 * and drops its privileges. */
void host_be_punctual(struct cz_host *host);

/* The CPU time of a thread of this process. */
uint64_t host_ran_ns(const struct host_thread *thread);

#endif
