/* SPDX-License-Identifier: MIT */
/* Access to the flash chip. The chip is mapped without access. Small windows of
 * it are opened when the daemon reads or writes there, and all are closed
 * before firmware runs. There is one chip. */
#ifndef LINUX_CHIP_WINDOW_H
#define LINUX_CHIP_WINDOW_H

#include "commit/flash.h"

#include <stdbool.h>
#include <stdint.h>

struct cz_host;
struct host_region;

/* Maps the chip, and memory for the copy twice: at firmware's address and at
 * host->flash_copy. False: host->why. */
bool chip_window_open(struct cz_host *host, const struct host_region *region);

/* Functions that access the chip, and that change firmware's rights to the
 * copy. */
struct flash_port chip_window_port(uint64_t size_bytes);
struct flash_memory chip_window_memory(const struct cz_host *host);

/* Closes all windows. A signal handler calls this before it returns to
 * firmware. */
void chip_window_hide(void);

#endif
