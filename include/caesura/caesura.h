/* SPDX-License-Identifier: MIT */
/*
 * Caesura: UEFI runtime services that never hold up the scheduler.
 *
 * One struct cz, which the caller allocates, stands for one firmware. After
 * cz_init() any thread may call the services; each is a request that one worker
 * thread takes to firmware, preemptible throughout. Nothing that a caller
 * passes is used after the function has returned (capsule pages excepted).
 *
 * Unless a function says otherwise: call from a thread, interrupts and
 * preemption enabled; it may block; never from an interrupt, and never from the
 * worker. Deadlines are absolute, on the clock of cz_host_now_ns();
 * CZ_FOREVER waits without limit. A deadline releases the caller only: a call
 * in flight goes on in firmware and keeps its place.
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
 * EFI_STATUS as firmware returned it, or one of Caesura's own codes below, which lie
 * where the specification (appendix D) leaves room to implementers.
 *
 * What firmware may return is success, the specification's warnings (1 to 7), an
 * error up to CZ_EFI_ERROR(0x1000), and an error of an OEM's (the two highest bits
 * set) that is none of Caesura's own. Anything else, warnings of an OEM's included, is
 * reported as CZ_E_BAD_STATUS.
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
#define CZ_E_BUSY (CZ_ERROR_BASE + 7) /* no free request; a call in flight */
#define CZ_E_BAD_STATUS (CZ_ERROR_BASE + 8) /* firmware's status is no status */
#define CZ_E_BAD_SIZE (CZ_ERROR_BASE + 9) /* firmware's size is past the end */
#define CZ_E_ARGUMENT (CZ_ERROR_BASE + 10) /* an argument is out of range */
#define CZ_E_TOO_LARGE (CZ_ERROR_BASE + 11) /* more than max_data_bytes */
#define CZ_E_TABLE (CZ_ERROR_BASE + 12) /* a firmware table is malformed */
#define CZ_E_NO_MEMORY (CZ_ERROR_BASE + 13) /* the host has no pages */
#define CZ_E_HOST (CZ_ERROR_BASE + 14) /* the host cannot do what is asked */
#define CZ_E_STOPPED (CZ_ERROR_BASE + 15) /* cz_fini() was called */
#define CZ_E_KILLED (CZ_ERROR_BASE + 16) /* past its kill limit; call ended */

/* A status's name, "EFI_NOT_FOUND" or "CZ_E_DEADLINE"; "unknown status" for
 * others. Any context. */
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
	CZ_NULL_SERVICE, /* ours: returns at once, to measure the path */
	CZ_SET_WORKER_CPUS, /* ours: the worker does it, between two calls */
	CZ_SERVICE_COUNT,
};

/* "GetTime" and so on. Any context. */
const char *cz_service_name(enum cz_service service);

/* ---- Limits ------------------------------------------------------------ */

#define CZ_MAX_REGIONS 256
#define CZ_MAX_REQUESTS 64
#define CZ_MAX_IMAGES 64
#define CZ_MAX_ARGUMENTS 6
#define CZ_MAX_NAME_BYTES 1024 /* a variable's name, terminator included */
#define CZ_STACK_PAGES 8

/* ---- Regions and images: what firmware may touch, and who it is --------- */

struct cz_region {
	uint64_t physical; /* page aligned */
	uint64_t address; /* firmware's, page aligned */
	uint64_t page_count;
	enum cz_memory_type type;
	uint32_t prot; /* CZ_PROT_* */
	uint32_t efi_type; /* enum cz_efi_memory_type */
};

struct cz_image {
	uint64_t address; /* where it runs now */
	uint64_t physical;
	uint32_t size_bytes;
	char name[32]; /* "RuntimeDxe" */
};

/* ---- Policy: what is done about firmware that goes wrong ------------------ */

/* A mask of services, 1u << enum cz_service. */
typedef uint32_t cz_service_mask;

/*
 * Of one service: for how long one of its calls may run, and which services are
 * withdrawn after one that was ended. A limit counts the time in which the worker
 * runs, not that in which it is switched out: a timer looks sixteen times in the
 * smallest limit that there is, and counts the time since its last look if it finds
 * the worker running, but a sixteenth of the limit at most. CZ_FOREVER: none.
 */
