/* SPDX-License-Identifier: MIT */
/*
 * The library's timer. It runs on another CPU than the worker, because firmware
 * may have masked interrupts on the worker's CPU. Also the interrupt by which
 * the timer makes the worker's CPU run the resume check.
 */
#include "port/port.h"
#include "sched/sched.h"
#include <kernel/machine.h>
#include <kernel/port.h>

struct port_timer {
	struct timer timer;
	void (*fire)(void *argument);
	void *argument;
};

_Static_assert(sizeof(struct port_timer) <= sizeof(cz_host_timer), "timer");

#define NO_OTHER UINT32_MAX

static uint32_t another_cpu(uint32_t cpu)
{
	uint64_t others = cpus_online() & ~(1ull << cpu);

	return others == 0 ? NO_OTHER : (uint32_t)__builtin_ctzll(others);
}

static uint32_t worker_cpu(const struct cz_host *host)
{
	const struct thread *worker = (struct thread *)host->cz->worker;

	return worker == NULL ? this_cpu()->id : thread_cpu(worker);
}

static void fire_port_timer(struct timer *timer)
{
	struct port_timer *port = container_of(timer, struct port_timer, timer);

	port->fire(port->argument);
}

void cz_host_timer_start(struct cz_host *host, cz_host_timer *timer,
			 uint64_t at_ns, void (*fire)(void *), void *argument)
{
	struct port_timer *port = (struct port_timer *)timer;

	port->fire = fire;
	port->argument = argument;
	port->timer.soft = true;
	host->timer = timer;
	host->timer_cpu = another_cpu(worker_cpu(host));
	timer_start_on(&port->timer, ns_to_ticks(at_ns), fire_port_timer,
		       host->timer_cpu == NO_OTHER ? this_cpu()->id
						   : host->timer_cpu);
}

void cz_host_timer_stop(struct cz_host *host, cz_host_timer *timer)
{
	struct port_timer *port = (struct port_timer *)timer;

	(void)host;
	if (port->fire != NULL) {
		timer_end(&port->timer);
	}
}

void port_timer_off_cpu(struct cz_host *host)
{
	struct port_timer *port = (struct port_timer *)host->timer;

	host->timer_cpu = another_cpu(this_cpu()->id);
	if (port != NULL && host->timer_cpu != NO_OTHER) {
		timer_move(&port->timer, host->timer_cpu);
	}
}

bool cz_host_is_running(struct cz_host *host, cz_host_thread thread)
{
	(void)host;
	return __atomic_load_n(&((struct thread *)thread)->state,
			       __ATOMIC_RELAXED) == THREAD_RUNNING;
}

void cz_host_interrupt(struct cz_host *host, cz_host_thread thread)
{
	uint32_t cpu = thread_cpu((struct thread *)thread);

	(void)host;
	if (cpu != this_cpu()->id) {
		gic_send_ipi(cpu);
	}
}
