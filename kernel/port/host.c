/* SPDX-License-Identifier: MIT */
/*
 * The reference kernel as a host: implements <caesura/host.h> with the kernel's
 * own threads, spaces and clocks. The header states the contract of each
 * function.
 */
#include "port/port.h"
#include "sched/sched.h"
#include <kernel/mm.h>
#include <kernel/port.h>
#include <kernel/print.h>

_Static_assert(sizeof(struct mutex) <= sizeof(cz_host_mutex), "mutex");

uint64_t cz_host_now_ns(struct cz_host *host)
{
	(void)host;
	return ticks_to_ns(ticks_now());
}

static void (*log_watch)(const char *line);

void port_watch_log(void (*watch)(const char *line))
{
	__atomic_store_n(&log_watch, watch, __ATOMIC_RELEASE);
}

static bool log_is_off;

void port_print_log(bool on)
{
	__atomic_store_n(&log_is_off, !on, __ATOMIC_RELAXED);
}

void cz_host_log(struct cz_host *host, enum cz_log_level level,
		 const char *format, va_list arguments)
{
	static const char *const prefix[] = {
		[CZ_LOG_ERROR] = "error",
		[CZ_LOG_WARNING] = "warning",
		[CZ_LOG_INFO] = "caesura",
	};
	void (*watch)(const char *) =
		__atomic_load_n(&log_watch, __ATOMIC_ACQUIRE);
	char text[256];

	(void)host;
	if (__atomic_load_n(&log_is_off, __ATOMIC_RELAXED)) {
		return;
	}
	kvsnprintf(text, sizeof(text), format, arguments);
	if (watch != NULL) {
		watch(text);
	}
	kprintf("%s: %s\n", prefix[level], text);
}

bool cz_host_pages_alloc(struct cz_host *host, size_t count,
			 struct cz_host_pages *pages)
{
	uint64_t physical = pages_alloc(count);

	(void)host;
	if (physical == 0) {
		return false;
	}
	pages->alias = phys_to_virt(physical);
	pages->cookie = physical;
	pages->count = count;
	return true;
}

void cz_host_pages_free(struct cz_host *host, struct cz_host_pages *pages)
{
	(void)host;
	pages_free(pages->cookie, pages->count);
}

void *cz_host_firmware_alias(struct cz_host *host, uint64_t physical,
			     size_t size)
{
	(void)host;
	return linear_covers(physical, size) ? phys_to_virt(physical) : NULL;
}

uint32_t cz_host_gates(struct cz_host *host)
{
	(void)host;
	return 1u << CZ_GATE_DIRECT | 1u << CZ_GATE_SANDBOX;
}

cz_host_space cz_host_space_create(struct cz_host *host, enum cz_gate gate)
{
	(void)host;
	return (cz_host_space)space_create(gate == CZ_GATE_SANDBOX);
}

void cz_host_space_destroy(struct cz_host *host, cz_host_space space)
{
	(void)host;
	space_destroy((struct space *)space);
}

bool cz_host_space_map(struct cz_host *host, cz_host_space space,
		       const struct cz_mapping *mapping)
{
	static const enum memory_kind kind[] = {
		[CZ_MEMORY_WRITE_BACK] = MEMORY_WB,
		[CZ_MEMORY_NON_CACHEABLE] = MEMORY_NC,
		[CZ_MEMORY_DEVICE] = MEMORY_DEVICE,
	};
	unsigned flags = 0;

	(void)host;
	if (mapping->prot & CZ_PROT_WRITE) {
		flags |= MAP_WRITE;
	}
	if (mapping->prot & CZ_PROT_EXEC) {
		flags |= MAP_EXEC;
	}
	return space_map((struct space *)space, mapping->address,
			 mapping->cookie, mapping->page_count,
			 kind[mapping->type], flags);
}

void cz_host_space_unmap(struct cz_host *host, cz_host_space space,
			 uint64_t address, size_t page_count)
{
	(void)host;
	space_unmap((struct space *)space, address, page_count);
}

void cz_host_space_enter(struct cz_host *host, cz_host_space space)
{
	/* The exception path uses this to recognise firmware's exceptions. */
	current_thread()->firmware = host->cz;
	space_adopt((struct space *)space);
}

void cz_host_space_leave(struct cz_host *host, cz_host_space space)
{
	(void)host;
	(void)space;
	space_adopt(NULL);
	current_thread()->firmware = NULL;
}

void cz_host_sync_code(struct cz_host *host, const void *alias, size_t size)
{
	uint64_t ctr = READ_SYSREG(ctr_el0);
	uint64_t line = 4ull << ((ctr >> 16) & 15);
	uint64_t start = (uint64_t)alias & ~(line - 1);

	(void)host;
	for (uint64_t at = start; at < (uint64_t)alias + size; at += line) {
		__asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
	}
	/* The code is executed at another address, so the instruction cache
	 * cannot be invalidated by address: invalidate all of it, on every
	 * CPU. */
	__asm__ volatile("dsb ish\n\tic ialluis\n\tdsb ish\n\tisb" ::
				 : "memory");
}

void cz_host_fp_begin(struct cz_host *host)
{
	(void)host;
	fp_begin();
}

void cz_host_fp_end(struct cz_host *host)
{
	(void)host;
	fp_end();
}

void cz_host_pin(struct cz_host *host)
{
	migrate_disable();
	if (host->timer_cpu == this_cpu()->id) {
		port_timer_off_cpu(host);
	}
}

void cz_host_unpin(struct cz_host *host)
{
	(void)host;
	migrate_enable();
}

/* Firmware runs directly on its own memory, so there is nothing to commit or
 * undo at the end of a call. */
bool cz_host_call_end(struct cz_host *host, uint32_t service, bool completed)
{
	(void)host;
	(void)service;
	(void)completed;
	return true;
}

cz_host_thread cz_host_worker_start(struct cz_host *host, void (*entry)(void *),
				    void *argument)
{
	(void)host;
	return (cz_host_thread)thread_create("firmware", PRIORITY_LOWEST, entry,
					     argument);
}

void cz_host_worker_join(struct cz_host *host, cz_host_thread worker)
{
	(void)host;
	thread_join((struct thread *)worker);
}

cz_host_thread cz_host_self(struct cz_host *host)
{
	(void)host;
	return (cz_host_thread)current_thread();
}

int cz_host_priority(struct cz_host *host, cz_host_thread thread)
{
	(void)host;
	return (int)thread_priority((struct thread *)thread);
}

void cz_host_mutex_init(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	mutex_init((struct mutex *)mutex);
}

void cz_host_mutex_lock(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	mutex_lock((struct mutex *)mutex);
}

void cz_host_mutex_unlock(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	mutex_unlock((struct mutex *)mutex);
}
