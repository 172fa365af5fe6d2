/* SPDX-License-Identifier: MIT */
/* Writes the trampoline's page: firmware's way to return, and the null
 * service. */
#include "gate_layout.h"

#define INSN_LDR_X17 0x58000091u /* ldr x17, TRAMPOLINE_LAND */
#define INSN_LDR_X16 0x580000b0u /* ldr x16, TRAMPOLINE_CONTEXT */
#define INSN_BR_X17 0xd61f0220u
#define INSN_RET 0xd65f03c0u

/* What sandboxed firmware finds in x18..x28: a pattern instead of the kernel's
 * values. Firmware must preserve it, and the gate checks that. */
#define GIVEN(n) ((uint64_t)0x5ca1 << 48 | (n))

void cz_gate_write_page(struct cz *cz, const char *land)
{
	uint8_t *page = cz->trampoline.alias;
	uint32_t *code = (uint32_t *)page;
	struct gate *gate = gate_of(cz);

	if (land != NULL) {
		code[0] = INSN_LDR_X17;
		code[1] = INSN_LDR_X16;
		code[2] = INSN_BR_X17;
		*(uint64_t *)(page + TRAMPOLINE_LAND) = (uint64_t)land;
		*(uint64_t *)(page + TRAMPOLINE_CONTEXT) = (uint64_t)gate;
	}
	code[TRAMPOLINE_NULL_SERVICE / 4] = INSN_RET;
	for (uint32_t i = 0; i < sizeof(gate->given) / sizeof(gate->given[0]);
	     i++) {
		gate->given[i] = GIVEN(18 + i);
	}
	cz->function[CZ_NULL_SERVICE] =
		cz->window_address + TRAMPOLINE_NULL_SERVICE;
}
