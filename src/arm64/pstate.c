/* SPDX-License-Identifier: MIT */
/* Reads from the ID registers which bits of PSTATE_KEPT a CPU has. */
#include "../core.h"
#include "sysreg.h"

/* A field of an ID register is a number of four bits. */
#define FIELD(name, shift) (READ_SYSREG(name) >> (shift)&15)

/* ID_AA64PFR1_EL1.SSBS: from this value on, PSTATE.SSBS can be read and
 * written. */
#define SSBS_REGISTERS 2

CZ_COLD void cz_state_learn(struct gate *gate, uint64_t midr)
{
	uint64_t has = 0;

	if (FIELD("id_aa64mmfr1_el1", 20) != 0) {
		has |= PSTATE_PAN;
	}
	if (FIELD("s3_0_c0_c7_2", 4) != 0) { /* ID_AA64MMFR2_EL1 */
		has |= PSTATE_UAO;
	}
	if (FIELD("id_aa64pfr0_el1", 48) != 0) {
		has |= PSTATE_DIT;
	}
	if (FIELD("id_aa64pfr1_el1", 4) >= SSBS_REGISTERS) {
		has |= PSTATE_SSBS;
	}
	if (FIELD("id_aa64pfr1_el1", 8) != 0) {
		has |= PSTATE_TCO;
	}
	if (FIELD("id_aa64pfr1_el1", 36) != 0) {
		has |= PSTATE_ALLINT;
	}
	gate->has_state = has;
	gate->cpu = midr;
}
