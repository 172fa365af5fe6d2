/* SPDX-License-Identifier: MIT */
/*
 * What Caesura's kernel reads in a flattened device tree (Devicetree
 * Specification 0.4), as a function from bytes to `struct machine`: no memory
 * but its arguments', nothing printed, bounded work whatever the bytes are.
 */
#ifndef KERNEL_DEV_TREE_PARSE_H
#define KERNEL_DEV_TREE_PARSE_H

#include <kernel/machine.h>
#include <stddef.h>
#include <stdint.h>

/* What arm64's boot protocol allows; more than any board has. */
#define TREE_MAX_BYTES 0x200000u
#define TREE_HEADER_BYTES 40

/* Where in the tree something is wrong; printable. */
struct tree_place {
	char node[48];
	const char *property; /* or "" */
};

/* Of a tree whose header is in memory: its size, or 0 when it is none. */
size_t tree_size(const void *header);

/*
 * size: tree_size() of it. boot_mpidr: the affinity of the CPU that runs, which
 * needs no enable-method. Returns NULL, or what is wrong at *place; the console
 * is looked for first, so that there may be one to say it on.
 */
const char *tree_parse(const void *tree, size_t size, uint64_t boot_mpidr,
		       struct machine *found, struct tree_place *place);

#endif