#define CZ_MIN_KILL_LIMIT_NS 1000000ull

struct cz_service_policy {
	uint64_t kill_limit_ns; /* CZ_MIN_KILL_LIMIT_NS or more */
	cz_service_mask exact; /* after a call that touched nothing but RAM */
	cz_service_mask dirty; /* after any other */
};

struct cz_policy {
	struct cz_service_policy service[CZ_NULL_SERVICE];
};

/*
 * Limits: 2 s for a service that reads, 20 s for one that writes, 60 s for
 * UpdateCapsule, 10 s for ResetSystem. After an exact end the service itself is
 * withdrawn, after a dirty one all that write; ResetSystem stays in any case.
 */
extern const struct cz_policy cz_default_policy;

/* ---- Configuration ------------------------------------------------------ */

enum cz_map_mode {
	CZ_MAP_IDENTITY, /* physical addresses; SetVirtualAddressMap not called */
	CZ_MAP_SET, /* virtual_start of each descriptor, to be set by cz_init() */
	CZ_MAP_EXISTING, /* virtual_start, set by a kernel before us (kexec) */
};

struct cz_config {
	struct cz_host *host;
	enum cz_gate gate;
	enum cz_map_mode map_mode;

	/*
	 * The memory map as GetMemoryMap gave it last, with virtual_start filled in
	 * unless map_mode is CZ_MAP_IDENTITY. Read by cz_init() only, which
	 * hands a copy to SetVirtualAddressMap.
	 */
	const void *memory_map;
	size_t memory_map_size_bytes;
	size_t descriptor_size_bytes;
	uint32_t descriptor_version;

	uint64_t system_table; /* its physical address */

	/* NULL: cz_default_policy. Copied. */
	const struct cz_policy *policy;

	/*
	 * The host knows that there is nothing below it that keeps state for
	 * firmware. Only then can the direct gate, which does not see secure calls,
	 * call the end of a call exact.
	 */
	bool no_secure_services;

	uint32_t max_requests; /* 1..CZ_MAX_REQUESTS; 0: 16 */
	uint32_t max_data_bytes; /* largest variable or capsule; 0: 32 KiB */

	/*
	 * [window_address, + window_bytes): page-aligned part of the firmware
	 * space that the memory map leaves free, for stack and argument pages. 0:
	 * cz_init() finds one. A larger window keeps an argument's address
	 * unused for longer; at least 4 MiB.
	 */
	uint64_t window_address;
	uint64_t window_bytes;
};

/* ---- Statistics --------------------------------------------------------- */

/* What firmware can leave behind that it must not; counted and mended. */
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
	CZ_ANOMALY_UAO, /* unprivileged accesses have the host's rights */
	CZ_ANOMALY_DIT, /* timing that depends on data */
	CZ_ANOMALY_SSBS, /* speculative store bypass */
	CZ_ANOMALY_TCO, /* accesses without a check of tags */
	CZ_ANOMALY_ALLINT, /* all interrupts masked, FEAT_NMI's too */
	CZ_ANOMALY_COUNT,
};

const char *cz_anomaly_name(enum cz_anomaly anomaly);

/* What firmware in the sandbox executes that EL0 may not, and is done for it. */
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

/* One word, as docs/traps.md has it. Any context. */
const char *cz_trap_name(enum cz_trap trap);

struct cz_service_stats {
	uint64_t calls; /* that entered firmware */
	uint64_t failures; /* of them: status other than success */
	uint64_t min_ns, max_ns, total_ns; /* in the gate, preempted time too */
	uint64_t preemptions;
	uint64_t interrupts;
	uint64_t latest_interrupt_ns; /* after its programmed time */
	uint64_t latest_interrupt_address; /* where firmware took it */
	uint64_t last_enter_ns, last_exit_ns; /* of the latest call */

