/* SPDX-License-Identifier: MIT */
/* Puts system registers back that firmware changed. */
#include "../core.h"
#include "system.h"

/* Compares and mends one register. */
#define CHECK(field, mask, name, anomaly)                             \
	do {                                                          \
		if (((after->field ^ before->field) & (mask)) != 0) { \
			WRITE_SYSREG(name, before->field);            \
			found |= 1u << (anomaly);                     \
		}                                                     \
	} while (0)

CZ_SELDOM uint32_t cz_mend_registers(const struct system_registers *before,
				     const struct system_registers *after)
{
	uint32_t found = 0;

	CHECK(pan, UINT64_MAX, PAN_REGISTER, CZ_ANOMALY_PAN);
	CHECK(thread_user, UINT64_MAX, "tpidr_el0", CZ_ANOMALY_THREAD_USER);
	CHECK(thread_kernel, UINT64_MAX, "tpidr_el1", CZ_ANOMALY_THREAD_KERNEL);
	CHECK(translation, TRANSLATION_TABLE, "ttbr0_el1",
	      CZ_ANOMALY_TRANSLATION);
	CHECK(vectors, UINT64_MAX, "vbar_el1", CZ_ANOMALY_VECTORS);
	CHECK(control, UINT64_MAX, "sctlr_el1", CZ_ANOMALY_SYSTEM_CONTROL);
	CHECK(coprocessor, UINT64_MAX, "cpacr_el1", CZ_ANOMALY_COPROCESSOR);
	__asm__ volatile("isb" ::: "memory");
	return found;
}
