/* SPDX-License-Identifier: MIT */
/*
 * The machine's own RAM that firmware uses. Each commit updates it together
 * with the state's copy (state.h), so that a kernel that kexec starts, and a
 * caesurad that has lost its state, find what was written. It is mapped beside
 * firmware's copy. Only the page that is being read or written is accessible.
 */
#ifndef LINUX_RAM_H
#define LINUX_RAM_H

#include "commit/state.h"
#include "machine/efi_machine.h"

#include <stdbool.h>

struct ram_region {
	uint8_t *start; /* mapped without access */
	uint64_t size_bytes;
};

struct ram {
	struct ram_region region[STATE_MAX_REGIONS];
	unsigned count;
	/* Called before each store. Ends the process if the store must not be
	 * made. */
	void (*before_put)(void *context);
	void *context;
	struct state_ram port; /* what state.h calls */
};

/* Maps the RAM. Returns false, with the reason in machine->why, if it cannot be
 * written, as with an older module. */
bool ram_open(struct ram *ram, struct machine *machine,
	      const struct state_region *regions, unsigned count);

#endif
