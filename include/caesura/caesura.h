/* SPDX-License-Identifier: MIT */
/*
 * Caesura: UEFI runtime services that never hold up the scheduler.
 *
 * One struct cz represents one firmware; the caller allocates it. After
 * cz_init() any thread may call the services. Each call becomes a request, and
 * one worker thread makes all calls into firmware. The worker can be preempted
 * at any instruction, inside firmware too. The arguments of a call are copied:
 * the library does not use the caller's memory after a function has returned
 * (the data blocks of a capsule are the exception, see cz_update_capsule()).
 *
 * Unless the comment of a function says otherwise, call it from a thread with
 * interrupts and preemption enabled. It may block. Do not call it from an
 * interrupt handler or from the worker. Deadlines are absolute times in
 * nanoseconds, on the clock of cz_host_now_ns(); CZ_FOREVER waits without
 * limit. A deadline releases only the caller: a call in flight continues in
 * firmware, and the next call starts only after it has ended.
 */
#ifndef CAESURA_CAESURA_H
#define CAESURA_CAESURA_H

#include <caesura/host.h>
#include <caesura/uefi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CZ_VERSION "0.1.0"

/*
 * An EFI_STATUS as firmware returned it, or one of Caesura's own codes below.
 * These lie in the range that the specification (appendix D) reserves for OEMs.
 *
 * The library passes on success, the specification's warnings (1 to 7), errors
 * up to CZ_EFI_ERROR(0x1000), and OEM errors (the two highest bits are set)
 * that differ from Caesura's own codes. It reports any other value, OEM
 * warnings included, as CZ_E_BAD_STATUS.
 */
typedef uint64_t cz_status;

#define CZ_ERROR_BASE 0xc0000000435a0000ull
#define CZ_OK CZ_EFI_SUCCESS
#define CZ_E_DEADLINE (CZ_ERROR_BASE + 1) /* not finished by the deadline */
#define CZ_E_CANCELLED (CZ_ERROR_BASE + 2) /* cancelled before it started */
#define CZ_E_IN_FLIGHT (CZ_ERROR_BASE + 3) /* too late to cancel */
#define CZ_E_WITHDRAWN (CZ_ERROR_BASE + 4) /* the service is withdrawn */
#define CZ_E_FAULT (CZ_ERROR_BASE + 5) /* firmware faulted; call ended */
#define CZ_E_ABORTED (CZ_ERROR_BASE + 6) /* the call was ended on request */
#define CZ_E_BUSY (CZ_ERROR_BASE + 7) /* no free request, or call in flight */
#define CZ_E_BAD_STATUS (CZ_ERROR_BASE + 8) /* firmware's status is invalid */
#define CZ_E_BAD_SIZE (CZ_ERROR_BASE + 9) /* firmware's size is invalid */
#define CZ_E_ARGUMENT (CZ_ERROR_BASE + 10) /* an argument is out of range */
#define CZ_E_TOO_LARGE (CZ_ERROR_BASE + 11) /* more than max_data_bytes */
#define CZ_E_TABLE (CZ_ERROR_BASE + 12) /* a firmware table is malformed */
#define CZ_E_NO_MEMORY (CZ_ERROR_BASE + 13) /* the host is out of pages */
#define CZ_E_HOST (CZ_ERROR_BASE + 14) /* a function of the host failed */
#define CZ_E_STOPPED (CZ_ERROR_BASE + 15) /* cz_fini() was called */
#define CZ_E_KILLED (CZ_ERROR_BASE + 16) /* past its kill limit; call ended */

/* Returns the name of a status, for example "EFI_NOT_FOUND" or "CZ_E_DEADLINE";
 * "unknown status" for other values. Any context; does not block. */
const char *cz_status_name(cz_status status);

/* The services of UEFI 2.11 chapter 8 that an operating system may call. */
enum cz_service {
	CZ_GET_TIME,
	CZ_SET_TIME,
	CZ_GET_WAKEUP_TIME,
	CZ_SET_WAKEUP_TIME,
	CZ_GET_VARIABLE,
	CZ_GET_NEXT_VARIABLE_NAME,
	CZ_SET_VARIABLE,
	CZ_GET_NEXT_HIGH_MONOTONIC_COUNT,
	CZ_RESET_SYSTEM,
	CZ_UPDATE_CAPSULE,
	CZ_QUERY_CAPSULE_CAPABILITIES,
	CZ_QUERY_VARIABLE_INFO,
	CZ_NULL_SERVICE, /* Caesura's own: see cz_null_service() */
	CZ_SET_WORKER_CPUS, /* Caesura's own: see cz_set_worker_cpus() */
	CZ_SERVICE_COUNT,
};

/* Returns a service's name, for example "GetTime". Any context; does not
 * block. */
const char *cz_service_name(enum cz_service service);

/* ---- Limits ------------------------------------------------------------ */

#define CZ_MAX_REGIONS 256 /* of firmware's address space */
#define CZ_MAX_REQUESTS 64
#define CZ_MAX_IMAGES 64 /* further drivers have no name in reports */
#define CZ_MAX_ARGUMENTS 6 /* of a service */
#define CZ_MAX_NAME_BYTES 1024 /* a variable's name, terminator included */
#define CZ_STACK_PAGES 8 /* firmware's stack, in pages of 4 KiB */

