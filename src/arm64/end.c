/* SPDX-License-Identifier: MIT */
/*
 * The way out of firmware for who does not take it: an exception's frame is made to
 * return to the gate. Interrupts stay off until the gate has looked at what
 * firmware left.
 */
#include "trap.h"

/* Formatting and printing take long: not here, with interrupts off. */
void cz_gate_end(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		 uint64_t far, cz_status why)
{
	struct gate *gate = gate_of(cz);

	gate->end = *frame;
	gate->end_esr = esr;
	gate->end_far = far;
	cz->ended_by = why;
	cz_gate_return_to(cz, frame, cz_gate_end_of(cz));
}
