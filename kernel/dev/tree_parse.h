/* SPDX-License-Identifier: MIT */
/*
 * The parser of a flattened device tree (Devicetree Specification 0.4) for
 * Caesura's kernel. It reads bytes and fills `struct machine`. It accesses no
 * memory except its arguments, prints nothing, and always ends in bounded time.
 */
#ifndef KERNEL_DEV_TREE_PARSE_H
#define KERNEL_DEV_TREE_PARSE_H

#include <kernel/machine.h>
#include <stddef.h>
#include <stdint.h>

/* The limit that the arm64 boot protocol sets. */
#define TREE_MAX_BYTES 0x200000u
#define TREE_HEADER_BYTES 40

/* The place of an error in the tree, as printable text. */
struct tree_place {
	char node[48];
	const char *property; /* "" if the error is in the node itself */
};

/* Returns the size that the tree's header states; 0 if the header is invalid or
 * the tree too large. */
size_t tree_size(const void *header);

/*
 * `size` is what tree_size() returned. `boot_mpidr` is the affinity of the CPU
 * that runs, which needs no enable-method. Returns NULL on success; otherwise a
 * description of the error, with its place in *place. The console is parsed
 * first, so that a later error can be reported there.
 */
const char *tree_parse(const void *tree, size_t size, uint64_t boot_mpidr,
		       struct machine *found, struct tree_place *place);

#endif