	/* The sandbox's. Masked: firmware believed interrupts to be, while the
	 * worker ran. Secure calls: those that were passed on. */
	uint64_t traps[CZ_TRAP_COUNT];
	uint64_t masked_ns, masked_max_ns, masked_windows;
	uint64_t secure_calls, secure_ns;
};

/* What a call that was ended had touched besides firmware's RAM. */
#define CZ_TOUCHED_DEVICE 1u /* it wrote to a device */
#define CZ_TOUCHED_SECURE 2u /* it made a secure call */
#define CZ_TOUCHED_UNSEEN 4u /* it may have made one: see no_secure_services */

#define CZ_BACKTRACE 16
#define CZ_NO_ADDRESS UINT64_MAX

/*
 * How a call was ended. Exact, when `touched` is 0: with its RAM put back, the
 * call would not have been made. Dirty otherwise: a flash may have been left in the
 * middle of a write.
 */
struct cz_ending {
	cz_status status; /* CZ_E_FAULT, CZ_E_KILLED or CZ_E_ABORTED */
	enum cz_service service;
	uint64_t number; /* of this ending, from 1: whether there was another */
	uint64_t ran_ns; /* from the call's start, preempted time too */
	uint32_t touched; /* CZ_TOUCHED_* */
	cz_service_mask withdrawn; /* because of it */

	/* Of a fault; and where firmware was, of any. Firmware's addresses, to be
	 * named by cz_find_image() and cz_find_region(). */
	const char *what; /* "data abort, write"; lives for ever */
	const char *cause; /* "not mapped"; NULL: there is none */
	uint64_t syndrome; /* the machine's: ESR_EL1 */
	uint64_t pc;
	uint64_t address; /* what it was about, or CZ_NO_ADDRESS */
	uint32_t depth; /* callers found on firmware's stack */
	uint64_t caller[CZ_BACKTRACE];
};

struct cz_stats {
	struct cz_service_stats service[CZ_SERVICE_COUNT];
	uint64_t anomalies[CZ_ANOMALY_COUNT];
	uint64_t submitted, completed;
	uint64_t cancelled; /* ended before they started, for any reason */
	uint64_t deadlines; /* callers released by their deadline */
	uint64_t late; /* calls that finished with nobody waiting */
	uint64_t faults, kills, aborts;
	uint64_t dirty; /* of these */
	uint64_t stuck; /* past the limit, and no interrupt comes through */
	uint64_t bad_statuses, bad_sizes;
	uint64_t now; /* calls outside the queue that entered firmware */
	uint64_t now_busy; /* that did not: there was a call in flight */
	uint64_t secure_refused; /* secure calls that the sandbox refused */
};

/* ---- Life --------------------------------------------------------------- */

struct cz;

/*
 * Reads firmware's tables, builds its address space and starts the worker.
 * Returns CZ_OK; CZ_E_ARGUMENT, CZ_E_TABLE, CZ_E_NO_MEMORY, CZ_E_HOST; or what
 * SetVirtualAddressMap returned. On failure a log line names the cause, and the
 * entry where a table is at fault, and nothing is left allocated. There is one
 * live cz per firmware.
 */
cz_status cz_init(struct cz *cz, const struct cz_config *config);

/*
 * Ends the worker once the call in flight has returned; requests still queued end
 * with CZ_E_STOPPED. No thread is in, or will make, a call on cz.
 */
void cz_fini(struct cz *cz);

/*
 * Checks a port: clock, pages, alias, mutex, events, priority inheritance, the
 * worker, map and unmap, enter and leave, FP. Returns CZ_OK, or CZ_E_HOST after
 * a log line that names the function at fault and what it did. Independent of
 * any cz. May take some milliseconds.
 */
cz_status cz_host_selftest(struct cz_host *host, enum cz_gate gate);

/* The same of what cz_call_now() needs. */
cz_status cz_host_selftest_now(struct cz_host *host, enum cz_gate gate);

/* A consistent copy of the statistics; of a call in flight, interrupts and
 * preemptions as they come. Of submitted and completed the queue's alone. */
void cz_get_stats(struct cz *cz, struct cz_stats *stats);

/*
 * How the latest call of a service that was ended was ended; false when none was.
 * Does not wait for firmware.
 */
