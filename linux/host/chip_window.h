/* SPDX-License-Identifier: MIT */
/*
 * The flash chip's mapping, of which only a few small windows can be reached at a time,
 * and none while firmware runs; and the copy of it that firmware has. There is one.
 */
#ifndef LINUX_CHIP_WINDOW_H
#define LINUX_CHIP_WINDOW_H

#include "commit/flash.h"

#include <stdbool.h>
#include <stdint.h>

struct cz_host;
struct host_region;

/* Maps the chip, out of reach, and memory for the copy, at firmware's address and at
 * host->flash_copy. False: host->why. */
bool chip_window_open(struct cz_host *host, const struct host_region *region);

/* How flash.c and nor.c get at the chip, and change firmware's rights to the copy. */
struct flash_port chip_window_port(uint64_t size_bytes);
struct flash_memory chip_window_memory(const struct cz_host *host);

/* From a signal handler, before it returns to firmware: the chip, which flash.c may
 * have read, is out of its reach again. */
void chip_window_hide(void);

#endif
