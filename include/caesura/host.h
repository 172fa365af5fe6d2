/* SPDX-License-Identifier: MIT */
/*
 * What the library needs of its host: the only door out of src/. A port defines
 * every function below; a missing one is a link error. Besides these the
 * library needs memcpy, memmove, memset and memcmp, and nothing else.
 *
 * Context, unless a comment says otherwise: called from a thread, interrupts
 * enabled, preemption enabled, no lock held but the library's own mutex where
 * stated. "May block" means that the caller may be switched out to wait;
 * every function may be preempted. Times are nanoseconds of one monotonic
 * clock; CZ_FOREVER means without limit.
 *
 * "In an interrupt" may be in a thread of the host's that does nothing else. A port
 * calls back through the hooks in <caesura/arm64.h>.
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

/* The host's own state; the library only hands it back. */
struct cz_host;

#define CZ_FOREVER UINT64_MAX

/* Storage that a port overlays with its own types. */
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

/* CPUs by the host's own numbers: CPU n is bit n % 64 of bits[n / 64]. */
#define CZ_MAX_CPUS 1024
struct cz_cpu_set {
	uint64_t bits[CZ_MAX_CPUS / 64];
};

/* A thread of the host, and an address space of the host. Opaque. */
typedef struct cz_host_thread_s *cz_host_thread;
typedef struct cz_host_space_s *cz_host_space;

/* ---- Time and words --------------------------------------------------- */

/* The monotonic clock, ns. Any context, interrupts off included; never
 * blocks. */
uint64_t cz_host_now_ns(struct cz_host *host);

enum cz_log_level {
	CZ_LOG_ERROR, /* something ended or was refused */
	CZ_LOG_WARNING, /* something was mended or tolerated */
	CZ_LOG_INFO,
};

/*
 * One line of text for people, without a line feed. The format uses only %s,
 * %c, %d, %u, %x, %llu, %llx, %zu and %%, with an optional 0 flag and width.
 * Any context, interrupts off included; never blocks.
 */
void cz_host_log(struct cz_host *host, enum cz_log_level level,
		 const char *format, va_list arguments);

/*
 * Calls fire(argument) once, in an interrupt, when the clock has reached at_ns; on
 * any CPU, but where there are several on another than the worker is on, also when
 * that moves: it watches a call that may have masked interrupts. A timer that has
 * fired may be started again, also by its own fire. Any context. Does not block.
 *
 * It may fire late, and kill limits stay exact as long as it is no later than a
 * sixteenth of the limit. If it is later, a limit takes effect after up to seventeen
 * times as long as the timer is late, because it takes that many looks.
 */
void cz_host_timer_start(struct cz_host *host, cz_host_timer *timer,
			 uint64_t at_ns, void (*fire)(void *), void *argument);

/* On return the timer, which was started once or is zeroed, will not fire and is
 * not firing. May block. */
void cz_host_timer_stop(struct cz_host *host, cz_host_timer *timer);

/* ---- Memory ----------------------------------------------------------- */

/* Pages (4 KiB) that the library shares with firmware. */
struct cz_host_pages {
	uint8_t *alias; /* where the host and the library see them */
	uint64_t cookie; /* what cz_host_space_map() takes for them */
	size_t count;
};

/*
 * Allocates `count` pages, zeroed, contiguous in the alias. Returns false when
 * there are none. Called by cz_init() only. May block.
 */
bool cz_host_pages_alloc(struct cz_host *host, size_t count,
			 struct cz_host_pages *pages);

/* Gives pages back. They are mapped in no space. May block. */
void cz_host_pages_free(struct cz_host *host, struct cz_host_pages *pages);

/*
 * Where the host reads and writes firmware's RAM [physical, physical + size):
 * an address valid until the space is destroyed, or NULL when the range is not
 * RAM that the host can reach. Never an address at which firmware runs, where the
 * host has more privilege than firmware. The library checks against the memory map
 * first. Any context, an exception with interrupts off included; does not block.
 */
void *cz_host_firmware_alias(struct cz_host *host, uint64_t physical,
			     size_t size);

/* ---- The firmware's address space ------------------------------------- */

enum cz_gate {
	CZ_GATE_DIRECT, /* firmware runs with the host's own privilege */
	CZ_GATE_SANDBOX, /* firmware runs unprivileged */
};

/* Which gates this host can offer: a mask of 1u << enum cz_gate. */
uint32_t cz_host_gates(struct cz_host *host);