/* ---- Regions and images: firmware's memory and drivers ------------------- */

/* A part of firmware's address space with one memory type and protection. */
struct cz_region {
	uint64_t physical; /* page aligned */
	uint64_t address; /* where firmware sees it, page aligned */
	uint64_t page_count;
	enum cz_memory_type type;
	uint32_t prot; /* CZ_PROT_* */
	uint32_t efi_type; /* enum cz_efi_memory_type */
};

/* The PE image of a runtime driver. */
struct cz_image {
	uint64_t address; /* where firmware sees it */
	uint64_t physical;
	uint32_t size_bytes;
	char name[32]; /* for example "RuntimeDxe" */
};

/* ---- Policy: how the library reacts when a call is ended ----------------- */

/* A mask of services, 1u << enum cz_service. */
typedef uint32_t cz_service_mask;

/* The smallest kill limit that cz_init() accepts. */
#define CZ_MIN_KILL_LIMIT_NS 1000000ull

/*
 * For one service: how long one call may run (its kill limit), and which
 * services are withdrawn after one of its calls was ended. The limit counts
 * only the time in which the worker runs, not the time in which it is switched
 * out. A timer samples this, sixteen times within the smallest limit of all
 * services. If it finds the worker running, it adds the time since its last
 * sample, but at most a sixteenth of this service's limit.
 */
struct cz_service_policy {
	uint64_t kill_limit_ns; /* CZ_FOREVER: no limit */
	/* The services that an exact or a dirty end withdraws; struct cz_ending
	 * says which end is exact. */
	cz_service_mask exact;
	cz_service_mask dirty;
};

struct cz_policy {
	struct cz_service_policy service[CZ_NULL_SERVICE];
};

/*
 * The limits are 2 s for services that read, 20 s for services that write, 60 s
 * for UpdateCapsule and 10 s for ResetSystem. An exact end withdraws the
 * service itself; a dirty end withdraws the service itself and all services
 * that write. ResetSystem is never withdrawn.
 */
extern const struct cz_policy cz_default_policy;

/* ---- Configuration ------------------------------------------------------ */

enum cz_map_mode {
	CZ_MAP_IDENTITY, /* firmware stays at its physical addresses */
	CZ_MAP_SET, /* cz_init() moves it to virtual_start of each descriptor */
	CZ_MAP_EXISTING, /* an earlier kernel (kexec) has moved it there */
};

/* What cz_init() needs. The library does not use it after cz_init(), but host
 * must stay valid until cz_fini() has returned. */
struct cz_config {
	struct cz_host *host;
	enum cz_gate gate;
	enum cz_map_mode map_mode;

	/*
	 * The memory map as the last GetMemoryMap() returned it, with
	 * virtual_start filled in unless map_mode is CZ_MAP_IDENTITY. Only
	 * cz_init() reads it, and hands a copy to SetVirtualAddressMap().
	 */
	const void *memory_map;
	size_t memory_map_size_bytes;
	size_t descriptor_size_bytes;
	uint32_t descriptor_version;

	uint64_t system_table; /* its physical address */

	/* NULL: cz_default_policy. Copied. */
	const struct cz_policy *policy;

	/*
	 * The host declares that nothing below it (secure world, hypervisor)
	 * keeps state for firmware. The direct gate does not see secure calls;
	 * only with this declaration can it report that a call's end was exact.
	 */
	bool no_secure_services;

	uint32_t max_requests; /* 1..CZ_MAX_REQUESTS; 0 means 16 */
	/* The largest variable or capsule, at most 16 MiB; 0 means 32 KiB. */
	uint32_t max_data_bytes;

	/*
	 * The window [window_address, + window_bytes) is a page-aligned part of
	 * firmware's address space that the memory map leaves free. The library
	 * maps firmware's stack and the arguments of calls there. It has at
	 * least 4 MiB; the larger it is, the later an argument's address is
	 * used again. With window_address 0, cz_init() chooses both.
	 */
	uint64_t window_address;
	uint64_t window_bytes;
};

/* ---- Statistics --------------------------------------------------------- */

/*
 * State of the host's that firmware must not change. After each call the
 * library restores what firmware left changed, and counts it by kind.
 */
