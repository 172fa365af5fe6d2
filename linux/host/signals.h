/* SPDX-License-Identifier: MIT */
/* What firmware does that it may not, as signals on the worker's thread. */
#ifndef LINUX_SIGNALS_H
#define LINUX_SIGNALS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct cz_host;

/* A worker's alternate stack. */
struct signals_stack {
	void *start;
	size_t size_bytes;
};

/* For the whole process. */
void signals_install(struct cz_host *host);

/* On the worker's thread: gives it a stack for signals. */
bool signals_enter(struct signals_stack *stack);
void signals_leave(const struct signals_stack *stack);

/* Has the thread pass cz_firmware_resume(). */
void signals_kick(pthread_t thread);

#endif
