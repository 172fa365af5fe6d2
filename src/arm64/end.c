/* SPDX-License-Identifier: MIT */
/*
 * The way out of firmware for who does not take it: an exception's frame is made to
 * return to the gate. Interrupts stay off until the gate has looked at what
 * firmware left.
 */
#include "trap.h"

#define MODE_EL1H 0x05ull
#define MASKED 0x3c0ull /* DAIF: all interrupts */
#define PSTATE_PAN (1ull << 22)

void cz_gate_return_to(struct cz *cz, struct cz_frame *frame, const char *where)
{
	struct gate *gate = gate_of(cz);
	uint64_t pan =
		cz->gate == CZ_GATE_SANDBOX ? gate->pstate : frame->pstate;

	frame->x[16] = (uint64_t)gate;
	frame->pc = (uint64_t)where;
	frame->pstate = MODE_EL1H | MASKED | (pan & PSTATE_PAN);
}

/* Formatting and printing take long: not here, with interrupts off. */
void cz_gate_end(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		 uint64_t far, cz_status why)
{
	struct gate *gate = gate_of(cz);

	gate->end = *frame;
	gate->end_esr = esr;
	gate->end_far = far;
	cz->ended_by = why;
	cz_gate_return_to(cz, frame,
			  cz->gate == CZ_GATE_SANDBOX ? cz_gate_sandbox_end
						      : cz_gate_direct_end);
}