bool cz_get_ending(struct cz *cz, enum cz_service service,
		   struct cz_ending *ending);

/* What runs at one of firmware's addresses: the image and the offset into it;
 * NULL when no image is there. Any context. */
const struct cz_image *cz_find_image(const struct cz *cz, uint64_t address,
				     uint64_t *offset);

/* The region of firmware's at one of its addresses, or NULL. Any context. While
 * SetVirtualAddressMap runs, the physical addresses are firmware's too. */
const struct cz_region *cz_find_region(const struct cz *cz, uint64_t address);

/* ---- Services ------------------------------------------------------------ */

/*
 * Each waits for its turn, makes the call, and returns firmware's status, or:
 * CZ_E_DEADLINE, CZ_E_WITHDRAWN, CZ_E_FAULT, CZ_E_KILLED, CZ_E_ABORTED,
 * CZ_E_BAD_STATUS, CZ_E_BAD_SIZE, CZ_E_ARGUMENT, CZ_E_TOO_LARGE, CZ_E_STOPPED. Of
 * a call that was ended, cz_get_ending() has the rest. A service that
 * firmware's EFI_RT_PROPERTIES_TABLE or its table of services lacks returns
 * CZ_EFI_UNSUPPORTED without a call. Names are UCS-2, little-endian, ended by
 * a zero. Outputs are written only when the specification says that the service
 * wrote them, never past what the caller gave.
 */

/* Section 8.3.1. caps may be NULL. */
cz_status cz_get_time(struct cz *cz, struct cz_efi_time *time,
		      struct cz_efi_time_caps *caps, uint64_t deadline_ns);
/* Section 8.3.2. */
cz_status cz_set_time(struct cz *cz, const struct cz_efi_time *time,
		      uint64_t deadline_ns);
/* Section 8.3.3. */
cz_status cz_get_wakeup_time(struct cz *cz, uint8_t *enabled, uint8_t *pending,
			     struct cz_efi_time *time, uint64_t deadline_ns);
/* Section 8.3.4. time may be NULL when enable is 0. */
cz_status cz_set_wakeup_time(struct cz *cz, uint8_t enable,
			     const struct cz_efi_time *time,
			     uint64_t deadline_ns);
/*
 * Section 8.2.1. *size_bytes: in, the room at data (data may be NULL when it is
 * 0); out, the value's size, also with CZ_EFI_BUFFER_TOO_SMALL. attributes
 * may be NULL.
 */
cz_status cz_get_variable(struct cz *cz, const uint16_t *name,
			  const struct cz_efi_guid *guid, uint32_t *attributes,
			  void *data, size_t *size_bytes, uint64_t deadline_ns);
/*
 * Section 8.2.2. name and guid: in, the previous variable ("" for the first);
 * out, the next. *size_bytes: in, the room at name, in bytes, even, at most
 * CZ_MAX_NAME_BYTES; out, the name's size.
 */
cz_status cz_get_next_variable_name(struct cz *cz, size_t *size_bytes,
				    uint16_t *name, struct cz_efi_guid *guid,
				    uint64_t deadline_ns);
/* Section 8.2.3. data may be NULL when size_bytes is 0. */
cz_status cz_set_variable(struct cz *cz, const uint16_t *name,
			  const struct cz_efi_guid *guid, uint32_t attributes,
			  const void *data, size_t size_bytes,
			  uint64_t deadline_ns);
/* Section 8.2.4. */
cz_status cz_query_variable_info(struct cz *cz, uint32_t attributes,
				 uint64_t *maximum_storage,
				 uint64_t *remaining_storage,
				 uint64_t *maximum_size, uint64_t deadline_ns);
/* Section 8.5.2. */
cz_status cz_get_next_high_monotonic_count(struct cz *cz, uint32_t *count,
					   uint64_t deadline_ns);
/*
 * Section 8.5.1. Goes to the head of the queue, waits for the call in flight, and
 * does not return when firmware resets. Where ResetSystem is not there, is
 * withdrawn, comes back, or has not ended by the deadline, the host resets by
 * its own means; a log line says which way was taken, and why. Returns
 * CZ_E_ARGUMENT without a reset; or, when the host could not reset either, what
 * became of ResetSystem. data, which may be NULL, begins with a UCS-2 string.
 */
