/* SPDX-License-Identifier: MIT */
/* Restores the system registers that firmware has changed. */
#include "../core.h"
#include "sysreg.h"

/* Compares one register and restores it. */
#define CHECK(field, mask, name, anomaly)                             \
	do {                                                          \
		if (((after->field ^ before->field) & (mask)) != 0) { \
			WRITE_SYSREG(name, before->field);            \
			found |= 1u << (anomaly);                     \
		}                                                     \
	} while (0)

CZ_COLD uint32_t cz_mend_registers(const struct system_registers *before,
				   const struct system_registers *after)
{
	uint32_t found = 0;

	CHECK(state, PSTATE_PAN, PAN_REGISTER, CZ_ANOMALY_PAN);
	CHECK(state, PSTATE_UAO, UAO_REGISTER, CZ_ANOMALY_UAO);
	CHECK(state, PSTATE_DIT, DIT_REGISTER, CZ_ANOMALY_DIT);
	CHECK(state, PSTATE_SSBS, SSBS_REGISTER, CZ_ANOMALY_SSBS);
	CHECK(state, PSTATE_TCO, TCO_REGISTER, CZ_ANOMALY_TCO);
	CHECK(state, PSTATE_ALLINT, ALLINT_REGISTER, CZ_ANOMALY_ALLINT);
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
