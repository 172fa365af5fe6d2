/* SPDX-License-Identifier: MIT */
#include "machine/fdt_chosen.h"

#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TREE_PATH "/sys/firmware/fdt"
#define MAX_TREE_BYTES (4u << 20)

bool fdt_chosen_number(const void *tree, size_t size_bytes, const char *name,
		       uint64_t *value)
{
	const void *property;
	int bytes = 0;
	int node;

	if (fdt_check_full(tree, size_bytes) != 0) {
		return false;
	}
	node = fdt_path_offset(tree, "/chosen");
	property = node < 0 ? NULL : fdt_getprop(tree, node, name, &bytes);
	if (property == NULL || (bytes != 4 && bytes != 8)) {
		return false;
	}
	*value = bytes == 4 ? fdt32_ld(property) : fdt64_ld(property);
	return true;
}

bool fdt_chosen_has_property(const void *tree, size_t size_bytes,
			     const char *name)
{
	int node;

	if (fdt_check_full(tree, size_bytes) != 0) {
		return false;
	}
	node = fdt_path_offset(tree, "/chosen");
	return node >= 0 && fdt_getprop(tree, node, name, NULL) != NULL;
}

/* Reads the whole file. The caller frees *tree. Returns 0 or a negative
 * errno. */
static int read_tree(void **tree, size_t *size_bytes)
{
	int fd = open(TREE_PATH, O_RDONLY | O_CLOEXEC);
	uint8_t *bytes;
	ssize_t got = 1;
	int error = 0;

	if (fd < 0) {
		return -errno;
	}
	bytes = malloc(MAX_TREE_BYTES);
	*size_bytes = 0;
	while (bytes != NULL && got > 0 && *size_bytes < MAX_TREE_BYTES) {
		got = read(fd, bytes + *size_bytes,
			   MAX_TREE_BYTES - *size_bytes);
		*size_bytes += got > 0 ? (size_t)got : 0;
	}
	if (bytes == NULL || got < 0) {
		error = bytes == NULL ? -ENOMEM : -errno;
		free(bytes);
	}
	(void)close(fd);
	*tree = bytes;
	return error;
}

int fdt_chosen_read(const char *name, uint64_t *value)
{
	size_t size_bytes;
	void *tree;
	int error = read_tree(&tree, &size_bytes);

	if (error != 0) {
		return error;
	}
	if (!fdt_chosen_number(tree, size_bytes, name, value)) {
		error = -ENODATA;
	}
	free(tree);
	return error;
}

bool fdt_chosen_has(const char *name)
{
	size_t size_bytes;
	bool has = false;
	void *tree;

	if (read_tree(&tree, &size_bytes) == 0) {
		has = fdt_chosen_has_property(tree, size_bytes, name);
		free(tree);
	}
	return has;
}
