/* SPDX-License-Identifier: MIT */
/*
 * cz_host_selftest_now(): checks the functions that only calls outside the
 * queue need. It is a file of its own, so that a host without such calls need
 * not define these functions.
 */
#include "core.h"

/* Borrows the CPU twice, as a call outside the queue does: from a thread, and
 * from a thread inside a space and an FP section. */
static cz_status borrow_twice(struct cz_host *host, cz_host_space space)
{
	static const char *const left =
		"interrupts are not in their previous state";
	cz_host_borrow storage;

	for (int i = 0; i < 2; i++) {
		uint64_t outer, inner;

		if (i == 1) {
			cz_host_pin(host);
			cz_host_space_enter(host, space);
			cz_host_fp_begin(host);
		}
		outer = cz_host_interrupts_off(host);
		inner = cz_host_interrupts_off(host);
		cz_host_borrow_begin(host, space, &storage);
		cz_host_borrow_end(host, space, &storage);
		cz_host_interrupts_restore(host, inner);
		if (cz_host_interrupts_off(host) != inner) {
			cz_host_interrupts_restore(host, outer);
			return cz_selftest_fails(host, "interrupts_restore",
						 left);
		}
		cz_host_interrupts_restore(host, outer);
		if (cz_host_interrupts_off(host) != outer) {
			return cz_selftest_fails(host, "interrupts_restore",
						 left);
		}
		cz_host_interrupts_restore(host, outer);
		if (i == 1) {
			cz_host_fp_end(host);
			cz_host_space_leave(host, space);
			cz_host_unpin(host);
		}
	}
	return CZ_OK;
}

cz_status cz_host_selftest_now(struct cz_host *host, enum cz_gate gate)
{
	cz_host_space space = cz_host_space_create(host, gate);
	cz_status status;

	if (space == NULL) {
		return cz_selftest_fails(host, "space_create",
					 "created no space");
	}
	status = borrow_twice(host, space);
	cz_host_space_destroy(host, space);
	return status;
}