enum cz_memory_type {
	CZ_MEMORY_WRITE_BACK,
	CZ_MEMORY_NON_CACHEABLE, /* normal memory, not cached */
	CZ_MEMORY_DEVICE, /* Device-nGnRE */
};

#define CZ_PROT_READ 1u /* always set */
#define CZ_PROT_WRITE 2u
/* All of it at the privilege of the space's gate; no other may execute. */
#define CZ_PROT_EXEC 4u

enum cz_backing {
	CZ_BACKING_FIRMWARE, /* cookie: a physical address of the memory map */
	CZ_BACKING_PAGES, /* cookie: from cz_host_pages_alloc(), plus offset */
};

struct cz_mapping {
	uint64_t address; /* firmware's virtual address, page aligned */
	uint64_t cookie;
	size_t page_count;
	enum cz_backing backing;
	enum cz_memory_type type;
	uint32_t prot; /* CZ_PROT_* */
};

/*
 * Makes an empty space for a gate, in which firmware will see nothing but what
 * is mapped. NULL when out of memory. May block.
 */
cz_host_space cz_host_space_create(struct cz_host *host, enum cz_gate gate);

/* Ends a space that no thread has entered. May block. */
void cz_host_space_destroy(struct cz_host *host, cz_host_space space);

/*
 * Maps pages where nothing is mapped, or changes the protection of pages mapped
 * before with the same backing and type: of all the pages of a device, twice in
 * each call that writes to it, which for a flash are many. Visible to firmware on return. Only
 * one at a time changes a space: the thread in cz_init(), then whoever owns
 * firmware: the worker, or a cz_call_now(), between cz_host_borrow_begin() and
 * end, in any context. Returns false when out of memory or when the address
 * cannot be mapped. For addresses that were mapped once it cannot fail, does not
 * allocate and takes no lock.
 */
bool cz_host_space_map(struct cz_host *host, cz_host_space space,
		       const struct cz_mapping *mapping);

/*
 * Unmaps pages; on return no CPU can reach them through this space. Cannot fail,
 * does not block and takes no lock. Contexts as above.
 */
void cz_host_space_unmap(struct cz_host *host, cz_host_space space,
			 uint64_t address, size_t page_count);

/*
 * Makes the calling thread run with the space installed, in a way that the
 * scheduler sees: whenever this thread is switched in, the space is. Pairs with
 * cz_host_space_leave(); does not nest. Does not block.
 */
void cz_host_space_enter(struct cz_host *host, cz_host_space space);
void cz_host_space_leave(struct cz_host *host, cz_host_space space);

/* Makes instructions written through an alias visible to instruction fetch, on
 * every CPU. Does not block. */
void cz_host_sync_code(struct cz_host *host, const void *alias, size_t size);

/* ---- Running firmware on the current thread --------------------------- */

/*
 * Between begin and end the thread may use FP/SIMD, and the scheduler keeps its
 * registers across every switch. Does not nest. Does not block.
 */
void cz_host_fp_begin(struct cz_host *host);
void cz_host_fp_end(struct cz_host *host);

/*
 * Between pin and unpin the thread may be preempted but runs on one CPU only:
 * firmware may be polling for a completion that arrives there. A host in which firmware
 * can make no secure call may let the thread move, between CPUs that firmware cannot
 * tell apart. Does not block.
 */
void cz_host_pin(struct cz_host *host);
void cz_host_unpin(struct cz_host *host);

/*
 * The worker's call of a service has returned from firmware (`completed`), or was
 * ended. A host that gives firmware a copy of what it runs on keeps here what the
 * call did, or puts it back, before the caller is told; false: it could not be kept,
 * and the call's status is CZ_E_HOST. One that does neither returns true. After
 * cz_host_space_leave(), pinned; CZ_SERVICE_COUNT stands for SetVirtualAddressMap.
 * May block.
 */
bool cz_host_call_end(struct cz_host *host, uint32_t service, bool completed);

/*
 * ---- Running firmware outside the queue --------------------------------
 *
 * Called for cz_call_now(), cz_reset_now() and cz_host_selftest_now() only: a host
 * that uses none of these needs none of the functions up to cz_host_borrow_end().
 */

/*
 * Masks interrupts on this CPU, and returns how they were; puts that back. Any
 * context. Do not block.
 */
uint64_t cz_host_interrupts_off(struct cz_host *host);
void cz_host_interrupts_restore(struct cz_host *host, uint64_t before);