cz_status cz_reset_system(struct cz *cz, enum cz_efi_reset_type type,
			  cz_status reset_status, const void *data,
			  size_t size_bytes, uint64_t deadline_ns);
/*
 * Section 8.5.3. The headers (header_size bytes each, or the whole capsule when
 * it does not ask to persist across a reset) are copied; the blocks behind
 * scatter_gather_list, a physical address, are the host's and stay unchanged
 * until the reset. At most 8 capsules.
 */
cz_status cz_update_capsule(struct cz *cz,
			    const struct cz_efi_capsule_header *const *capsules,
			    size_t count, uint64_t scatter_gather_list,
			    uint64_t deadline_ns);
/* Section 8.5.4. */
cz_status cz_query_capsule_capabilities(
	struct cz *cz, const struct cz_efi_capsule_header *const *capsules,
	size_t count, uint64_t *maximum_size,
	enum cz_efi_reset_type *reset_type, uint64_t deadline_ns);
/* Not firmware's: the whole path, with nothing at its end. */
cz_status cz_null_service(struct cz *cz, uint64_t deadline_ns);

/* Whether the service can be called: known to firmware, and not withdrawn.
 * Does not block. */
bool cz_service_available(const struct cz *cz, enum cz_service service);

/*
 * Takes a service out of use, or brings it back. Requests for it that have not
 * started end with CZ_E_WITHDRAWN; new ones return so at once. After a call
 * that was ended the library withdraws services by itself, as its policy says.
 */
void cz_withdraw(struct cz *cz, enum cz_service service);
void cz_restore(struct cz *cz, enum cz_service service);

/*
 * On which CPUs the worker, and so firmware, may run; on all of them to begin
 * with. Goes through the queue like a service, by priority, and so takes effect
 * between two calls, never within one. Returns CZ_OK; CZ_E_ARGUMENT for an empty
 * set; CZ_EFI_UNSUPPORTED when the host refuses, and nothing has changed;
 * CZ_E_DEADLINE or CZ_E_STOPPED.
 */
cz_status cz_set_worker_cpus(struct cz *cz, const struct cz_cpu_set *cpus,
			     uint64_t deadline_ns);

/* ---- Requests without waiting -------------------------------------------- */

/*
 * A call as data. Fill one with cz_prepare_*(), submit it, and hand the same
 * call to cz_wait() for its outputs. The library keeps no pointer to it, nor to
 * what it points to, between the two.
 */
