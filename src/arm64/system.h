/* SPDX-License-Identifier: MIT */
/* The system registers that firmware must leave as it found them. */
#ifndef CAESURA_ARM64_SYSTEM_H
#define CAESURA_ARM64_SYSTEM_H

#include "gate.h"

#define READ_SYSREG(name)                                         \
	__extension__({                                           \
		uint64_t value_;                                  \
		__asm__ volatile("mrs %0, " name : "=r"(value_)); \
		value_;                                           \
	})
#define WRITE_SYSREG(name, value) \
	__asm__ volatile("msr " name ", %0" ::"r"(value) : "memory")

#define PAN_REGISTER "s3_0_c4_c2_3"
#define HAS_PAN() (((READ_SYSREG("id_aa64mmfr1_el1") >> 20) & 15) != 0)

/* TTBR0_EL1 without the ASID, which a host may change while it has the thread
 * switched out. */
#define TRANSLATION_TABLE 0x0000fffffffffffeull

/* The registers that are compared, in the order of CZ_ANOMALY_*. */
struct system_registers {
	uint64_t pan, thread_user, thread_kernel, translation, vectors, control,
		coprocessor;
};

/* mend.c: puts those back that differ; a mask of 1u << enum cz_anomaly. */
uint32_t cz_mend_registers(const struct system_registers *before,
			   const struct system_registers *after);

#endif
