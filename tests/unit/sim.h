/* SPDX-License-Identifier: MIT */
/*
 * A machine for the library's tests, in one process: a host made of pthreads
 * (sim_host.c), a firmware with its tables in simulated RAM (sim_firmware.c),
 * and a gate that calls it (sim_gate.c). Firmware's addresses are real ones of
 * the process, mapped as the library says: a stray access faults.
 */
#ifndef SIM_H
#define SIM_H

#include <caesura/caesura.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- How a host can be broken, one function each ---- */

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

/* ---- Physical memory, and what is where ---- */

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
#define SIM_SET_VIRTUAL CZ_NULL_SERVICE /* its number among them */
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
	bool masked, borrowing; /* interrupts are off; a CPU is lent */
	pthread_t pthread;
	void (*entry)(void *);
	void *argument;
	sigjmp_buf firmware; /* where a call that is ended goes */
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

/* What a service does when a test wants it otherwise. */
typedef uint64_t (*sim_service)(struct cz_host *sim, struct cz *cz,
				const uint64_t *registers);

struct cz_host {
	enum sim_broken broken;
	bool has_sandbox; /* to look at only: what is called runs as ever */
	int fail_after; /* which call that may fail does; -1: none */

	/* Guarded by lock; every wait is on changed. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct sim_thread *threads;
	uint64_t backward;
	void (*timer_fire)(void *argument); /* pending, or NULL */
	void *timer_argument;
	uint64_t timer_ns;
	bool timers_run; /* fire by themselves, while somebody waits */
	bool not_running; /* the worker is switched out */
	unsigned calls_ended, calls_completed;
	bool keeps_nothing; /* of what a call did */
	bool held_at_end; /* cz_host_call_end() goes on when `held` is cleared */
	bool held_in_log; /* so does the next cz_host_log() */
	unsigned interrupts_sent;
	void (*unlocking)(
		void); /* a mutex is about to be given back; or NULL */
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

	/* The map and the table of attributes, before they go to RAM. */
	struct cz_efi_memory_descriptor entries[SIM_MAX_ENTRIES];
	uint32_t entry_count;
	size_t stride;
	uint8_t map_bytes[SIM_MAX_ENTRIES * 128];
	struct cz_efi_memory_descriptor attributes[SIM_MAX_ENTRIES];
	uint32_t attribute_count;

	/* Firmware. */
	sim_service hook[CZ_SERVICE_COUNT + 2];
	uint64_t shift; /* its addresses less physical ones */
	bool virtual_set;
	uint32_t leave_anomalies;
	uint64_t fault_address; /* of the latest fault */
	struct sim_variable variables[SIM_MAX_VARIABLES];
	struct cz_efi_time time, wakeup;
	uint8_t wakeup_enabled;
	uint32_t high_count;
	uint64_t last_registers[CZ_MAX_ARGUMENTS];
	uint32_t order[64]; /* services, as they were entered */
	uint32_t order_count;
	bool held, entered_hold; /* sim_hold() */
	uint64_t reset_type, reset_status;
	int host_resets;
	enum cz_efi_reset_type host_reset_type;
	struct cz_cpu_set cpus; /* the worker's */
	bool cpus_refused;
	uint8_t reset_data[64];
	struct cz_efi_capsule_header capsules[8];
	uint32_t capsule_count;
};

/* ---- sim_host.c ---- */

void sim_host_start(struct cz_host *sim);
void sim_host_stop(struct cz_host *sim);

/* The calling thread as the host knows it; made when it is new. */
struct sim_thread *sim_self(struct cz_host *sim);

/* A thread of a test. */
struct sim_thread *sim_spawn(struct cz_host *sim, int priority,
			     void (*entry)(void *), void *argument);
void sim_join(struct cz_host *sim, struct sim_thread *thread);

void sim_set_priority(struct sim_thread *thread, int priority);
int sim_priority(struct cz_host *sim, struct sim_thread *thread);

/* Whether a log line contains the text. */
bool sim_logged(struct cz_host *sim, const char *text);
void sim_forget_log(struct cz_host *sim);

/* What is mapped at one of firmware's addresses, or NULL. */
const struct sim_mapping *sim_mapped(struct cz_host *sim, uint64_t address);

/* Nothing that the library allocated is left. */
bool sim_is_clean(const struct cz_host *sim);

/* The timer's interrupt, if it is on; false if not. The clock leaps to its time. */
bool sim_fire(struct cz_host *sim);

/* The clock leaps to a time that has not come yet. */
void sim_leap(struct cz_host *sim, uint64_t to_ns);

/* Waits, for at most two seconds, until check(argument) holds. */
bool sim_until(bool (*check)(void *), void *argument);

/* ---- sim_firmware.c ---- */

/* A sound firmware: the map, the tables, two images. */
void sim_firmware_start(struct cz_host *sim);

/* Writes the map and the attributes table from their entries. */
void sim_write_map(struct cz_host *sim);
void sim_write_attributes(struct cz_host *sim, uint32_t version,
			  uint32_t descriptor_size);
void sim_write_properties(struct cz_host *sim, uint32_t supported);

/* Adds an entry to the map. */
struct cz_efi_memory_descriptor *sim_add_entry(struct cz_host *sim,
					       uint32_t type, uint64_t start,
					       uint64_t pages,
					       uint64_t attribute);

/* Puts a PE image into RAM, with a debug record for `path` unless NULL. */
void sim_write_image(struct cz_host *sim, uint64_t physical, uint32_t size,
		     const char *path);

/* The host's alias of physical RAM. */
void *sim_ram(struct cz_host *sim, uint64_t physical);
struct cz_efi_system_table *sim_system_table(struct cz_host *sim);
struct cz_efi_runtime_services *sim_runtime_table(struct cz_host *sim);
struct cz_efi_configuration_table *sim_configuration(struct cz_host *sim);

/* A configuration for cz_init() that fits what is in RAM. */
struct cz_config sim_config(struct cz_host *sim);

/* What firmware does for a function's number. */
uint64_t sim_service_call(struct cz_host *sim, struct cz *cz, uint32_t number,
			  const uint64_t *registers);

/* A hook that stays in firmware while sim->held, ended by an abort; then does
 * as the service does. */
uint64_t sim_hold(struct cz_host *sim, struct cz *cz,
		  const uint64_t *registers);
void sim_release_hold(struct cz_host *sim);

/* Where an interrupt would be taken: acts on an abort. */
void sim_interrupt(struct cz *cz);

extern const struct cz_efi_guid test_guid;

#endif
