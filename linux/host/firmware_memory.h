/* SPDX-License-Identifier: MIT */
/* Firmware's memory in this process. */
#ifndef LINUX_FIRMWARE_MEMORY_H
#define LINUX_FIRMWARE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct cz_host;

/*
 * Maps firmware's memory into this process: all regions that the memory map
 * marks as runtime. RAM comes from the state file, which is made or taken up
 * again. Completes a commit that a killed daemon left. Called before cz_init().
 * False: host->why.
 */
bool firmware_memory_open(struct cz_host *host);

/* The range of addresses in which all code of firmware's lies: [*low, *end). */
void firmware_memory_range(const struct cz_host *host, uint64_t *low,
			   uint64_t *end);

/* The range that holds all code that firmware may also write; 0 and 0 if there
 * is none. Called after cz_init(). */
void firmware_memory_changing_code(const struct cz_host *host, uint64_t *low,
				   uint64_t *end);

#endif
