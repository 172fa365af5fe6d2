/* SPDX-License-Identifier: MIT */
/* Signals on the worker's thread: exceptions that firmware causes, and
 * interrupts. */
#ifndef LINUX_SIGNALS_H
#define LINUX_SIGNALS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct cz_host;

/* A worker's alternate signal stack. */
struct signals_stack {
	void *start;
	size_t size_bytes;
};

/* Installs the handlers, for the whole process. */
void signals_install(struct cz_host *host);

/* Gives the calling thread, a worker, a stack for signals, and takes it back.
 * False: it has none. */
bool signals_enter(struct signals_stack *stack);
void signals_leave(const struct signals_stack *stack);

/* Interrupts the thread, so that it passes cz_firmware_resume(). */
void signals_kick(pthread_t thread);

#endif
