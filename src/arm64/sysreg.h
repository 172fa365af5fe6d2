/* SPDX-License-Identifier: MIT */
/* The system registers that firmware must leave unchanged. */
#ifndef CAESURA_ARM64_SYSREG_H
#define CAESURA_ARM64_SYSREG_H

#include "gate_layout.h"

#define READ_SYSREG(name)                                         \
	__extension__({                                           \
		uint64_t value_;                                  \
		__asm__ volatile("mrs %0, " name : "=r"(value_)); \
		value_;                                           \
	})
#define WRITE_SYSREG(name, value) \
	__asm__ volatile("msr " name ", %0" ::"r"(value) : "memory")

/* The registers that access bits of PSTATE, by number: an assembler may not
 * know their names. */
#define PAN_REGISTER "s3_0_c4_c2_3"
#define UAO_REGISTER "s3_0_c4_c2_4"
#define ALLINT_REGISTER "s3_0_c4_c3_0"
#define DIT_REGISTER "s3_3_c4_c2_5"
#define SSBS_REGISTER "s3_3_c4_c2_6"
#define TCO_REGISTER "s3_3_c4_c2_7"

/* The bits of TTBR0_EL1 without the ASID, which the host may change while the
 * thread is switched out. */
#define TRANSLATION_TABLE 0x0000fffffffffffeull

/* The registers that are compared, in the order of CZ_ANOMALY_*. */
struct system_registers {
	uint64_t state, /* PSTATE_KEPT */
		thread_user, thread_kernel, translation, vectors, control,
		coprocessor;
};

/* pstate.c: fills gate->has_state for this CPU, whose MIDR_EL1 is `midr`. */
void cz_state_learn(struct gate *gate, uint64_t midr);

/* mend.c: restores the registers that differ. Returns a mask of 1u << enum
 * cz_anomaly. */
uint32_t cz_mend_registers(const struct system_registers *before,
			   const struct system_registers *after);

#endif