enum cz_anomaly {
	CZ_ANOMALY_INTERRUPTS, /* interrupt mask (DAIF) */
	CZ_ANOMALY_STACK_SELECT, /* SPSel */
	CZ_ANOMALY_PAN,
	CZ_ANOMALY_STACK_POINTER,
	CZ_ANOMALY_STACK_CANARY,
	CZ_ANOMALY_CALLEE_SAVED, /* x19..x29, d8..d15 */
	CZ_ANOMALY_PLATFORM_REGISTER, /* x18 */
	CZ_ANOMALY_FP_CONTROL, /* FPCR */
	CZ_ANOMALY_THREAD_USER, /* TPIDR_EL0 */
	CZ_ANOMALY_THREAD_KERNEL, /* TPIDR_EL1 */
	CZ_ANOMALY_TRANSLATION, /* TTBR0_EL1 */
	CZ_ANOMALY_VECTORS, /* VBAR_EL1 */
	CZ_ANOMALY_SYSTEM_CONTROL, /* SCTLR_EL1 */
	CZ_ANOMALY_COPROCESSOR, /* CPACR_EL1 */
	CZ_ANOMALY_STREAMING, /* SVCR: SME's mode and ZA, in a host at EL0 */
	CZ_ANOMALY_UAO, /* User Access Override */
	CZ_ANOMALY_DIT, /* data-independent timing */
	CZ_ANOMALY_SSBS, /* speculative store bypass */
	CZ_ANOMALY_TCO, /* tag check override */
	CZ_ANOMALY_ALLINT, /* all interrupts masked, NMIs too (FEAT_NMI) */
	CZ_ANOMALY_COUNT,
};

/* Returns a description, for example "interrupt mask". Any context; does not
 * block. */
const char *cz_anomaly_name(enum cz_anomaly anomaly);

/*
 * The kinds of operations that EL0 may not do itself. The library emulates them
 * when firmware in the sandbox tries one, and counts them by kind.
 */
enum cz_trap {
	CZ_TRAP_MASK, /* DAIF */
	CZ_TRAP_STATE, /* CurrentEL, SPSel */
	CZ_TRAP_IDENTIFICATION, /* ID registers, caches' geometry */
	CZ_TRAP_SYSTEM, /* SCTLR_EL1, TTBR0_EL1 and the like */
	CZ_TRAP_CACHE, /* cache maintenance */
	CZ_TRAP_TRANSLATION, /* TLBI, AT */
	CZ_TRAP_WAIT, /* WFI, WFE */
	CZ_TRAP_TIMER,
	CZ_TRAP_SECURE_CALL, /* HVC, SMC */
	CZ_TRAP_ALIGNMENT, /* an unaligned access to a device */
	CZ_TRAP_COUNT,
};

/* Returns the kind as one word, as docs/traps.md uses it. Any context; does not
 * block. */
const char *cz_trap_name(enum cz_trap trap);

struct cz_service_stats {
	uint64_t calls; /* calls that entered firmware */
	uint64_t failures; /* calls with a status other than success */
	/* Duration of a call in the gate, with the time in which the worker was
	 * switched out. */
	uint64_t min_ns, max_ns, total_ns;
	uint64_t preemptions; /* switches away from firmware */
	uint64_t interrupts; /* interrupts taken while firmware ran */
	/* The longest time from an interrupt's programmed time until it was
	 * taken in firmware, and firmware's pc then. */
	uint64_t latest_interrupt_ns;
	uint64_t latest_interrupt_address;
	uint64_t last_enter_ns, last_exit_ns; /* of the latest call */

	/* In the sandbox only. masked_*: how long firmware believed that
	 * interrupts were masked, counted while the worker ran: in total, at
	 * most, how often. secure_*: the secure calls that were passed on. */
	uint64_t traps[CZ_TRAP_COUNT];
	uint64_t masked_ns, masked_max_ns, masked_windows;
	uint64_t secure_calls, secure_ns;
};

/* What an ended call had accessed besides firmware's RAM. */
#define CZ_TOUCHED_DEVICE 1u /* it wrote to a device */
#define CZ_TOUCHED_SECURE 2u /* it made a secure call */
#define CZ_TOUCHED_UNSEEN 4u /* it may have made one: see no_secure_services */

#define CZ_BACKTRACE 16 /* callers that an ending holds, at most */
#define CZ_NO_ADDRESS UINT64_MAX

/*
 * How a call was ended. The end is exact when `touched` is 0: once firmware's
 * RAM is restored, it is as if the call had not been made. Otherwise it is
 * dirty: a flash chip, for example, may be in the middle of a write.
 */
struct cz_ending {
	cz_status status; /* CZ_E_FAULT, CZ_E_KILLED or CZ_E_ABORTED */
	enum cz_service service;
	uint64_t number; /* counts the endings of all services, from 1 */
	uint64_t ran_ns; /* since the call's start, switched out or not */
	uint32_t touched; /* CZ_TOUCHED_* */
	cz_service_mask withdrawn; /* services withdrawn because of this end */

	/* pc and caller are set for every ending, the others for a fault only.
	 * Addresses are firmware's: cz_find_image() and cz_find_region() name
	 * them. The strings are static. */
	const char *what; /* for example "data abort, write" */
	const char *cause; /* for example "not mapped"; NULL if unknown */
	uint64_t syndrome; /* ESR_EL1 */
	uint64_t pc;
	uint64_t address; /* the address that faulted, or CZ_NO_ADDRESS */
	uint32_t depth; /* number of callers found on firmware's stack */
	uint64_t caller[CZ_BACKTRACE];
};