enum cz_argument_kind {
	CZ_ARGUMENT_VALUE, /* value goes into the register */
	CZ_ARGUMENT_NULL, /* a null pointer goes into the register */
	CZ_ARGUMENT_IN, /* size_bytes at pointer are copied in */
	CZ_ARGUMENT_OUT, /* copied out on success */
	CZ_ARGUMENT_INOUT, /* both; the size of what follows: on failure too */
	CZ_ARGUMENT_DATA, /* out; as many bytes as the INOUT size says */
	CZ_ARGUMENT_NAME, /* in and out; likewise */
	CZ_ARGUMENT_CAPSULES, /* in: size_bytes counts capsule pointers */
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

/* These check their arguments and return CZ_OK or CZ_E_ARGUMENT. Parameters as
 * above. Any context. */
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

/* Names a request; 0 is none. Stale names are recognised. */
typedef uint32_t cz_request_id;

/*
 * Copies the call's inputs and queues it, at the priority of the calling
 * thread, or of the one that waits for it while that is more urgent. *id is then
 * the caller's, to be ended by cz_wait() or cz_release(). Returns CZ_OK, CZ_E_BUSY when all
 * max_requests are in use, CZ_EFI_UNSUPPORTED, CZ_E_WITHDRAWN, CZ_E_TOO_LARGE,
 * CZ_E_ARGUMENT or CZ_E_STOPPED. Does not wait for firmware.
 *
 * The request stays in use until one of these two has ended it, also when its call is
 * done. A synchronous call waits for a free one: as many threads as there are requests
 * wait for each other for ever if each keeps a submitted request while it makes a
 * synchronous call with CZ_FOREVER. Give such a call a deadline, or have more requests
 * than threads that do this. A caller that waits for a free request can lend its
 * priority to no one for a request that is done and that no thread waits for.
 */
cz_status cz_submit(struct cz *cz, const struct cz_call *call,
		    cz_request_id *id);

/*
 * Waits for a request; when it is done, copies its outputs to where `call`
 * points, ends the request, and returns the call's status. CZ_E_DEADLINE leaves
 * the request the caller's. One thread waits for a request at a time.
 */
cz_status cz_wait(struct cz *cz, cz_request_id id, const struct cz_call *call,
		  uint64_t deadline_ns);

/*
 * Takes a request back before it starts: CZ_OK, and cz_wait() will return
 * CZ_E_CANCELLED. CZ_E_IN_FLIGHT when it has started or ended already. Does not
 * wait for firmware.
 */
cz_status cz_cancel(struct cz *cz, cz_request_id id);

/*
 * Gives a request up: cancelled if it has not started; else its result is
 * counted and dropped. Does not wait for firmware.
 */
void cz_release(struct cz *cz, cz_request_id id);

/* All of a sync call: submit (waiting for a free request), wait, give up at
 * the deadline. */
cz_status cz_call_and_wait(struct cz *cz, const struct cz_call *call,
			   uint64_t deadline_ns);

/*
 * Ends the worker's call in flight, if any, before firmware's next instruction
 * after an interrupt, which the host sends, and again where there is a kill limit,
 * until firmware takes it; its requester gets CZ_E_ABORTED, and the policy says
 * which services are withdrawn. A call that has written to a device goes on, within
 * its kill limit: cut off, it could leave a flash half written. So does one that
 * has a request suspended in the secure world, where the sandbox sees it: nobody
 * else could resume that. A cz_call_now() is left alone. Does not wait for firmware.
 */
void cz_abort_in_flight(struct cz *cz);

/* ---- Outside the queue ------------------------------------------------- */

/*
 * Makes a call at once, on this CPU, for a context that must not sleep: interrupts
 * or preemption off, an interrupt handler, a panic, any of the host's locks
 * held. Waits for nothing. It is made the way that kernels knew before: with
 * interrupts masked from end to end, whatever firmware takes. Works with all
 * requests in use and memory out.
 *
 * Returns what a service returns, its outputs written; CZ_E_BUSY without a call
 * when one is in flight on any CPU, this one included: a worker that is preempted
 * inside firmware, or another cz_call_now(). And for at most CZ_TURN_NS after
 * another cz_call_now(), if that has kept a queued call waiting: so the queue
 * waits for one of them at most, and CZ_TURN_NS, however many are made. Who has
 * but one try, in a panic, tries for as long. Never CZ_E_DEADLINE,
 * CZ_E_ABORTED or CZ_E_STOPPED. Any context, from the return of cz_init() to
 * the call of cz_fini().
 */
cz_status cz_call_now(struct cz *cz, const struct cz_call *call);
#define CZ_TURN_NS 20000ull

/*
 * cz_reset_system() for such a context: ResetSystem by cz_call_now(), or the host's
 * own means at once. Returns as cz_reset_system() does.
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
	bool given_up; /* the caller is gone */
	bool keeps_priority; /* in cz_wait(): its own counts, too */
	uint16_t generation;
	uint64_t age; /* order of submission */
	int priority; /* of the submitter, when it submitted */
	uint64_t mask; /* 1 << its number */
	cz_host_thread waiter; /* in cz_wait() or a synchronous call, or NULL */

	/* The submitter's while FILLING, the worker's while IN_FLIGHT, the
	 * waiter's once DONE. */
	enum cz_service service;
	cz_status status;
	uint32_t used_pages;
	uint32_t argument_count;
	uint64_t address; /* firmware's, of the first used page */
	uint64_t registers[CZ_MAX_ARGUMENTS];
	uint8_t *argument_alias[CZ_MAX_ARGUMENTS];

