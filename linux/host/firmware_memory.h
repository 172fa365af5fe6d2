/* SPDX-License-Identifier: MIT */
/* Firmware's memory in this process. */
#ifndef LINUX_FIRMWARE_MEMORY_H
#define LINUX_FIRMWARE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct cz_host;

/*
 * Maps all of firmware's memory that there is in this process, from the state file,
 * which is made or goes on; recovers what a killed daemon has left. Before cz_init().
 * False: host->why.
 */
bool firmware_memory_open(struct cz_host *host);

/* The lowest and the highest address that firmware can execute at. */
void firmware_memory_range(const struct cz_host *host, uint64_t *low,
			   uint64_t *end);

/* What holds all of firmware's code that firmware may also write; 0 and 0: it may write
 * none. After cz_init(). */
void firmware_memory_changing_code(const struct cz_host *host, uint64_t *low,
				   uint64_t *end);

#endif
