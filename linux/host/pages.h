/* SPDX-License-Identifier: MIT */
/* The parts of firmware's address space that the library has mapped, and which
 * pages of RAM a call has written. RAM is read-only until firmware's first
 * store to a page faults. */
#ifndef LINUX_PAGES_H
#define LINUX_PAGES_H

#include "commit/flash.h"

#include <stdbool.h>
#include <stdint.h>

struct cz_host;
struct host_part;

/* The protection for mmap() that corresponds to CZ_PROT_*; reading is always
 * allowed. */
int pages_prot(uint32_t prot);

/* Adds a part, or replaces the one that begins at the same address. False:
 * there are too many. */
bool pages_add(struct cz_host *host, const struct host_part *part);
void pages_remove(struct cz_host *host, uint64_t address);

/* Firmware's store to RAM at this address has faulted. Returns true if it was
 * the first store to that page: the page can be written now, and the store is
 * to be repeated. Called from a signal handler. */
bool pages_wrote(struct cz_host *host, uint64_t address);

/* For struct flash_firmware. */
void *pages_reach(void *context, uint64_t address, uint32_t bytes,
		  enum flash_reach how);

/* Makes all pages read-only again, and not dirty. After a commit or a
 * roll-back. */
void pages_close(struct cz_host *host);

#endif
