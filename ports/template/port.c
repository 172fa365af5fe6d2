/* SPDX-License-Identifier: MIT */
/*
 * A port that compiles and does nothing: a starting point for your own. The
 * contracts of the functions are in <caesura/host.h>; here each one does the
 * harmless minimum. Implement them from top to bottom, run cz_host_selftest()
 * after each section, and add the calls in your exception path last.
 */
#include <caesura/arm64.h>
#include <caesura/caesura.h>

/* The state of your kernel's that these functions need. The library passes the
 * pointer to each of them. */
struct cz_host {
	struct cz *cz;
	bool borrowed; /* with several CPUs, you need one for each CPU */
};

/* Your own types must fit into the storage that the library provides. */
struct my_mutex {
	bool held;
};
struct my_event {
	bool set;
};
struct my_borrow {
	bool was;
};
struct my_timer {
	void (*fire)(void *argument);
	void *argument;
};
_Static_assert(sizeof(struct my_mutex) <= sizeof(cz_host_mutex), "mutex");
_Static_assert(sizeof(struct my_event) <= sizeof(cz_host_event), "event");
_Static_assert(sizeof(struct my_borrow) <= sizeof(cz_host_borrow), "borrow");
_Static_assert(sizeof(struct my_timer) <= sizeof(cz_host_timer), "timer");

/* ---- Time and the log: the self-test reports by these ---- */

uint64_t cz_host_now_ns(struct cz_host *host)
{
	(void)host;
	return 0;
}

void cz_host_log(struct cz_host *host, enum cz_log_level level,
		 const char *format, va_list arguments)
{
	(void)host;
	(void)level;
	(void)format;
	(void)arguments;
}

/* ---- A timer: it must not fire on the worker's CPU if you have several
 * ---- */

void cz_host_timer_start(struct cz_host *host, cz_host_timer *timer,
			 uint64_t at_ns, void (*fire)(void *), void *argument)
{
	struct my_timer *mine = (struct my_timer *)timer;

	(void)host;
	(void)at_ns;
	mine->fire = fire;
	mine->argument = argument;
}

void cz_host_timer_stop(struct cz_host *host, cz_host_timer *timer)
{
	(void)host;
	((struct my_timer *)timer)->fire = NULL;
}

/* ---- Threads, mutexes, events ---- */

bool cz_host_is_running(struct cz_host *host, cz_host_thread thread)
{
	return thread == cz_host_self(host);
}

/* Send an interprocessor interrupt. */
void cz_host_interrupt(struct cz_host *host, cz_host_thread thread)
{
	(void)host;
	(void)thread;
}

cz_host_thread cz_host_self(struct cz_host *host)
{
	(void)host;
	return NULL;
}

int cz_host_priority(struct cz_host *host, cz_host_thread thread)
{
	(void)host;
	(void)thread;
	return 0;
}

void cz_host_mutex_init(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	((struct my_mutex *)mutex)->held = false;
}

void cz_host_mutex_lock(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	((struct my_mutex *)mutex)->held = true;
}

void cz_host_mutex_unlock(struct cz_host *host, cz_host_mutex *mutex)
{
	(void)host;
	((struct my_mutex *)mutex)->held = false;
}

void cz_host_event_init(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	((struct my_event *)event)->set = false;
}

void cz_host_event_set(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	((struct my_event *)event)->set = true;
}

void cz_host_event_clear(struct cz_host *host, cz_host_event *event)
{
	(void)host;
	((struct my_event *)event)->set = false;
}

/* The most important function of a port: while the caller waits, `owner`
 * inherits its priority. */
bool cz_host_event_wait(struct cz_host *host, cz_host_event *event,
			cz_host_thread owner, uint64_t deadline_ns)
{
	(void)host;
	(void)owner;
	(void)deadline_ns;
	return ((struct my_event *)event)->set;
}

/* Before the thread runs, mark it as the worker of host->cz, so that your
 * exception path recognizes it. */
cz_host_thread cz_host_worker_start(struct cz_host *host, void (*entry)(void *),
				    void *argument)
{
	(void)host;
	(void)entry;
	(void)argument;
	return NULL;
}

void cz_host_worker_join(struct cz_host *host, cz_host_thread worker)
{
	(void)host;
	(void)worker;
}

/* Set the thread's affinity. If your kernel has no affinities, return true when
 * all CPUs are in the set. */
bool cz_host_worker_set_cpus(struct cz_host *host, const struct cz_cpu_set *set)
{
	(void)host;
	(void)set;
	return false;
}

/* ---- Memory ---- */

bool cz_host_pages_alloc(struct cz_host *host, size_t count,
			 struct cz_host_pages *pages)
{
	(void)host;
	(void)count;
	(void)pages;
	return false;
}

void cz_host_pages_free(struct cz_host *host, struct cz_host_pages *pages)
{
	(void)host;
	(void)pages;
}

void *cz_host_firmware_alias(struct cz_host *host, uint64_t physical,
			     size_t size)
{
	(void)host;
	(void)physical;
	(void)size;
	return NULL;
}

/* ---- The firmware's address space ---- */

