/* SPDX-License-Identifier: MIT */
/*
 * The machine's own RAM of firmware's, which is kept as the state's copy is
 * (state.h), so that a kernel that is started by kexec, and a caesurad that has lost
 * its state, find what has been written. It is mapped beside firmware's, out of reach
 * but for the page that is being looked at or stored to.
 */
#ifndef LINUX_RAM_H
#define LINUX_RAM_H

#include "commit/state.h"
#include "machine/efi_machine.h"

#include <stdbool.h>

struct ram_region {
	uint8_t *start; /* no access */
	uint64_t size_bytes;
};

struct ram {
	struct ram_region region[STATE_MAX_REGIONS];
	unsigned count;
	/* Called before each store. If that must not be made, it ends the process. */
	void (*before_put)(void *context);
	void *context;
	struct state_ram port; /* for state.h */
};

/* Maps it. False: it cannot be written, as an older module does not let it; why in
 * machine->why. */
bool ram_open(struct ram *ram, struct machine *machine,
	      const struct state_region *regions, unsigned count);

#endif
