/* SPDX-License-Identifier: MIT */
/*
 * The functions that the library calls in its host. A port defines every one of
 * them; a missing one is a link error. Besides these the library needs memcpy,
 * memmove, memset and memcmp, and nothing else.
 *
 * Unless a comment says otherwise, the library calls a function from a thread,
 * with interrupts and preemption enabled, and without any lock of the host's;
 * it may hold its own mutex around functions that do not block. "May block"
 * means that the caller may be switched out to wait. Every function may be
 * preempted. Times are nanoseconds of one monotonic clock; CZ_FOREVER means
 * without limit.
 *
 * Where a comment says "in an interrupt", a thread of the host's that does
 * nothing else will do as well. A port calls the library through the hooks in
 * <caesura/arm64.h>.
 */
#ifndef CAESURA_HOST_H
#define CAESURA_HOST_H

#include <caesura/uefi.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The port's own state. The library never looks into it; it passes the pointer
 * from struct cz_config to every function below. */
struct cz_host;

#define CZ_FOREVER UINT64_MAX

/* Storage for the port's own types; a port casts to those. Alignment: 8. */
typedef struct {
	uint64_t opaque[16];
} cz_host_mutex;
typedef struct {
	uint64_t opaque[24];
} cz_host_event;
typedef struct {
	uint64_t opaque[16];
} cz_host_timer;
typedef struct {
	uint64_t opaque[96];
} cz_host_borrow;

/* A set of CPUs. CPU n, by the host's numbering, is bit n % 64 of
 * bits[n / 64]. */
#define CZ_MAX_CPUS 1024
struct cz_cpu_set {
	uint64_t bits[CZ_MAX_CPUS / 64];
};

/* A thread of the host, and an address space of the host. Opaque. */
typedef struct cz_host_thread_s *cz_host_thread;
typedef struct cz_host_space_s *cz_host_space;

/* ---- Time and the log -------------------------------------------------- */

/* Returns the monotonic clock in nanoseconds. Any context, interrupts off
 * included; does not block. */
uint64_t cz_host_now_ns(struct cz_host *host);

enum cz_log_level {
	CZ_LOG_ERROR, /* something ended or was refused */
	CZ_LOG_WARNING, /* something was mended or tolerated */
	CZ_LOG_INFO,
};

/*
 * Logs one line of text, which has no line feed. The format uses only %s, %c,
 * %d, %u, %x, %llu, %llx, %zu and %%, with an optional 0 flag and width. Any
 * context, interrupts off included; does not block.
 */
void cz_host_log(struct cz_host *host, enum cz_log_level level,
		 const char *format, va_list arguments);

/*
 * Starts a timer: fire(argument) is called once, in an interrupt, when the
 * clock has reached at_ns. On a machine with several CPUs it must fire on
 * another CPU than the worker's, even after the worker has moved, because
 * firmware may have masked interrupts on the worker's CPU. A timer that has
 * fired may be started again, also by fire() itself. Any context; does not
 * block.
 *
 * The timer may fire late. Kill limits stay exact while it is late by no more
 * than a sixteenth of the limit. Beyond that, a limit takes effect after up to
 * seventeen times the delay, because the library needs that many samples.
 */
void cz_host_timer_start(struct cz_host *host, cz_host_timer *timer,
			 uint64_t at_ns, void (*fire)(void *), void *argument);

/* Stops a timer, which may be zeroed storage that was never started. On return
 * fire() is not running and will not run. May block. */
void cz_host_timer_stop(struct cz_host *host, cz_host_timer *timer);

/* ---- Memory ----------------------------------------------------------- */

/* Pages of 4 KiB that the library shares with firmware. */
struct cz_host_pages {
	uint8_t *alias; /* where the host and the library see them */
	uint64_t cookie; /* identifies them to cz_host_space_map() */
	size_t count;
};

/*
 * Allocates `count` zeroed pages whose alias is contiguous. Returns false when
 * memory is exhausted. Only cz_init() and cz_host_selftest() call it. May
 * block.
 */
bool cz_host_pages_alloc(struct cz_host *host, size_t count,
			 struct cz_host_pages *pages);

/* Frees pages, which are no longer mapped in any space. May block. */
void cz_host_pages_free(struct cz_host *host, struct cz_host_pages *pages);

/*
 * Returns the address at which the host reads and writes firmware's RAM
 * [physical, physical + size), or NULL when the range is not RAM that the host
 * can access. The address stays valid until cz_fini(). If the host has more
 * privilege than firmware, it must not be an address at which firmware itself
 * runs. Except in cz_host_selftest(), the library has checked the range against
 * the memory map. Any context, an exception with interrupts off included; does
 * not block.
 */
void *cz_host_firmware_alias(struct cz_host *host, uint64_t physical,
			     size_t size);

/* ---- The firmware's address space ------------------------------------- */

enum cz_gate {
	CZ_GATE_DIRECT, /* firmware runs with the host's own privilege */
	CZ_GATE_SANDBOX, /* firmware runs unprivileged */
};

/* Returns the gates that this host supports: a mask of 1u << enum cz_gate. Does
 * not block. */
