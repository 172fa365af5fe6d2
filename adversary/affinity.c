/* SPDX-License-Identifier: MIT */
/*
 * Reads MPIDR_EL1 in a loop and checks that it never changes. It continues for
 * the requested time even after a change, like firmware that waits for a
 * completion which another CPU has received.
 */
#include "affinity.h"

#include <caesura/uefi.h>

static uint64_t this_cpu(void)
{
	uint64_t mpidr;

	__asm__ volatile("mrs %0, mpidr_el1" : "=r"(mpidr));
	return mpidr;
}

uint64_t affinity_run(uint64_t instructions,
		      struct adversary_affinity_record *record)
{
	uint64_t start = this_cpu();
	uint64_t left = instructions / ADVERSARY_POLL_INSTRUCTIONS;
	uint64_t found = start;

	for (; left != 0; left--) {
		uint64_t cpu = this_cpu();

		if (cpu != start) {
			found = cpu;
		}
	}
	record->calls++;
	if (found == start) {
		return CZ_EFI_SUCCESS;
	}
	record->failures++;
	record->started_on = start;
	record->found_on = found;
	return CZ_EFI_DEVICE_ERROR;
}
