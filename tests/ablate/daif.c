/* SPDX-License-Identifier: MIT */
/*
 * Removes the virtual interrupt mask: when sandboxed firmware masks interrupts,
 * this CPU gets none until firmware unmasks them or returns. Replaces
 * src/arm64/mask.c.
 */
#include "arm64/trap.h"
#include "dev/gic.h"

#define DAIF_I 0x80u

static uint64_t before;

void cz_mask_write(struct cz *cz, uint64_t daif)
{
	struct virtual_machine *virtual = &gate_of(cz)->virtual;

	virtual->daif = daif;
	if ((daif & DAIF_I) != 0 && !virtual->masked) {
		virtual->masked = true;
		before = gic_cpu_mask();
	} else if ((daif & DAIF_I) == 0 && virtual->masked) {
		cz_mask_end(cz);
	}
}

void cz_mask_end(struct cz *cz)
{
	gate_of(cz)->virtual.masked = false;
	gic_cpu_unmask(before);
}

void cz_mask_pause(struct cz *cz)
{
	(void)cz;
}

void cz_mask_resume(struct cz *cz)
{
	(void)cz;
}