uint32_t cz_host_gates(struct cz_host *host);

enum cz_memory_type {
	CZ_MEMORY_WRITE_BACK,
	CZ_MEMORY_NON_CACHEABLE, /* normal memory, not cached */
	CZ_MEMORY_DEVICE, /* Device-nGnRE */
};

/* What firmware may do, at the privilege that the space's gate gives it. Code
 * at any other privilege must not be able to execute the pages. */
#define CZ_PROT_READ 1u /* always set */
#define CZ_PROT_WRITE 2u
#define CZ_PROT_EXEC 4u

enum cz_backing {
	CZ_BACKING_FIRMWARE, /* cookie: a physical address of the memory map */
	/* cookie: that of struct cz_host_pages, plus an offset in bytes */
	CZ_BACKING_PAGES,
};

struct cz_mapping {
	uint64_t address; /* firmware's virtual address, page aligned */
	uint64_t cookie; /* what is mapped there, depending on backing */
	size_t page_count;
	enum cz_backing backing;
	enum cz_memory_type type;
	uint32_t prot; /* CZ_PROT_* */
};

/*
 * Creates an empty address space for a gate. Firmware must see nothing in it
 * but the pages that the library maps. Returns NULL when memory is exhausted.
 * May block.
 */
cz_host_space cz_host_space_create(struct cz_host *host, enum cz_gate gate);

/* Destroys a space that no thread has entered. May block. */
void cz_host_space_destroy(struct cz_host *host, cz_host_space space);

/*
 * Maps pages where nothing is mapped, or changes the protection of pages that
 * are mapped with the same backing and type. The library changes the protection
 * of all pages of a device twice in each call that writes to it; a flash chip
 * has many. On return the change is visible to firmware. Returns false when
 * memory is exhausted or when the address cannot be mapped. For addresses that
 * were mapped before it must not fail, allocate or take a lock.
 *
 * Calls for one space never overlap. They come from the thread in cz_init(),
 * then from the owner of firmware: the worker, or a cz_call_now() in any
 * context between cz_host_borrow_begin() and cz_host_borrow_end(). The owner
 * may also call from an exception that firmware took. May block only within
 * cz_init() and cz_host_selftest().
 */
bool cz_host_space_map(struct cz_host *host, cz_host_space space,
		       const struct cz_mapping *mapping);

/*
 * Unmaps pages. On return no CPU can access them through this space. It must
 * not fail, block or take a lock. Contexts as for cz_host_space_map().
 */
void cz_host_space_unmap(struct cz_host *host, cz_host_space space,
			 uint64_t address, size_t page_count);

/*
 * cz_host_space_enter() installs the space on the calling thread, and makes the
 * scheduler install it again whenever it switches that thread in.
 * cz_host_space_leave() ends this. They do not nest and do not block.
 */
void cz_host_space_enter(struct cz_host *host, cz_host_space space);
void cz_host_space_leave(struct cz_host *host, cz_host_space space);

/* Makes instructions that were written through an alias visible to instruction
 * fetch on every CPU. Does not block. */
void cz_host_sync_code(struct cz_host *host, const void *alias, size_t size);

/* ---- Running firmware on the current thread --------------------------- */

/*
 * Between begin and end the calling thread may use FP/SIMD, and the scheduler
 * preserves its FP/SIMD registers across every switch. They do not nest and do
 * not block.
 */
void cz_host_fp_begin(struct cz_host *host);
void cz_host_fp_end(struct cz_host *host);

/*
 * Between pin and unpin the calling thread may be preempted, but stays on one
 * CPU, because firmware may be polling for a completion that arrives there. A
 * host in which firmware cannot make secure calls may let the thread move
 * between CPUs that firmware cannot tell apart. They do not block.
 */
void cz_host_pin(struct cz_host *host);
void cz_host_unpin(struct cz_host *host);

/*
 * Tells the host that the worker's call of a service has returned from firmware
 * (`completed`), or was ended (not `completed`). The caller gets its result
 * afterwards. A host that runs firmware on a copy of its memory commits the
 * changes of the call here, or discards them; if it cannot commit them, it
 * returns false, and the caller gets CZ_E_HOST. Any other host returns true.
 *
 * `service` is enum cz_service; CZ_SERVICE_COUNT means SetVirtualAddressMap.
 * Called after cz_host_space_leave(), while the thread is pinned. May block.
 */
bool cz_host_call_end(struct cz_host *host, uint32_t service, bool completed);

/*
 * ---- Running firmware outside the queue --------------------------------
 *
 * Called for cz_call_now(), cz_reset_now() and cz_host_selftest_now() only. A
 * host that uses none of these needs none of the functions up to
 * cz_host_borrow_end().
 */

/*
 * cz_host_interrupts_off() masks interrupts on this CPU and returns their
 * previous state; cz_host_interrupts_restore() restores that state. They may
 * nest. Any context; do not block.
 */
uint64_t cz_host_interrupts_off(struct cz_host *host);
void cz_host_interrupts_restore(struct cz_host *host, uint64_t before);