struct cz_stats {
	struct cz_service_stats service[CZ_SERVICE_COUNT];
	uint64_t anomalies[CZ_ANOMALY_COUNT];
	uint64_t submitted, completed; /* requests of the queue */
	uint64_t cancelled; /* requests that ended before they started */
	uint64_t deadlines; /* callers released by their deadline */
	uint64_t late; /* calls that ended after their caller had given up */
	uint64_t faults, kills, aborts;
	uint64_t dirty; /* how many of faults, kills and aborts were dirty */
	uint64_t stuck; /* calls past their limit that take no interrupt */
	uint64_t bad_statuses, bad_sizes;
	uint64_t now; /* calls by cz_call_now() that entered firmware */
	uint64_t now_busy; /* calls by cz_call_now() refused with CZ_E_BUSY */
	uint64_t secure_refused; /* secure calls that the sandbox refused */
};

/* ---- Start, end and state ------------------------------------------------ */

struct cz;

/*
 * Reads firmware's tables, builds its address space and starts the worker. cz
 * need not be initialized; it must not move until cz_fini() has returned. A
 * firmware has at most one live cz.
 *
 * Returns CZ_OK; CZ_E_ARGUMENT, CZ_E_TABLE, CZ_E_NO_MEMORY, CZ_E_HOST; or the
 * status of SetVirtualAddressMap, which may be CZ_E_FAULT or CZ_E_BAD_STATUS.
 * On failure it has logged the cause, with the number of the entry if a table
 * is malformed, and has freed what it allocated.
 */
cz_status cz_init(struct cz *cz, const struct cz_config *config);

/*
 * Waits for the call in flight to end, ends the worker and frees everything.
 * Requests that are still queued end with CZ_E_STOPPED. The caller must ensure
 * that no other thread is inside a function of this library with this cz, or
 * will call one.
 */
void cz_fini(struct cz *cz);

/*
 * Checks a port: clock, pages, alias, mutex, events, timer, priority
 * inheritance, the worker, map and unmap, enter and leave, FP. Needs no cz.
 * Returns CZ_OK, or CZ_E_HOST after it has logged which function broke its
 * contract, and how. May take some milliseconds, and blocks.
 */
cz_status cz_host_selftest(struct cz_host *host, enum cz_gate gate);

/* Checks the functions of a port that only cz_call_now() needs. Returns as
 * cz_host_selftest() does. */
cz_status cz_host_selftest_now(struct cz_host *host, enum cz_gate gate);

/*
 * Copies the statistics, consistent with each other. Of a call in flight they
 * contain interrupts, preemptions and emulated instructions as these happen;
 * the rest is counted when the call has ended. Does not wait for firmware.
 */
void cz_get_stats(struct cz *cz, struct cz_stats *stats);

/*
 * Copies how a call of this service was ended most recently. Returns false when
 * none was ended. Does not wait for firmware.
 */
bool cz_get_ending(struct cz *cz, enum cz_service service,
		   struct cz_ending *ending);

/*
 * Returns the image at one of firmware's addresses, and the offset into it;
 * NULL when no image is there. The image is valid until cz_fini(). Any context;
 * does not block.
 */
const struct cz_image *cz_find_image(const struct cz *cz, uint64_t address,
				     uint64_t *offset);

/*
 * Returns the region at one of firmware's addresses, or NULL. While
 * SetVirtualAddressMap runs, firmware has its physical addresses too. The
 * region is valid until cz_fini(). Any context; does not block.
 */
const struct cz_region *cz_find_region(const struct cz *cz, uint64_t address);

/* ---- Services ------------------------------------------------------------ */

/*
 * Each function below waits for its turn, makes the call and returns firmware's
 * status, or CZ_E_DEADLINE, CZ_E_WITHDRAWN, CZ_E_FAULT, CZ_E_KILLED,
 * CZ_E_ABORTED, CZ_E_BAD_STATUS, CZ_E_BAD_SIZE, CZ_E_ARGUMENT, CZ_E_TOO_LARGE,
 * CZ_E_STOPPED or CZ_E_HOST (cz_host_call_end() failed). After CZ_E_DEADLINE
 * the call is either still running in firmware, or it will never start.
 * cz_get_ending() tells more about a call that was ended.
 *
 * A service that is absent from firmware's EFI_RT_PROPERTIES_TABLE or table of
 * runtime services returns CZ_EFI_UNSUPPORTED without a call. Names of
 * variables are UCS-2, little-endian, terminated by a zero, and at most
 * CZ_MAX_NAME_BYTES long. On success all outputs are written, never beyond the
 * size that the caller gave. With another status of firmware's only *size_bytes
 * is written, and the attributes with CZ_EFI_BUFFER_TOO_SMALL. With a CZ_E_*
 * status nothing is written. Pointers must not be NULL unless a comment allows
 * it. Sections are those of UEFI 2.11.
 */

/* Reads the clock (section 8.3.1). caps may be NULL. */
cz_status cz_get_time(struct cz *cz, struct cz_efi_time *time,
		      struct cz_efi_time_caps *caps, uint64_t deadline_ns);
/* Sets the clock (section 8.3.2). */
cz_status cz_set_time(struct cz *cz, const struct cz_efi_time *time,
		      uint64_t deadline_ns);
/* Reads the wake-up alarm (section 8.3.3). */
cz_status cz_get_wakeup_time(struct cz *cz, uint8_t *enabled, uint8_t *pending,
			     struct cz_efi_time *time, uint64_t deadline_ns);
