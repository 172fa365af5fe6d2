/* SPDX-License-Identifier: MIT */
/*
 * Locates the device tree in memory and passes it to tree_parse.c. Debian
 * builds libfdt with stack protection, so this file also defines the stack
 * guard that the library needs.
 */
#include "arch/cpu.h"
#include "dev/gic.h"
#include "dev/tables.h"
#include "dev/tree_parse.h"
#include <kernel/mm.h>
#include <kernel/print.h>

void __stack_chk_fail(void);

extern const uintptr_t __stack_chk_guard;
const uintptr_t __stack_chk_guard = 0xca5e00000ac5e0ff;

void __stack_chk_fail(void)
{
	panic("device tree: libfdt has overrun its stack");
}

/* Returns the address of the tree in the linear map. Panics if its memory is
 * not mapped there. */
static const void *memory_at(uint64_t physical, uint64_t size)
{
	if ((physical & 7) != 0 || !linear_covers(physical, size)) {
		tables_broken("device tree: not in memory");
	}
	return phys_to_virt(physical);
}

void tree_read_machine(uint64_t tree_physical)
{
	struct tree_place place;
	const void *tree = memory_at(tree_physical, TREE_HEADER_BYTES);
	size_t size = tree_size(tree);

	if (size == 0) {
		tables_broken("device tree: invalid header, or too large");
	}
	memory_at(tree_physical, size);
	const char *why =
		tree_parse(tree, size, READ_SYSREG(mpidr_el1) & MPIDR_AFFINITY,
			   &machine, &place);
	if (why != NULL) {
		tables_broken("device tree: node %s%s%s: %s", place.node,
			      place.property[0] != '\0' ? " property " : "",
			      place.property, why);
	}
}