uint32_t cz_host_gates(struct cz_host *host)
{
	(void)host;
	return 1u << CZ_GATE_DIRECT;
}

cz_host_space cz_host_space_create(struct cz_host *host, enum cz_gate gate)
{
	(void)host;
	(void)gate;
	return NULL;
}

void cz_host_space_destroy(struct cz_host *host, cz_host_space space)
{
	(void)host;
	(void)space;
}

bool cz_host_space_map(struct cz_host *host, cz_host_space space,
		       const struct cz_mapping *mapping)
{
	(void)host;
	(void)space;
	(void)mapping;
	return false;
}

void cz_host_space_unmap(struct cz_host *host, cz_host_space space,
			 uint64_t address, size_t page_count)
{
	(void)host;
	(void)space;
	(void)address;
	(void)page_count;
}

/* Your scheduler installs the space whenever it switches this thread in. */
void cz_host_space_enter(struct cz_host *host, cz_host_space space)
{
	(void)host;
	(void)space;
}

void cz_host_space_leave(struct cz_host *host, cz_host_space space)
{
	(void)host;
	(void)space;
}

void cz_host_sync_code(struct cz_host *host, const void *alias, size_t size)
{
	(void)host;
	(void)alias;
	(void)size;
}

/* ---- Running firmware on the current thread ---- */

void cz_host_fp_begin(struct cz_host *host)
{
	(void)host;
}

void cz_host_fp_end(struct cz_host *host)
{
	(void)host;
}

void cz_host_pin(struct cz_host *host)
{
	(void)host;
}

void cz_host_unpin(struct cz_host *host)
{
	(void)host;
}

/* Firmware runs on its own memory, not on a copy: nothing to commit or
 * discard. */
bool cz_host_call_end(struct cz_host *host, uint32_t service, bool completed)
{
	(void)host;
	(void)service;
	(void)completed;
	return true;
}

/* ---- Running firmware outside the queue: no lock, no scheduler ---- */

uint64_t cz_host_interrupts_off(struct cz_host *host)
{
	(void)host;
	return 0;
}

void cz_host_interrupts_restore(struct cz_host *host, uint64_t before)
{
	(void)host;
	(void)before;
}

/* Save the FP/SIMD registers and SP_EL0, remember the present space, install
 * firmware's, and let your exception path find host->cz. */
void cz_host_borrow_begin(struct cz_host *host, cz_host_space space,
			  cz_host_borrow *storage)
{
	(void)space;
	((struct my_borrow *)storage)->was = host->borrowed;
	host->borrowed = true;
}

void cz_host_borrow_end(struct cz_host *host, cz_host_space space,
			cz_host_borrow *storage)
{
	(void)space;
	host->borrowed = ((struct my_borrow *)storage)->was;
}

/* Use PSCI, or let a watchdog expire. */
void cz_host_reset(struct cz_host *host, enum cz_efi_reset_type type)
{
	(void)host;
	(void)type;
}

/* For the sandbox: execute an HVC or SMC with these registers. */
bool cz_host_secure_call(struct cz_host *host, enum cz_conduit conduit,
			 uint64_t registers[18])
{
	(void)host;
	(void)conduit;
	(void)registers;
	return false;
}

/* ---- Your exception path: which hooks it calls, and when ---- */

void my_interrupt_taken(struct cz_host *host, struct cz_frame *frame,
			uint64_t late_ns);
void my_switch_away(struct cz_host *host, struct cz_frame *frame);
void my_return_to_frame(struct cz_host *host, struct cz_frame *frame);
bool my_fault(struct cz_host *host, struct cz_frame *frame, uint64_t esr,
	      uint64_t far);

/* Call this first in an interrupt handler. host belongs to the current thread;
 * it is NULL if that thread never runs firmware. */
void my_interrupt_taken(struct cz_host *host, struct cz_frame *frame,
			uint64_t late_ns)
{
	if (host != NULL && cz_frame_is_firmware(host->cz, frame)) {
		cz_firmware_interrupted(host->cz, frame, late_ns);
	}
}

/* Call this on the exception's way out, before you switch to another thread. */
void my_switch_away(struct cz_host *host, struct cz_frame *frame)
{
	if (host != NULL && cz_frame_is_firmware(host->cz, frame)) {
		cz_firmware_preempted(host->cz, frame);
	}
}

/* Call this last before you return to the frame, which it may change. */
void my_return_to_frame(struct cz_host *host, struct cz_frame *frame)
{
	if (host != NULL && cz_frame_is_firmware(host->cz, frame)) {
		cz_firmware_resume(host->cz, frame);
	}
}

/* Call this on a synchronous exception or an SError. If it returns true, return
 * to the frame. If it returns false, treat the exception as one of your
 * kernel's own: it is, or it is an SError of firmware's that may have corrupted
 * your kernel. */
bool my_fault(struct cz_host *host, struct cz_frame *frame, uint64_t esr,
	      uint64_t far)
{
	if (host == NULL || !cz_frame_is_firmware(host->cz, frame)) {
		return cz_kernel_exception(frame, esr);
	}
	return cz_firmware_exception(host->cz, frame, esr, far);
}
