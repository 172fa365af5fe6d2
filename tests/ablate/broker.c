/* SPDX-License-Identifier: MIT */
/*
 * Removes the broker: every secure call that sandboxed firmware asks for is
 * made. Replaces src/arm64/broker.c.
 */
#include "arm64/trap.h"

#define INSN_IS_SMC 1u

void cz_broker_call(struct cz *cz, struct cz_frame *frame, uint32_t instruction)
{
	enum cz_conduit conduit = (instruction & INSN_IS_SMC) != 0
					  ? CZ_CONDUIT_SMC
					  : CZ_CONDUIT_HVC;

	if (!cz_host_secure_call(cz->host, conduit, frame->x)) {
		frame->x[0] = UINT64_MAX;
	}
}

void cz_broker_report(struct cz *cz)
{
	(void)cz;
}