/*
 * Lends this CPU to firmware, behind the scheduler's back: between begin and end
 * the space is installed, FP/SIMD may be used, and the hooks of
 * <caesura/arm64.h> find the host's cz. end puts back what was there, whatever
 * that was: another space or none, the live FP registers of a thread inside an
 * FP section, those of one that is not running and that this CPU still holds. No
 * interrupt is taken in between, also when firmware unmasks them in the CPU: its
 * handler could want a lock that is held here, or switch away.
 *
 * Any context: on a thread's stack, an interrupt's or an emergency one, with any
 * lock of the host's held. Interrupts masked. One at a time. Do not block, take
 * no lock and allocate nothing; storage is the host's from begin to end.
 */
void cz_host_borrow_begin(struct cz_host *host, cz_host_space space,
			  cz_host_borrow *storage);
void cz_host_borrow_end(struct cz_host *host, cz_host_space space,
			cz_host_borrow *storage);

/*
 * Resets or switches off the machine without firmware's runtime services. Any
 * context. Returns only when it cannot. For cz_reset_system() and cz_reset_now().
 */
void cz_host_reset(struct cz_host *host, enum cz_efi_reset_type type);

enum cz_conduit {
	CZ_CONDUIT_HVC,
	CZ_CONDUIT_SMC,
};

/*
 * For firmware in the sandbox: a secure call (SMCCC, DEN0028) with x0..x17 in
 * registers, which get its results. The library has decided that it may be made.
 * False, and nothing done, where there is nothing behind that conduit. From an
 * exception, on the worker's kernel stack, interrupts as the call has them. Takes
 * as long as what is called; does not block.
 */
bool cz_host_secure_call(struct cz_host *host, enum cz_conduit conduit,
			 uint64_t registers[18]);

/* ---- Threads and waiting ---------------------------------------------- */

/*
 * Starts a thread that runs entry(argument) at the host's lowest priority that
 * still makes progress; it runs faster while a more urgent thread waits with it
 * as owner. NULL when it cannot be started. May block.
 */
cz_host_thread cz_host_worker_start(struct cz_host *host, void (*entry)(void *),
				    void *argument);

/*
 * Lets the calling thread, a worker that is not pinned, run on these CPUs only;
 * on return it does. Numbers of CPUs that the host does not have are ignored;
 * the set is not empty. Returns false, and changes nothing, when no CPU of the
 * set can run it. May block.
 */
bool cz_host_worker_set_cpus(struct cz_host *host,
			     const struct cz_cpu_set *set);

/* Waits until the worker's entry has returned, and frees it. May block. */
void cz_host_worker_join(struct cz_host *host, cz_host_thread worker);

/* The calling thread; any thread of the host. Does not block. */
cz_host_thread cz_host_self(struct cz_host *host);

/*
 * The present priority of a live thread, inheritance included: larger is more
 * urgent; the scale is the host's. Does not block.
 */
int cz_host_priority(struct cz_host *host, cz_host_thread thread);

/*
 * Whether the thread runs on a CPU at this moment, this one included: where an
 * interrupt has interrupted it, it runs. Any context. Does not block.
 */
bool cz_host_is_running(struct cz_host *host, cz_host_thread thread);

/*
 * Makes the CPU on which the thread runs, if it is another than this one, take an
 * interrupt soon, and so pass cz_firmware_resume(). Any context. Does not block.
 */
void cz_host_interrupt(struct cz_host *host, cz_host_thread thread);

/*
 * A mutex with priority inheritance, not recursive. The library holds one at a
 * time, for a bounded time, and calls nothing that blocks while it does.
 */
void cz_host_mutex_init(struct cz_host *host, cz_host_mutex *mutex);
void cz_host_mutex_lock(struct cz_host *host, cz_host_mutex *mutex);
void cz_host_mutex_unlock(struct cz_host *host, cz_host_mutex *mutex);

/*
 * An event is set or not. Waiting returns at once when it is set, else blocks.
 * Any number of threads may wait. Setting wakes them all; it stays set until
 * it is cleared. init makes it clear. Set and clear do not block.
 */
void cz_host_event_init(struct cz_host *host, cz_host_event *event);
void cz_host_event_set(struct cz_host *host, cz_host_event *event);
void cz_host_event_clear(struct cz_host *host, cz_host_event *event);

/*
 * Waits until the event is set, or until the clock reaches deadline_ns. While
 * it waits, `owner` (NULL for none) inherits the caller's priority, also when
 * that is raised later, and through a chain of owners. Returns true when the
 * event was set. If the event is set, owner may have ended and must not be looked
 * at.
 */
bool cz_host_event_wait(struct cz_host *host, cz_host_event *event,
			cz_host_thread owner, uint64_t deadline_ns);

#ifdef __cplusplus
}
#endif

#endif
