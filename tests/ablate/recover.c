/* SPDX-License-Identifier: MIT */
/*
 * In place of src/arm64/end.c: no call is ended. Who faults goes on behind the
 * instruction; who does not return does not.
 */
#include "arm64/trap.h"

#define MODE_EL1H 0x05ull
#define MASKED 0x3c0ull

void cz_gate_return_to(struct cz *cz, struct cz_frame *frame, const char *where)
{
	frame->x[16] = (uint64_t)gate_of(cz);
	frame->pc = (uint64_t)where;
	frame->pstate = MODE_EL1H | MASKED;
}

void cz_gate_end(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		 uint64_t far, cz_status why)
{
	(void)cz;
	(void)esr;
	(void)far;
	if (why == CZ_E_FAULT) {
		frame->pc += 4;
	}
}
