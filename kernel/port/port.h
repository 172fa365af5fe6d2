/* SPDX-License-Identifier: MIT */
/* The kernel's side of a host: one for each cz. */
#ifndef KERNEL_PORT_PORT_H
#define KERNEL_PORT_PORT_H

#include <caesura/caesura.h>

struct cz_host {
	struct cz *cz; /* whose firmware runs in its spaces */
	cz_host_timer
		*timer; /* the latest, and the CPU that it was started on */
	uint32_t timer_cpu;
};

/* timer.c: the worker is on this CPU, for a while; the timer is on another. */
__attribute__((noinline, cold)) void port_timer_off_cpu(struct cz_host *host);

#endif
