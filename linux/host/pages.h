/* SPDX-License-Identifier: MIT */
/*
 * What firmware may do where, as the library has it mapped, and which pages of RAM a
 * call has written: RAM cannot be written until firmware's first store to a page
 * faults.
 */
#ifndef LINUX_PAGES_H
#define LINUX_PAGES_H

#include "commit/flash.h"

#include <stdbool.h>
#include <stdint.h>

struct cz_host;
struct host_part;

/* mmap()'s protection for CZ_PROT_*; all can be read. */
int pages_prot(uint32_t prot);

/* Notes a part; in place of the one that began there. False: there are too many. */
bool pages_add(struct cz_host *host, const struct host_part *part);
void pages_remove(struct cz_host *host, uint64_t address);

/*
 * Firmware's store to RAM has faulted there: whether it was the first to that page, which
 * it may make, and is made again. From a signal handler.
 */
bool pages_wrote(struct cz_host *host, uint64_t address);

/* struct flash_firmware's. */
void *pages_reach(void *context, uint64_t address, uint32_t bytes,
		  enum flash_reach how);

/* After a commit or a roll-back: no page can be written, and none is dirty. */
void pages_close(struct cz_host *host);

#endif