/* Sets or clears the wake-up alarm (section 8.3.4). time may be NULL when
 * enable is 0. */
cz_status cz_set_wakeup_time(struct cz *cz, uint8_t enable,
			     const struct cz_efi_time *time,
			     uint64_t deadline_ns);
/*
 * Reads a variable (section 8.2.1). On entry *size_bytes is the size of the
 * buffer at data; data may be NULL when that is 0. On success and with
 * CZ_EFI_BUFFER_TOO_SMALL *size_bytes is the size of the value. attributes may
 * be NULL.
 */
cz_status cz_get_variable(struct cz *cz, const uint16_t *name,
			  const struct cz_efi_guid *guid, uint32_t *attributes,
			  void *data, size_t *size_bytes, uint64_t deadline_ns);
/*
 * Enumerates the variables (section 8.2.2). On entry name and guid are the
 * previous variable's (an empty name for the first call), and *size_bytes is
 * the size of the buffer at name: even, and at most CZ_MAX_NAME_BYTES. On
 * success they are the next variable's, and *size_bytes is the size of its
 * name; with CZ_EFI_BUFFER_TOO_SMALL only *size_bytes is written.
 * CZ_EFI_NOT_FOUND: there is no next variable.
 */
cz_status cz_get_next_variable_name(struct cz *cz, size_t *size_bytes,
				    uint16_t *name, struct cz_efi_guid *guid,
				    uint64_t deadline_ns);
/* Writes, appends to or deletes a variable (section 8.2.3). data may be NULL
 * when size_bytes is 0. */
cz_status cz_set_variable(struct cz *cz, const uint16_t *name,
			  const struct cz_efi_guid *guid, uint32_t attributes,
			  const void *data, size_t size_bytes,
			  uint64_t deadline_ns);
/* Reads how much room there is for variables with these attributes, in bytes
 * (section 8.2.4). */
cz_status cz_query_variable_info(struct cz *cz, uint32_t attributes,
				 uint64_t *maximum_storage,
				 uint64_t *remaining_storage,
				 uint64_t *maximum_size, uint64_t deadline_ns);
/* Increments the upper half of the monotonic counter and returns it in *count
 * (section 8.5.2). */
cz_status cz_get_next_high_monotonic_count(struct cz *cz, uint32_t *count,
					   uint64_t deadline_ns);
/*
 * Resets the machine or switches it off (section 8.5.1). The request goes to
 * the head of the queue and waits for the call in flight. The function does not
 * return when firmware resets the machine. If firmware's ResetSystem is absent,
 * withdrawn, returns, fails or has not ended by the deadline, the host resets
 * by cz_host_reset(); the log says which way was taken, and why.
 *
 * Returns CZ_E_ARGUMENT without a reset, or, when the host could not reset
 * either, the status of the attempt by firmware. data may be NULL when
 * size_bytes is 0; otherwise it begins with a UCS-2 string.
 */
cz_status cz_reset_system(struct cz *cz, enum cz_efi_reset_type type,
			  cz_status reset_status, const void *data,
			  size_t size_bytes, uint64_t deadline_ns);
/*
 * Hands firmware capsules (section 8.5.3); count is 1 to 8. The library copies
 * the headers (header_size bytes each), or the whole capsule when it need not
 * persist across a reset. The blocks of scatter_gather_list, a physical
 * address, are not copied: they belong to the host, which must leave them
 * unchanged until the reset.
 */
cz_status cz_update_capsule(struct cz *cz,
			    const struct cz_efi_capsule_header *const *capsules,
			    size_t count, uint64_t scatter_gather_list,
			    uint64_t deadline_ns);
/* Asks whether firmware would take these capsules, how large they may be, and
 * what reset they need (section 8.5.4). count is 1 to 8. */
cz_status cz_query_capsule_capabilities(
	struct cz *cz, const struct cz_efi_capsule_header *const *capsules,
	size_t count, uint64_t *maximum_size,
	enum cz_efi_reset_type *reset_type, uint64_t deadline_ns);
/* Makes a call that does nothing in firmware's address space. It measures the
 * path of every call. Not a service of firmware's. */
cz_status cz_null_service(struct cz *cz, uint64_t deadline_ns);

/* Returns whether firmware has the service and it is not withdrawn. Any
 * context; does not block. */
bool cz_service_available(const struct cz *cz, enum cz_service service);

/*
 * cz_withdraw() takes a service out of use, cz_restore() brings it back. Queued
 * requests for a withdrawn service end with CZ_E_WITHDRAWN, and new calls
 * return that at once. After a call was ended, the library itself withdraws the
 * services that the policy names. Neither function waits for firmware.
 */
void cz_withdraw(struct cz *cz, enum cz_service service);
void cz_restore(struct cz *cz, enum cz_service service);

/*
 * Sets the CPUs on which the worker, and so firmware, may run. After cz_init()
 * these are all CPUs. The request goes through the queue by priority, like a
 * service; it takes effect between two calls, never within one. Returns CZ_OK;
 * CZ_E_ARGUMENT for an empty set; CZ_EFI_UNSUPPORTED when the host refuses the
 * set, in which case nothing has changed; CZ_E_DEADLINE, CZ_E_STOPPED, or
 * CZ_E_WITHDRAWN after cz_withdraw() of it.
 */
