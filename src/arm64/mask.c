/* SPDX-License-Identifier: MIT */
/*
 * The emulated interrupt mask. When sandboxed firmware masks interrupts, they
 * stay enabled. The library only counts the time until firmware unmasks them,
 * as far as firmware runs in it.
 */
#include "trap.h"

#define DAIF_I 0x80u

static struct virtual_machine *machine_of(struct cz *cz)
{
	return &gate_of(cz)->virtual;
}

/* Begins an interval. Counting starts when firmware continues:
 * cz_mask_resume(). */
static void begin(struct virtual_machine *virtual)
{
	virtual->masked = true;
	virtual->paused = true;
	virtual->masked_ns = 0;
}

void cz_mask_pause(struct cz *cz)
{
	struct virtual_machine *virtual = machine_of(cz);

	if (virtual->masked && !virtual->paused) {
		virtual->masked_ns +=
			cz_host_now_ns(cz->host) - virtual->masked_from_ns;
		virtual->paused = true;
	}
}

void cz_mask_resume(struct cz *cz)
{
	struct virtual_machine *virtual = machine_of(cz);

	if (virtual->masked && virtual->paused) {
		virtual->masked_from_ns = cz_host_now_ns(cz->host);
		virtual->paused = false;
	}
}

void cz_mask_end(struct cz *cz)
{
	struct virtual_machine *virtual = machine_of(cz);
	struct cz_service_stats *stats = cz_stats_in_flight(cz);

	cz_mask_pause(cz);
	virtual->masked = false;
	if (stats != NULL) {
		stats->masked_windows++;
		stats->masked_ns += virtual->masked_ns;
		if (virtual->masked_ns > stats->masked_max_ns) {
			stats->masked_max_ns = virtual->masked_ns;
		}
	}
}

void cz_mask_write(struct cz *cz, uint64_t daif)
{
	struct virtual_machine *virtual = machine_of(cz);

	virtual->daif = daif;
	if ((daif & DAIF_I) != 0 && !virtual->masked) {
		begin(virtual);
	} else if ((daif & DAIF_I) == 0 && virtual->masked) {
		cz_mask_end(cz);
	}
}
