/* SPDX-License-Identifier: MIT */
/* Fuzzes the parser of device trees. The input is a byte and a tree. The tree's
 * size is corrected, unless the highest bit of the byte is set. */
#include "dev/tree_parse.h"
#include "machine.h"

#include <stdlib.h>
#include <string.h>

static void check_place(const struct tree_place *place)
{
	if (memchr(place->node, 0, sizeof(place->node)) == NULL ||
	    place->node[0] == 0 || strlen(place->property) > 32) {
		abort();
	}
}

static void put_size(uint8_t *tree, size_t size)
{
	tree[4] = (uint8_t)(size >> 24);
	tree[5] = (uint8_t)(size >> 16);
	tree[6] = (uint8_t)(size >> 8);
	tree[7] = (uint8_t)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine found = {0};
	struct tree_place place = {{0}, NULL};
	uint8_t *tree;
	size_t whole;

	if (size < 1 + TREE_HEADER_BYTES) {
		return 0;
	}
	tree = fuzz_exact_copy(data + 1, size - 1);
	if (data[0] < 0x80) {
		put_size(tree, size - 1);
	}
	whole = tree_size(tree);
	if (whole != 0 && whole <= size - 1) {
		if (tree_parse(tree, whole, data[0] & 7, &found, &place) !=
		    NULL) {
			check_place(&place);
		} else {
			fuzz_check_machine(&found);
		}
	}
	free(tree);
	return 0;
}