cz_status cz_set_worker_cpus(struct cz *cz, const struct cz_cpu_set *cpus,
			     uint64_t deadline_ns);

/* ---- Requests without waiting -------------------------------------------- */

/*
 * A call as data. Fill it with one of cz_prepare_*(), hand it to cz_submit(),
 * and hand the same call to cz_wait(), which copies the outputs. In between the
 * library keeps no pointer to the call, nor to the memory that it points to.
 */
enum cz_argument_kind {
	CZ_ARGUMENT_VALUE, /* value goes into the register */
	CZ_ARGUMENT_NULL, /* a null pointer goes into the register */
	CZ_ARGUMENT_IN, /* size_bytes at input are copied to firmware */
	CZ_ARGUMENT_OUT, /* on success size_bytes bytes are copied to pointer */
	/* Both IN and OUT. If the next argument is DATA or NAME, this one holds
	 * its size in bytes, and is copied back when firmware fails, too. */
	CZ_ARGUMENT_INOUT,
	CZ_ARGUMENT_DATA, /* OUT, as many bytes as the INOUT before it says */
	CZ_ARGUMENT_NAME, /* the same for a name, which is an input too */
	CZ_ARGUMENT_CAPSULES, /* IN; size_bytes is the number of capsules */
};

struct cz_argument {
	enum cz_argument_kind kind;
	uint32_t size_bytes;
	union {
		uint64_t value;
		void *pointer;
		const void *input;
	};
};

struct cz_call {
	enum cz_service service;
	uint32_t argument_count;
	struct cz_argument argument[CZ_MAX_ARGUMENTS];
};

/* Each function below fills *call for the service of that name. The parameters
 * are described above. Returns CZ_OK, or CZ_E_ARGUMENT when one is invalid. Any
 * context; does not block. */
cz_status cz_prepare_get_time(struct cz_call *call, struct cz_efi_time *time,
			      struct cz_efi_time_caps *caps);
cz_status cz_prepare_set_time(struct cz_call *call,
			      const struct cz_efi_time *time);
cz_status cz_prepare_get_wakeup_time(struct cz_call *call, uint8_t *enabled,
				     uint8_t *pending,
				     struct cz_efi_time *time);
cz_status cz_prepare_set_wakeup_time(struct cz_call *call, uint8_t enable,
				     const struct cz_efi_time *time);
cz_status cz_prepare_get_variable(struct cz_call *call, const uint16_t *name,
				  const struct cz_efi_guid *guid,
				  uint32_t *attributes, void *data,
				  size_t *size_bytes);
cz_status cz_prepare_get_next_variable_name(struct cz_call *call,
					    size_t *size_bytes, uint16_t *name,
					    struct cz_efi_guid *guid);
cz_status cz_prepare_set_variable(struct cz_call *call, const uint16_t *name,
				  const struct cz_efi_guid *guid,
				  uint32_t attributes, const void *data,
				  size_t size_bytes);
cz_status cz_prepare_query_variable_info(struct cz_call *call,
					 uint32_t attributes,
					 uint64_t *maximum_storage,
					 uint64_t *remaining_storage,
					 uint64_t *maximum_size);
cz_status cz_prepare_get_next_high_monotonic_count(struct cz_call *call,
						   uint32_t *count);
cz_status cz_prepare_reset_system(struct cz_call *call,
				  enum cz_efi_reset_type type,
				  cz_status reset_status, const void *data,
				  size_t size_bytes);
cz_status
cz_prepare_update_capsule(struct cz_call *call,
			  const struct cz_efi_capsule_header *const *capsules,
			  size_t count, uint64_t scatter_gather_list);
cz_status cz_prepare_query_capsule_capabilities(
	struct cz_call *call,
	const struct cz_efi_capsule_header *const *capsules, size_t count,
	uint64_t *maximum_size, enum cz_efi_reset_type *reset_type);
cz_status cz_prepare_null_service(struct cz_call *call);
cz_status cz_prepare_set_worker_cpus(struct cz_call *call,
				     const struct cz_cpu_set *cpus);

/* Identifies a request; 0 is no request. The library recognizes the id of a
 * request that has been ended. */
typedef uint32_t cz_request_id;

/*
 * Copies the call's inputs and queues it. Its priority is that of the calling
 * thread, or of the thread in cz_wait() while that is more urgent. On CZ_OK *id
 * belongs to the caller, who must end it by cz_wait() or cz_release(). Returns
 * CZ_E_BUSY when all max_requests are in use, CZ_EFI_UNSUPPORTED,
 * CZ_E_WITHDRAWN, CZ_E_TOO_LARGE, CZ_E_ARGUMENT or CZ_E_STOPPED. Does not wait
 * for firmware.
 *
 * The request stays in use until cz_wait() or cz_release() has ended it, even
 * after its call has returned. This can deadlock, because a synchronous call
 * waits for a free request: if max_requests threads each hold a submitted
 * request while they make a synchronous call with CZ_FOREVER, they wait for
 * each other. Give such calls a deadline, or configure more requests than
 * threads that do this. When a request is done and no thread waits for it, a
 * thread that waits for a free request cannot lend its priority: the library
 * does not know which thread will end that request.
 */
