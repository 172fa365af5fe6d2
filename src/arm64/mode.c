/* SPDX-License-Identifier: MIT */
/* Exception frames at EL1: tells whether one was taken from firmware, and makes
 * one return into the gate. */
#include "trap.h"

#define MODE_MASK 0x1full
#define MODE_EL0T 0x00ull
#define MODE_EL1T 0x04ull
#define MODE_EL1H 0x05ull
#define MASKED 0x3c0ull /* DAIF: all interrupts */

bool cz_frame_is_firmware(const struct cz *cz, const struct cz_frame *frame)
{
	const struct gate *gate = const_gate_of(cz);

	if (cz->gate == CZ_GATE_SANDBOX) {
		return (frame->pstate & MODE_MASK) == MODE_EL0T;
	}
	if ((frame->pstate & MODE_MASK) == MODE_EL1T) {
		return true;
	}
	/* Firmware that selected the other stack pointer is still firmware. */
	return gate->active != 0 && (frame->pc >> 55 & 1) == 0;
}

const char *cz_gate_end_of(const struct cz *cz)
{
	return cz->gate == CZ_GATE_SANDBOX ? cz_gate_sandbox_end
					   : cz_gate_direct_end;
}

void cz_gate_return_to(struct cz *cz, struct cz_frame *frame, const char *where)
{
	struct gate *gate = gate_of(cz);
	/* From the sandbox, restore the host's own bits. The direct gate keeps
	 * firmware's, because it compares and restores them later. */
	uint64_t kept = cz->gate == CZ_GATE_SANDBOX
				? gate->state
				: frame->pstate & PSTATE_KEPT;

	frame->x[16] = (uint64_t)gate;
	frame->pc = (uint64_t)where;
	frame->pstate = MODE_EL1H | MASKED | kept;
}
