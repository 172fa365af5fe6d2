/* SPDX-License-Identifier: MIT */
/*
 * Checks what sandboxed firmware finds in its registers when it is called. All
 * of them held something else just before: the general registers what the
 * gate's own code left there, and the FP registers what the calling thread had
 * filled them with. The kernel itself does not use FP, and does not clear these
 * registers by accident.
 */
#include "firmware/escape.h"
#include "lib/clobber.h"
#include "lib/common.h"

#include <kernel/ktap.h>
#include <kernel/mm.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/thread.h>

#define SEED 0x0123456789abcdefull
/* The values of x18 to x28, as in src/arm64/trampoline.c. */
#define GIVEN(n) (0x5ca1ull << 48 | (n))
#define FIRST_GIVEN 18u
#define LAST_GIVEN 28u

/* escape_snapshot.S writes it right below firmware's stack pointer. */
struct snapshot {
	uint64_t v[32][2];
	uint64_t x[31];
	uint64_t nzcv, fpsr, fpcr;
	uint64_t unused[30];
};

_Static_assert(sizeof(struct snapshot) == 1024, "escape_snapshot.S");
_Static_assert(offsetof(struct snapshot, x) == 512, "escape_snapshot.S");
_Static_assert(offsetof(struct snapshot, fpsr) == 768, "escape_snapshot.S");

static const struct snapshot *take_snapshot(void)
{
	uint8_t *page = firmware->trampoline.alias;
	uint8_t *stack_end =
		(uint8_t *)firmware->stack.alias + CZ_STACK_PAGES * PAGE_SIZE;
	cz_status status;

	memcpy(page + ESCAPE_STUB_AT, escape_snapshot,
	       (size_t)((uintptr_t)escape_snapshot_end -
			(uintptr_t)escape_snapshot));
	cz_host_sync_code(firmware->host, page, PAGE_SIZE);
	memset(stack_end - sizeof(struct snapshot), 0xa5,
	       sizeof(struct snapshot));
	fp_begin();
	fp_fill(SEED);
	fp_end();
	status = cz_null_service(firmware, CZ_FOREVER);
	if (status != CZ_OK) {
		kprintf("# the snapshot: %s\n", cz_status_name(status));
	}
	return (const struct snapshot *)(stack_end - sizeof(struct snapshot));
}

static bool is_due(const char *name, uint64_t found, uint64_t due)
{
	if (found != due) {
		kprintf("# %s is %016llx, not %016llx\n", name,
			(unsigned long long)found, (unsigned long long)due);
	}
	return found == due;
}

static bool is_due_of(const char *kind, unsigned number, uint64_t found,
		      uint64_t due)
{
	char name[32];

	ksnprintf(name, sizeof(name), "%s%u", kind, number);
	return is_due(name, found, due);
}

/* Returns what xN must hold. The null service has no arguments. */
static uint64_t due_x(unsigned number)
{
	if (number == 30) {
		return firmware->window_address; /* the trampoline */
	}
	return number >= FIRST_GIVEN && number <= LAST_GIVEN ? GIVEN(number)
							     : 0;
}

void escape_check_registers(void)
{
	const struct snapshot *found = take_snapshot();
	bool right = true;

	for (unsigned n = 0; n < 31; n++) {
		right = is_due_of("x", n, found->x[n], due_x(n)) && right;
	}
	right = is_due("NZCV", found->nzcv, 0) && right;
	ktap_result(right,
		    "escape: general registers reveal nothing of the kernel");
	right = true;
	for (unsigned n = 0; n < 32; n++) {
		right = is_due_of("v", n, found->v[n][0], 0) && right;
		right = is_due_of("the upper half of v", n, found->v[n][1],
				  0) &&
			right;
	}
	right = is_due("FPSR", found->fpsr, 0) && right;
	right = is_due("FPCR", found->fpcr, 0) && right;
	ktap_result(right,
		    "escape: FP/SIMD registers reveal nothing of the kernel");
}
