/* SPDX-License-Identifier: MIT */
/*
 * A port that compiles and does nothing: where an embedder starts. Each function
 * fails as gently as its contract allows; the contracts are in <caesura/host.h>.
 * Fill them in from the top, run cz_host_selftest() after each section, and end
 * with the six calls from your exception path.
 */
#include <caesura/arm64.h>
#include <caesura/caesura.h>

/* Your kernel's state that these functions need. The library hands it back. */
struct cz_host {
	struct cz *cz;
	bool borrowed; /* a CPU's, where you have several */
};

/* Yours must fit the storage that the library keeps for them. */
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

/* ---- Time and words: everything else reports through these ---- */

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

/* ---- A timer, on another CPU than the worker's where you have several ---- */

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

/* An interprocessor interrupt. */
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

/* The heart of a port: `owner` inherits the caller's priority meanwhile. */
bool cz_host_event_wait(struct cz_host *host, cz_host_event *event,
			cz_host_thread owner, uint64_t deadline_ns)
{
	(void)host;
	(void)owner;
	(void)deadline_ns;
	return ((struct my_event *)event)->set;
}

/* Mark the thread as host->cz's before it runs: your exception path asks. */
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

/* By affinity. Without it: true when all CPUs are in the set. */
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

/* Firmware runs on its own memory: what it did is done. */
bool cz_host_call_end(struct cz_host *host, uint32_t service, bool completed)
{
	(void)host;
	(void)service;
	(void)completed;
	return true;
}

/* ---- The same outside the queue: no lock, no scheduler ---- */

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

/* Save the live FP registers and SP_EL0, note the space, install firmware's,
 * and let your exception path find host->cz. */
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

/* PSCI, or a watchdog that is not fed. */
void cz_host_reset(struct cz_host *host, enum cz_efi_reset_type type)
{
	(void)host;
	(void)type;
}

/* For the sandbox: an HVC or SMC with these registers. */
bool cz_host_secure_call(struct cz_host *host, enum cz_conduit conduit,
			 uint64_t registers[18])
{
	(void)host;
	(void)conduit;
	(void)registers;
	return false;
}

/* ---- Your exception path: what it calls, and when ---- */

void my_interrupt_taken(struct cz_host *host, struct cz_frame *frame,
			uint64_t late_ns);
void my_switch_away(struct cz_host *host, struct cz_frame *frame);
void my_return_to_frame(struct cz_host *host, struct cz_frame *frame);
bool my_fault(struct cz_host *host, struct cz_frame *frame, uint64_t esr,
	      uint64_t far);

/* First thing in an interrupt; host is the current thread's, or NULL. */
void my_interrupt_taken(struct cz_host *host, struct cz_frame *frame,
			uint64_t late_ns)
{
	if (host != NULL && cz_frame_is_firmware(host->cz, frame)) {
		cz_firmware_interrupted(host->cz, frame, late_ns);
	}
}

/* On the way out, when another thread is to run. */
void my_switch_away(struct cz_host *host, struct cz_frame *frame)
{
	if (host != NULL && cz_frame_is_firmware(host->cz, frame)) {
		cz_firmware_preempted(host->cz, frame);
	}
}

/* The last thing before returning to the frame, which it may change. */
void my_return_to_frame(struct cz_host *host, struct cz_frame *frame)
{
	if (host != NULL && cz_frame_is_firmware(host->cz, frame)) {
		cz_firmware_resume(host->cz, frame);
	}
}

/* A synchronous exception or an SError. True: return to the frame. False: it is
 * your own; also an SError of firmware's that may have hurt you. */
bool my_fault(struct cz_host *host, struct cz_frame *frame, uint64_t esr,
	      uint64_t far)
{
	if (host == NULL || !cz_frame_is_firmware(host->cz, frame)) {
		return cz_kernel_exception(frame, esr);
	}
	return cz_firmware_exception(host->cz, frame, esr, far);
}
