/* SPDX-License-Identifier: MIT */
/*
 * The process as a host of the library: the state that the files of this folder
 * share, and what the daemon's main says to them. <caesura/host.h> has the contracts
 * of the functions that the library calls.
 */
#ifndef LINUX_PROCESS_H
#define LINUX_PROCESS_H

#include "commit/flash.h"
#include "commit/persist.h"
#include "commit/ram.h"
#include "commit/state.h"
#include "host/pin.h"
#include "machine/efi_machine.h"

#include <caesura/caesura.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define HOST_MAX_DEVICES 32u
#define HOST_MAX_TABLES 64u
#define HOST_MAX_PARTS (CZ_MAX_REGIONS + 8)
#define HOST_WHY_CHARS 512

/* A descriptor of firmware's that is in this process at its address. */
enum host_memory {
	HOST_RAM,
	HOST_FLASH,
	HOST_CLOCK, /* passed through, as it is one that is known */
	HOST_DIRECT, /* passed through, as somebody said so */
};

struct host_region {
	enum host_memory kind;
	uint64_t physical, address, size_bytes;
	unsigned number; /* of the state's region, where it is RAM */
};

/* What firmware may do where, as the library has it mapped. */
struct host_part {
	uint64_t address, size_bytes;
	uint32_t prot;
	uint8_t *dirty; /* RAM's: as its region's, of its pages; else NULL */
};

/* Scheduling of the worker: 0 is SCHED_OTHER, else SCHED_FIFO's priority. */
struct host_options {
	const char *state_path;
	int kept_state; /* struct state_config's kept_fd */
	int fifo_priority;
	/* Devices that are mapped as they are, whatever they are. */
	uint64_t direct[HOST_MAX_DEVICES];
	unsigned direct_count;
};

struct host_timer;

struct cz_host {
	struct machine *machine;
	struct host_options options;
	struct cz *cz; /* once cz_init() has been called */
	struct pin pin; /* before cz_init() */

	struct host_region region[STATE_MAX_REGIONS + HOST_MAX_DEVICES];
	unsigned region_count;
	struct state *state;
	struct ram
		ram; /* the machine's, kept the same; no regions: it is not */
	/* Of the state's regions; a byte for each page, of which 0 says that it is as
	 * committed, and not writable. */
	uint8_t *mapping[STATE_MAX_REGIONS], *dirty[STATE_MAX_REGIONS];
	struct flash *flash; /* or NULL */
	uint8_t *flash_copy;
	uint64_t flash_bytes;
	/* Where variables persist: complete when firmware_memory_open() has succeeded, but for
	 * has_set_variable. */
	struct persist_facts facts;
	uint64_t store_offset,
		store_bytes; /* of variables, in flash; 0: unknown */

	/* The library's pages, and where firmware sees some of them. */
	int pages_fd;
	uint64_t pages_bytes;
	uint64_t window_address, window_bytes;
	struct host_part part[HOST_MAX_PARTS];
	unsigned part_count;
	/* By enum flash_reach: where it was last time. */
	struct host_part *part_recent[3];
	void *table[HOST_MAX_TABLES]; /* copies handed out as aliases */
	unsigned table_count;

	/* Timers, by one thread. */
	pthread_mutex_t timer_mutex;
	pthread_cond_t timer_changed;
	struct host_timer *timers;
	struct host_timer *firing;
	uint64_t timers_wake_ns; /* at the latest, by itself */

	bool to_terminal; /* the log is read by somebody */
	char why[HOST_WHY_CHARS];
};

#endif
