/* SPDX-License-Identifier: MIT */
/* Whose frame it is, by the mode that it was taken from. */
#include "gate.h"

#define MODE_MASK 0x1full
#define MODE_EL0T 0x00ull
#define MODE_EL1T 0x04ull

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
