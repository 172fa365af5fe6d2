/* SPDX-License-Identifier: MIT */
/*
 * A machine for the library's tests, in one process: a host made of pthreads
 * (sim_host.c), a firmware with its tables in simulated RAM (sim_firmware.c),
 * and a gate that calls it (sim_gate.c). Firmware's addresses are addresses of
 * this process, and they are mapped as the library asks. An access to any other
 * address therefore faults.
 */
#ifndef SIM_H
#define SIM_H

#include <caesura/caesura.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Defects of a host: each breaks one host function ---- */

enum sim_broken {
	SIM_SOUND,
	SIM_CLOCK_STANDS,
	SIM_CLOCK_RUNS_BACK,
	SIM_PAGES_NONE,
	SIM_PAGES_DIRTY,
	SIM_PAGES_NO_ALIAS,
	SIM_ALIAS_EVERYWHERE,
	SIM_GATES_NONE,
	SIM_SPACE_NONE,
	SIM_MAP_REFUSED,
	SIM_MAP_NO_CHANGE,
	SIM_MAP_NO_AGAIN,
	SIM_WORKER_NONE,
	SIM_WORKER_STILL,
	SIM_WORKER_URGENT,
	SIM_JOIN_EARLY,
	SIM_SELF_ONE,
	SIM_SELF_OTHER,
	SIM_MUTEX_OPEN,
	SIM_MUTEX_STUCK,
	SIM_MUTEX_NO_INHERITANCE,
	SIM_EVENT_STARTS_SET,
	SIM_EVENT_FORGETS,
	SIM_EVENT_DEAF,
	SIM_EVENT_STICKS,
	SIM_EVENT_EARLY,
	SIM_EVENT_LIES,
	SIM_EVENT_NO_INHERITANCE,
	SIM_CPUS_REFUSED,
	SIM_INTERRUPTS_STAY,
	SIM_TIMER_DEAD,
	SIM_TIMER_EARLY,
	SIM_NOT_RUNNING,
	SIM_UNMAP_LEAVES,
};

/* ---- The layout of physical memory ---- */

#define SIM_PAGE 4096ull
#define SIM_RAM 0x40000000ull
#define SIM_RAM_BYTES 0x800000ull
#define SIM_DATA 0x40100000ull /* runtime data: tables, firmware's state */
#define SIM_DATA_PAGES 64u
#define SIM_CODE 0x40200000ull /* runtime code: one driver's image */
#define SIM_CODE_PAGES 16u
#define SIM_BOOT 0x40300000ull /* boot services data: attributes table */
#define SIM_BOOT_PAGES 16u
#define SIM_CODE_2 0x40400000ull /* another driver */
#define SIM_MMIO 0x09010000ull
#define SIM_WINDOW 0x50000000ull
#define SIM_WINDOW_BYTES (4ull << 20)
#define SIM_VIRTUAL 0x30000000ull /* virtual_start is physical minus this */

#define SIM_SYSTEM_TABLE SIM_DATA
#define SIM_RUNTIME_TABLE (SIM_DATA + 0x200)
#define SIM_CONFIGURATION (SIM_DATA + 0x400)
#define SIM_STATE (SIM_DATA + 0x1000)
#define SIM_ATTRIBUTES SIM_BOOT
#define SIM_PROPERTIES (SIM_BOOT + 0x8000)
#define SIM_TEXT (SIM_CODE + 0x1000) /* functions, 64 bytes apart */
#define SIM_SET_VIRTUAL CZ_NULL_SERVICE /* SetVirtualAddressMap's number */
#define SIM_CONVERT_POINTER (CZ_NULL_SERVICE + 1)

#define SIM_MAX_ENTRIES 64
#define SIM_MAX_VARIABLES 8
#define SIM_MAX_MAPPINGS 512
#define SIM_MAX_SEEN 65536 /* pages; a power of two */

struct sim_variable {
	uint16_t name[CZ_MAX_NAME_BYTES / 2];
	struct cz_efi_guid guid;
	uint32_t attributes;
	uint32_t size;
	uint8_t data[4096];
};

struct sim_thread {
	struct cz_host *sim;
	struct sim_thread *next;
	int priority;
	struct sim_thread *waits_for;
	int mutexes, pins, sections;
	cz_host_space entered;
	bool masked, borrowing; /* interrupts are off; has the CPU borrowed */
	pthread_t pthread;
	void (*entry)(void *);
	void *argument;
	sigjmp_buf firmware; /* the gate: a fault or an abort jumps there */
	struct cz *in_firmware;
};

struct sim_mapping {
	uint64_t address;
	size_t page_count;
	uint64_t cookie;
	enum cz_backing backing;
	enum cz_memory_type type;
	uint32_t prot;
};

/* A function that a test installs in place of a service. */
typedef uint64_t (*sim_service)(struct cz_host *sim, struct cz *cz,
				const uint64_t *registers);

struct cz_host {
	enum sim_broken broken;
	bool has_sandbox; /* offers the sandbox gate; calls run as before */
	/* How many more calls of functions that may fail succeed before one
	 * fails; -1: none fails. */
	int fail_after;

	/* Guarded by `lock`. All threads wait on `changed`. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct sim_thread *threads;
	uint64_t backward;
	void (*timer_fire)(void *argument); /* pending, or NULL */
	void *timer_argument;
	uint64_t timer_ns;
	bool timers_run; /* a wait for an event first fires the timer */
	bool not_running; /* the worker is switched out */
	unsigned calls_ended, calls_completed;
	bool keeps_nothing; /* cz_host_call_end() returns false */
	bool held_at_end; /* cz_host_call_end() waits until `held` is false */
	bool held_in_log; /* the next cz_host_log() waits likewise */
	unsigned interrupts_sent;
	void (*unlocking)(
		void); /* called before a mutex is unlocked, or NULL */
	char log[16384];
	size_t log_bytes;
	struct sim_thread *unjoined;