	struct cz_host_pages pages;
	cz_host_event done;
};

/* What the gate's assembly fills and reads; offsets are in src/arm64/gate_layout.h. */
struct cz_gate_context {
	uint64_t words[128];
};

struct cz {
	struct cz_host *host;
	enum cz_gate gate;
	enum cz_map_mode map_mode;

	/* Atomic. */
	uint32_t withdrawn; /* a mask of services */
	uint32_t bad_size_logged; /* the same: of which it has been said */
	/* Who owns firmware: NULL, a request of the worker's, or &direct_request. Taken by
	 * compare-and-swap; by the worker with the mutex held. */
	struct cz_request *in_flight;

	/* cz_init()'s: SetVirtualAddressMap is being called, and firmware finds
	 * each region at its physical address too. */
	bool is_relocating;

	/* Guarded by mutex. */
	cz_host_mutex mutex;
	bool stopping;
	bool worker_idle; /* it found nothing to do, and sleeps */
	uint32_t room_waiters; /* for a free request; and the worker, lending */
	uint64_t next_age;
	uint64_t next_window_page; /* arguments' next address */
	uint64_t free_requests; /* masks of requests, by number */
	uint64_t queued_requests;
	cz_host_event work; /* a request was queued */
	cz_host_event room; /* a request became free */

	/* Atomic: which call is to be ended, by its number, and whether its limit
	 * says so; see CZ_END_*. */
	uint64_t end_request;
	/* Atomic: the number of the latest call, and whether the watch is on. */
	uint64_t watch_state;
	/* Atomic: the latest call has left firmware. What is done for it then, or
	 * said about it, is not its time. */
	bool left_firmware;

	/* The owner's, and the exception hooks' on top of it. */
	cz_status ended_by; /* CZ_E_FAULT, _KILLED, _ABORTED; 0 if none */
	uint32_t touched; /* CZ_TOUCHED_*, by the present call */
	struct cz_gate_context gate_context;

	/* The owner's. But the mutex's: submitted, completed, cancelled,
	 * deadlines, late. Atomic: bad_sizes, now_busy. */
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
	uint64_t direct_window_page; /* cz_call_now()'s part, to the end */
	uint64_t stack_top; /* firmware's */
	struct cz_host_pages stack;
	struct cz_host_pages trampoline;
	cz_host_space space;
	cz_host_thread worker;
	struct cz_region regions[CZ_MAX_REGIONS];
	struct cz_image images[CZ_MAX_IMAGES];

	struct cz_request requests[CZ_MAX_REQUESTS]; /* see there */

	/* cz_call_now()'s, while it is the owner. DONE and still the owner: a call
	 * of its kind was cut off, and what is queued for the withdrawn services
	 * has to end before the worker's next call. The state is atomic: whoever
	 * changes it from DONE owns firmware. */
	struct cz_request direct_request;
	bool end_withdrawn_due; /* a call was cut off since the queue was swept last */
	uint64_t next_direct_page; /* its arguments' next address */
	uint32_t stats_seq; /* odd while it writes stats */
	uint64_t
		worker_turn_until_ns; /* atomic; until then the worker goes next */
	cz_host_borrow borrow;

	/* The watch's own: see src/watch.c. */
	cz_host_timer watch_timer;
	uint64_t watch_number, watch_ran_ns, watch_looked_ns;
	uint32_t watch_asked; /* how often it has asked for the call's end */

	/* The owner's. */
	uint64_t open_devices[CZ_MAX_REGIONS / 64]; /* regions, writable now */
	uint64_t last_bad_status[CZ_NULL_SERVICE]; /* said last; 0: none */
	uint32_t refusal_logged; /* services: a refused secure call is logged */
	struct cz_ending ending; /* being filled */
	struct cz_ending endings[CZ_NULL_SERVICE]; /* as stats are */

	/* Fixed by cz_init(). */
	struct cz_policy policy;
	uint64_t watch_period_ns; /* 0: no service has a limit */
	bool no_secure_services;
};

#ifdef __cplusplus
}
#endif

#endif