/*
 * Between begin and end this CPU runs firmware without the scheduler's
 * knowledge. The space is installed, FP/SIMD may be used, and the host's
 * exception path finds the cz for the hooks in <caesura/arm64.h>. The CPU must
 * take no interrupt in between, not even when firmware unmasks interrupts,
 * because a handler could need a lock that is held here, or switch threads.
 *
 * end restores what begin found: another space or none, and the FP/SIMD
 * registers. These may be in use by the interrupted thread, or may belong to a
 * thread that does not run now and whose registers are still in this CPU.
 *
 * Called with interrupts masked, in any context: on a thread's stack, an
 * interrupt's stack or an emergency stack, with any lock of the host's held.
 * Only one such section exists at a time. Do not block, take a lock or
 * allocate. The port may use storage from begin to end.
 */
void cz_host_borrow_begin(struct cz_host *host, cz_host_space space,
			  cz_host_borrow *storage);
void cz_host_borrow_end(struct cz_host *host, cz_host_space space,
			cz_host_borrow *storage);

/*
 * Resets the machine or switches it off without firmware's runtime services.
 * Returns only if that is impossible. Called by cz_reset_system() and
 * cz_reset_now(). Any context; does not block.
 */
void cz_host_reset(struct cz_host *host, enum cz_efi_reset_type type);

enum cz_conduit {
	CZ_CONDUIT_HVC,
	CZ_CONDUIT_SMC,
};

/*
 * Makes a secure call (SMCCC, DEN0028) for firmware in the sandbox. registers
 * are x0 to x17 before the call, and receive x0 to x17 after it. The library
 * has checked that firmware may make this call. Returns false, without a call,
 * when the machine does not have this conduit.
 *
 * Called from an exception, on the worker's kernel stack; interrupts are on,
 * except in a cz_call_now(). Takes as long as the secure call; does not block.
 */
bool cz_host_secure_call(struct cz_host *host, enum cz_conduit conduit,
			 uint64_t registers[18]);

/* ---- Threads and waiting ---------------------------------------------- */

/*
 * Starts a thread that runs entry(argument), at the lowest priority of the host
 * at which a thread still makes progress. The thread inherits the priority of
 * those that wait with it as owner: see cz_host_event_wait(). Returns NULL when
 * it cannot be started. May block.
 */
cz_host_thread cz_host_worker_start(struct cz_host *host, void (*entry)(void *),
				    void *argument);

/*
 * Restricts the calling thread to these CPUs; on return it runs on one of them.
 * The caller is the worker and is not pinned. The set is not empty; CPUs that
 * the host does not have are ignored. Returns false and changes nothing when no
 * CPU of the set can run the thread. May block.
 */
bool cz_host_worker_set_cpus(struct cz_host *host,
			     const struct cz_cpu_set *set);

/* Waits until the worker's entry function has returned, and frees the thread.
 * May block. */
void cz_host_worker_join(struct cz_host *host, cz_host_thread worker);

/* Returns the calling thread, which may be any thread of the host. Does not
 * block. */
cz_host_thread cz_host_self(struct cz_host *host);

/*
 * Returns the present priority of a live thread, inherited priority included. A
 * larger number is more urgent; the host chooses the range. Does not block.
 */
int cz_host_priority(struct cz_host *host, cz_host_thread thread);

/*
 * Returns whether the thread is running on any CPU now. A thread that an
 * interrupt handler has interrupted counts as running. Any context; does not
 * block.
 */
bool cz_host_is_running(struct cz_host *host, cz_host_thread thread);

/*
 * Sends an interrupt to the CPU on which the thread runs, unless that is this
 * CPU. The CPU's way out of that interrupt then passes cz_firmware_resume().
 * Any context; does not block.
 */
void cz_host_interrupt(struct cz_host *host, cz_host_thread thread);

/*
 * A mutex with priority inheritance; it is not recursive. The library holds at
 * most one at a time, for a bounded time, and does not block while it holds it.
 * lock may block.
 */
void cz_host_mutex_init(struct cz_host *host, cz_host_mutex *mutex);
void cz_host_mutex_lock(struct cz_host *host, cz_host_mutex *mutex);
void cz_host_mutex_unlock(struct cz_host *host, cz_host_mutex *mutex);

/*
 * An event is either set or clear; init makes it clear. Setting it wakes all
 * threads that wait for it; any number may do so. It stays set until it is
 * cleared. Waiting for an event that is set returns at once. set and clear do
 * not block.
 */
void cz_host_event_init(struct cz_host *host, cz_host_event *event);
void cz_host_event_set(struct cz_host *host, cz_host_event *event);
void cz_host_event_clear(struct cz_host *host, cz_host_event *event);

/*
 * Waits until the event is set or the clock reaches deadline_ns. Returns true
 * if the event was set, even when the deadline had passed. While the caller
 * waits, `owner` (NULL: nobody) inherits its priority, also when that is raised
 * later, and also through a chain of owners. Once the event is set, the thread
 * `owner` may have ended: the port must check the event before it accesses the
 * thread. May block.
 */
bool cz_host_event_wait(struct cz_host *host, cz_host_event *event,
			cz_host_thread owner, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
