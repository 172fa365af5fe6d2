/* SPDX-License-Identifier: MIT */
/* The kernel's host state: there is one for each struct cz. */
#ifndef KERNEL_PORT_PORT_H
#define KERNEL_PORT_PORT_H

#include <caesura/caesura.h>

struct cz_host {
	struct cz *cz;
	cz_host_timer *timer; /* the one started last */
	uint32_t timer_cpu; /* the CPU that it was started on */
};

/* timer.c: moves the timer to another CPU, because the worker is now pinned to
 * this one. */
__attribute__((noinline, cold)) void port_timer_off_cpu(struct cz_host *host);

#endif
