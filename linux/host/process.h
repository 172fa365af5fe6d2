/* SPDX-License-Identifier: MIT */
/*
 * The process as a host of the library: the state that the files of this folder
 * share, and the options that the daemon's main passes to them.
 * <caesura/host.h> has the contracts of the functions that the library calls.
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

/* How this process backs a region that firmware uses at run time. */
enum host_memory {
	HOST_RAM,
	HOST_FLASH,
	HOST_CLOCK, /* passed through: a device that is known */
	HOST_DIRECT, /* passed through: --direct names it */
};

struct host_region {
	enum host_memory kind;
	uint64_t physical, address, size_bytes;
	unsigned number; /* index of the region in the state; RAM only */
};

/* A range of firmware's addresses that the library has mapped with one
 * protection. */
struct host_part {
	uint64_t address, size_bytes;
	uint32_t prot;
	/* RAM: part of host->dirty, for the pages of this range; else NULL */
	uint8_t *dirty;
};

/* fifo_priority: 0 keeps the worker SCHED_OTHER, another value is its priority
 * as SCHED_FIFO. */
struct host_options {
	const char *state_path;
	int kept_state; /* see struct state_config */
	int fifo_priority;
	/* Physical addresses of devices that firmware may access directly. */
	uint64_t direct[HOST_MAX_DEVICES];
	unsigned direct_count;
};

struct host_timer;

struct cz_host {
	struct machine *machine;
	struct host_options options;
	struct cz *cz; /* set before cz_init() is called */
	struct pin pin; /* filled in before cz_init() */

	struct host_region region[STATE_MAX_REGIONS + HOST_MAX_DEVICES];
	unsigned region_count;
	struct state *state;
	/* The machine's own RAM, to which commits are copied. It has no regions
	 * where that RAM cannot be written. */
	struct ram ram;
	/* By number of the state's region. dirty has a byte for each page: 0
	 * means that the page is as last committed, and cannot be written. */
	uint8_t *mapping[STATE_MAX_REGIONS], *dirty[STATE_MAX_REGIONS];
	struct flash *flash; /* or NULL */
	const struct store *store; /* the flash, as a store; or NULL */
	uint8_t *flash_copy;
	uint64_t flash_bytes;
	/* Where variables persist. Complete when firmware_memory_open() has
	 * succeeded, but for has_set_variable. */
	struct persist_facts facts;
	/* The variable store in the flash chip; 0 bytes: unknown. */
	uint64_t store_offset, store_bytes;

	/* The library's pages, and the window in which firmware sees some of
	 * them. */
	int pages_fd;
	uint64_t pages_bytes;
	uint64_t window_address, window_bytes;
	struct host_part part[HOST_MAX_PARTS];
	unsigned part_count;
	/* The part that pages_reach() found last, by enum flash_reach. */
	struct host_part *part_recent[3];
	/* Copies of tables, returned by cz_host_firmware_alias(). */
	void *table[HOST_MAX_TABLES];
	unsigned table_count;

	/* Timers; one thread serves all of them. */
	pthread_mutex_t timer_mutex;
	pthread_cond_t timer_changed;
	struct host_timer *timers;
	struct host_timer *firing;
	uint64_t timers_wake_ns; /* when that thread wakes up by itself */

	bool to_terminal; /* standard error is not systemd's journal */
	char why[HOST_WHY_CHARS];
};

#endif
