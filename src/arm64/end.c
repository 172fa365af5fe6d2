/* SPDX-License-Identifier: MIT */
/*
 * Ends a call from an exception: changes the exception's frame so that it
 * returns into the gate instead of into firmware. Interrupts stay off until the
 * gate has checked what firmware left changed.
 */
#include "trap.h"

/* Only saves what is known. Formatting and logging take long; the worker does
 * them later, with interrupts on. */
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