	/* Memory. */
	int ram_file, mmio_file, pages_file;
	uint8_t *ram; /* the host's alias */
	uint8_t *pages;
	size_t pages_next;
	int pages_live, spaces_live, workers_live, maps_seen;
	struct sim_mapping mappings[SIM_MAX_MAPPINGS];
	uint32_t mapping_count;
	uint64_t lowest_argument, highest_argument; /* ever mapped */
	uint64_t
		seen[SIM_MAX_SEEN]; /* addresses of pages ever mapped, hashed */

	/* The entries of the memory map and of the Memory Attributes Table,
	 * from which sim_write_map() and sim_write_attributes() make the
	 * tables. */
	struct cz_efi_memory_descriptor entries[SIM_MAX_ENTRIES];
	uint32_t entry_count;
	size_t stride;
	uint8_t map_bytes[SIM_MAX_ENTRIES * 128];
	struct cz_efi_memory_descriptor attributes[SIM_MAX_ENTRIES];
	uint32_t attribute_count;

	/* Firmware. */
	sim_service hook[CZ_SERVICE_COUNT + 2];
	uint64_t shift; /* virtual minus physical address of code */
	bool virtual_set;
	uint32_t leave_anomalies;
	uint64_t fault_address; /* of the latest fault */
	struct sim_variable variables[SIM_MAX_VARIABLES];
	struct cz_efi_time time, wakeup;
	uint8_t wakeup_enabled;
	uint32_t high_count;
	uint64_t last_registers[CZ_MAX_ARGUMENTS];
	uint32_t order[64]; /* the services in the order of their calls */
	uint32_t order_count;
	bool held, entered_hold; /* see sim_hold() */
	uint64_t reset_type, reset_status;
	int host_resets;
	enum cz_efi_reset_type host_reset_type;
	struct cz_cpu_set cpus; /* where the worker may run */
	bool cpus_refused;
	uint8_t reset_data[64];
	struct cz_efi_capsule_header capsules[8];
	uint32_t capsule_count;
};

/* ---- sim_host.c ---- */

void sim_host_start(struct cz_host *sim);
void sim_host_stop(struct cz_host *sim);

/* Returns the host's structure for the calling thread, and makes one when the
 * thread has none yet. */
struct sim_thread *sim_self(struct cz_host *sim);

/* Start a thread of a test, and wait until it has ended. */
struct sim_thread *sim_spawn(struct cz_host *sim, int priority,
			     void (*entry)(void *), void *argument);
void sim_join(struct cz_host *sim, struct sim_thread *thread);

void sim_set_priority(struct sim_thread *thread, int priority);
int sim_priority(struct cz_host *sim, struct sim_thread *thread);

/* Returns whether the log contains the text. */
bool sim_logged(struct cz_host *sim, const char *text);
void sim_forget_log(struct cz_host *sim);

/* Returns what is mapped at one of firmware's addresses, or NULL. */
const struct sim_mapping *sim_mapped(struct cz_host *sim, uint64_t address);

/* Returns whether the library has freed all that it allocated. */
bool sim_is_clean(const struct cz_host *sim);

/* Advances the clock to the timer's time and calls the timer's function.
 * Returns false if the timer is off. */
bool sim_fire(struct cz_host *sim);

/* Advances the clock to a time in the future. Does nothing for a past time. */
void sim_leap(struct cz_host *sim, uint64_t to_ns);

/* Waits until check(argument) returns true, for at most two seconds. Returns
 * whether it did. */
bool sim_until(bool (*check)(void *), void *argument);

/* ---- sim_firmware.c ---- */

/* Makes firmware without defects: the memory map, the tables, two images. */
void sim_firmware_start(struct cz_host *sim);

/* Write the memory map, the Memory Attributes Table and the properties table.
 * The first two take their entries from `sim`. */
void sim_write_map(struct cz_host *sim);
void sim_write_attributes(struct cz_host *sim, uint32_t version,
			  uint32_t descriptor_size);
void sim_write_properties(struct cz_host *sim, uint32_t supported);

/* Adds an entry to the map. */
struct cz_efi_memory_descriptor *sim_add_entry(struct cz_host *sim,
					       uint32_t type, uint64_t start,
					       uint64_t pages,
					       uint64_t attribute);

/* Puts a PE image into RAM. If `path` is not NULL, a debug record names it. */
void sim_write_image(struct cz_host *sim, uint64_t physical, uint32_t size,
		     const char *path);

/* These return the host's alias of physical RAM, and of the tables in it. */
void *sim_ram(struct cz_host *sim, uint64_t physical);
struct cz_efi_system_table *sim_system_table(struct cz_host *sim);
struct cz_efi_runtime_services *sim_runtime_table(struct cz_host *sim);
struct cz_efi_configuration_table *sim_configuration(struct cz_host *sim);

/* Returns a configuration for cz_init() that fits the tables in RAM. */
struct cz_config sim_config(struct cz_host *sim);

/* Runs firmware's function with this number, or the test's function for it. */
uint64_t sim_service_call(struct cz_host *sim, struct cz *cz, uint32_t number,
			  const uint64_t *registers);

/* A hook that stays in firmware while sim->held is true. An abort or a kill can
 * end the call meanwhile. After the hook has returned, the service itself runs.
 */
uint64_t sim_hold(struct cz_host *sim, struct cz *cz,
		  const uint64_t *registers);
void sim_release_hold(struct cz_host *sim);

/* Does what the handler of an interrupt does in firmware: ends the call if the
 * library has asked for that. */
void sim_interrupt(struct cz *cz);

extern const struct cz_efi_guid test_guid;

#endif