cz_status cz_submit(struct cz *cz, const struct cz_call *call,
		    cz_request_id *id);

/*
 * Waits until the request is done, copies its outputs to where `call` points,
 * ends the request and returns the status of its call. With CZ_E_DEADLINE the
 * request has not ended and stays the caller's. CZ_E_ARGUMENT: the id is stale,
 * `call` is another one, or another thread waits for this request.
 */
cz_status cz_wait(struct cz *cz, cz_request_id id, const struct cz_call *call,
		  uint64_t deadline_ns);

/*
 * Cancels a request that has not started. Returns CZ_OK, and cz_wait() will
 * return CZ_E_CANCELLED; CZ_E_IN_FLIGHT when its call has started or has
 * returned; CZ_E_ARGUMENT for a stale id. The request stays the caller's. Does
 * not wait for firmware.
 */
cz_status cz_cancel(struct cz *cz, cz_request_id id);

/*
 * Ends a request whose result nobody needs. If it has not started, it is
 * cancelled; otherwise its call continues, and the result is counted and
 * dropped. No thread may be in cz_wait() for it. Does not wait for firmware.
 */
void cz_release(struct cz *cz, cz_request_id id);

/* Makes a synchronous call: waits for a free request, submits the call, waits
 * for it, and releases it at the deadline. Returns as the services above do. */
cz_status cz_call_and_wait(struct cz *cz, const struct cz_call *call,
			   uint64_t deadline_ns);

/*
 * Asks for the end of the worker's call in flight, if there is one. The host
 * sends an interrupt to the worker's CPU (repeatedly, if any service has a kill
 * limit), and the call ends when firmware takes it. Its caller gets
 * CZ_E_ABORTED, and the policy says which services are withdrawn. Does not wait
 * for firmware.
 *
 * Two kinds of calls continue, up to their kill limit: a call that has written
 * to a device, because a flash chip could be left half written; and a call
 * whose request is suspended in the secure world (only the sandbox sees that),
 * because no other call can resume it. A cz_call_now() is not ended.
 */
void cz_abort_in_flight(struct cz *cz);

/* ---- Outside the queue ------------------------------------------------- */

/*
 * Makes a call at once, on this CPU, from a context that must not sleep: with
 * interrupts or preemption off, in an interrupt handler or a panic, with any of
 * the host's locks held. Waits for nothing. Interrupts stay masked for as long
 * as firmware takes, as in kernels without this library. Works when all
 * requests are in use and when memory is exhausted.
 *
 * Returns what the service returns, with its outputs written. Returns CZ_E_BUSY
 * without a call while another call is in flight on any CPU, this one included:
 * another cz_call_now(), or a call of the worker, which may be preempted inside
 * firmware. It also returns CZ_E_BUSY for at most CZ_TURN_NS after another
 * cz_call_now() that kept a queued call waiting. Therefore a queued call waits
 * for one cz_call_now() at most, however many are made. A panic path, which has
 * only one chance, should retry for CZ_TURN_NS.
 *
 * Never returns CZ_E_DEADLINE, CZ_E_ABORTED or CZ_E_STOPPED. Any context, from
 * the return of cz_init() to the call of cz_fini().
 */
cz_status cz_call_now(struct cz *cz, const struct cz_call *call);
#define CZ_TURN_NS 20000ull

/*
 * Does what cz_reset_system() does, for such a context: it calls ResetSystem by
 * cz_call_now(), and if that does not reset the machine, cz_host_reset() at
 * once. Returns as cz_reset_system() does. Any context; does not block.
 */
cz_status cz_reset_now(struct cz *cz, enum cz_efi_reset_type type,
		       cz_status reset_status, const void *data,
		       size_t size_bytes);

/* ---- The state. Embedders allocate it and leave it alone. ---------------- */

enum cz_request_state {
	CZ_REQUEST_FREE,
	CZ_REQUEST_FILLING, /* its submitter is copying inputs */
	CZ_REQUEST_QUEUED,
	CZ_REQUEST_IN_FLIGHT,
	CZ_REQUEST_DONE,
};

struct cz_request {
	/* Guarded by cz->mutex. */
	enum cz_request_state state;
	bool given_up; /* the caller no longer waits for this call */
	bool keeps_priority; /* `priority` counts, besides the waiter's */
	uint16_t generation; /* counts the uses, to recognize stale ids */
	uint64_t age; /* order of submission */
	int priority; /* of the submitter, when it submitted */
	uint64_t mask; /* 1 << its number */
	cz_host_thread waiter; /* in cz_wait() or a synchronous call, or NULL */

	/* Owned by the submitter while FILLING, by the worker while IN_FLIGHT,
	 * by the waiter once DONE. */
	enum cz_service service;
	cz_status status;
	uint32_t used_pages;
	uint32_t argument_count;
	uint64_t address; /* where firmware sees the first used page */
	uint64_t registers[CZ_MAX_ARGUMENTS];
	uint8_t *argument_alias[CZ_MAX_ARGUMENTS];

