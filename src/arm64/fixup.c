/* SPDX-License-Identifier: MIT */
/*
 * Exceptions that the kernel takes when the library makes an access in
 * firmware's place and the memory system answers with an abort. The function
 * that made the access then returns the syndrome, and firmware's call ends with
 * that fault.
 */
#include "fixup.h"
#include "syndrome.h"

static uint64_t place(const int32_t *distance)
{
	return (uint64_t)distance + (uint64_t)(int64_t)*distance;
}

bool cz_kernel_exception(struct cz_frame *frame, uint64_t esr)
{
	const struct cz_fixup *fixup = cz_machine_fixups;

	if (EC(esr) != EC_DATA_ABORT) {
		return false;
	}
	for (; fixup->access != 0; fixup++) {
		if (frame->pc == place(&fixup->access)) {
			frame->x[0] = esr;
			frame->pc = place(&fixup->resume);
			return true;
		}
	}
	return false;
}