	struct cz_host_pages pages;
	cz_host_event done;
};

/* Shared with the gate's assembly: src/arm64/gate_layout.h has the layout. */
struct cz_gate_context {
	uint64_t words[128];
};

struct cz {
	struct cz_host *host;
	enum cz_gate gate;
	enum cz_map_mode map_mode;

	/* Atomic. */
	uint32_t withdrawn; /* a mask of services */
	uint32_t bad_size_logged; /* services whose invalid size was logged */
	/* The owner of firmware: NULL, a request of the worker's, or
	 * &direct_request. It is taken by compare-and-swap, and by the worker
	 * with the mutex held. */
	struct cz_request *in_flight;

	/* Used by cz_init() only: SetVirtualAddressMap is being called, and
	 * firmware sees each region at its physical address too. */
	bool is_relocating;

	/* Guarded by mutex. */
	cz_host_mutex mutex;
	bool stopping; /* cz_fini() was called */
	bool worker_idle; /* it found nothing to do, and sleeps */
	/* Threads that wait for a free request, plus 1 while the worker lends
	 * their priority to another thread. */
	uint32_t room_waiters;
	uint64_t next_age;
	uint64_t next_window_page; /* where the next call's arguments go */
	uint64_t free_requests; /* masks of requests, by number */
	uint64_t queued_requests;
	cz_host_event work; /* the worker has something to do */
	cz_host_event room; /* a request became free */

	/* Atomic: the number of the call that is to be ended, and whether its
	 * kill limit demands it. cz_end_of() in src/core.h makes this word; 0:
	 * none. */
	uint64_t end_request;
	/* Atomic: the number of the latest call, and whether the watch's timer
	 * is on. See CZ_WATCH_ON in src/call.h. */
	uint64_t watch_state;
	/* Atomic: the latest call has left firmware. The time that is then
	 * spent on its results and log lines does not count against its
	 * limit. */
	bool left_firmware;

	/* Owned by the owner of firmware, and by the exception hooks that run
	 * on its thread. */
	cz_status ended_by; /* CZ_E_FAULT, _KILLED, _ABORTED; 0 if none */
	uint32_t touched; /* CZ_TOUCHED_*, by the present call */
	struct cz_gate_context gate_context;

	/* Owned by the owner of firmware, except that the mutex guards
	 * submitted, completed, cancelled, deadlines and late, and that
	 * bad_sizes, now_busy and stuck are atomic. */
	struct cz_stats stats;

	/* Fixed by cz_init(). */
	uint32_t region_count;
	uint32_t image_count;
	uint32_t request_count;
	uint32_t request_pages;
	uint32_t max_data_bytes;
	uint32_t rt_supported; /* EFI_RT_PROPERTIES mask */
	uint64_t function[CZ_SERVICE_COUNT]; /* 0: absent */
	uint64_t window_address, window_pages;
	uint64_t direct_window_page; /* start of cz_call_now()'s part of it */
	uint64_t stack_top; /* of firmware's stack */
	struct cz_host_pages stack;
	struct cz_host_pages trampoline;
	cz_host_space space;
	cz_host_thread worker;
	struct cz_region regions[CZ_MAX_REGIONS];
	struct cz_image images[CZ_MAX_IMAGES];

	struct cz_request requests[CZ_MAX_REQUESTS]; /* guards: see there */

	/*
	 * Owned by cz_call_now() while it owns firmware. If direct_request is
	 * DONE and still the owner of firmware, its call was ended, and
	 * somebody must end the queued requests for the services that are
	 * withdrawn now, before the worker's next call. direct_request.state is
	 * atomic: whoever changes it from DONE owns firmware.
	 */
	struct cz_request direct_request;
	bool end_withdrawn_due; /* such queued requests may still exist */
	uint64_t next_direct_page; /* where its next arguments go */
	uint32_t stats_seq; /* odd while cz_call_now() writes stats */
	/* Atomic. Until then cz_call_now() leaves firmware to the worker. */
	uint64_t worker_turn_until_ns;
	cz_host_borrow borrow;

	/* Owned by the watch: see src/watch.c. */
	cz_host_timer watch_timer;
	uint64_t watch_number, watch_ran_ns, watch_sampled_ns;
	uint32_t watch_end_requests; /* for the end of this call */

	/* Owned by the owner of firmware. */
	uint64_t open_devices[CZ_MAX_REGIONS / 64]; /* regions, writable now */
	uint64_t last_bad_status[CZ_NULL_SERVICE]; /* logged last; 0: none */
	uint32_t refusal_logged; /* services whose refused call was logged */
	struct cz_ending ending; /* of the present call */
	struct cz_ending endings[CZ_NULL_SERVICE]; /* guarded like stats */

	/* Fixed by cz_init(). */
	struct cz_policy policy;
	uint64_t watch_period_ns; /* 0: no service has a limit */
	bool no_secure_services;
};

#ifdef __cplusplus
}
#endif

#endif
