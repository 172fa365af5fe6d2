/* SPDX-License-Identifier: MIT */
/* A flattened device tree, read as far as /chosen: version 17, which is what the
 * EFI stub writes. Everything in it is checked against the tree's size. */
#include "chosen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TREE_PATH "/sys/firmware/fdt"
#define MAX_TREE_BYTES (4u << 20)

#define MAGIC 0xd00dfeedu
enum token {
	BEGIN_NODE = 1,
	END_NODE = 2,
	PROPERTY = 3,
	NOP = 4,
};

/* Words of the header. */
enum field {
	FIELD_MAGIC = 0,
	FIELD_SIZE = 1,
	FIELD_STRUCTURE = 2,
	FIELD_STRINGS = 3,
	FIELD_STRINGS_SIZE = 8,
	FIELD_STRUCTURE_SIZE = 9,
	FIELD_COUNT = 10,
};

struct cursor {
	const uint8_t *at;
	size_t left;
	const char *strings;
	size_t strings_size;
	int depth; /* 1: in the root */
	bool in_chosen; /* at depth 2 */
};

static uint32_t big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

static bool take_word(struct cursor *cursor, uint32_t *word)
{
	if (cursor->left < 4) {
		return false;
	}
	*word = big_endian(cursor->at);
	cursor->at += 4;
	cursor->left -= 4;
	return true;
}

/* Of `size` bytes and what fills the last word. */
static const uint8_t *take_bytes(struct cursor *cursor, size_t size)
{
	const uint8_t *bytes = cursor->at;
	size_t rounded = (size + 3) & ~(size_t)3;

	if (size > cursor->left || rounded > cursor->left) {
		return NULL;
	}
	cursor->at += rounded;
	cursor->left -= rounded;
	return bytes;
}

static bool begin_node(struct cursor *cursor)
{
	const char *name = (const char *)cursor->at;
	size_t length = strnlen(name, cursor->left);

	if (length == cursor->left || !take_bytes(cursor, length + 1)) {
		return false;
	}
	cursor->depth++;
	if (cursor->depth == 2) {
		cursor->in_chosen = strcmp(name, "chosen") == 0;
	}
	return true;
}

static bool is_named(const struct cursor *cursor, size_t offset,
		     const char *name)
{
	size_t size = strlen(name) + 1;

	return offset <= cursor->strings_size &&
	       size <= cursor->strings_size - offset &&
	       memcmp(cursor->strings + offset, name, size) == 0;
}

/* Whether the tree is well-formed so far; *found when this is the one. */
static bool property(struct cursor *cursor, const char *name, uint64_t *value,
		     bool *found)
{
	uint32_t size, offset;
	const uint8_t *bytes;

	if (!take_word(cursor, &size) || !take_word(cursor, &offset)) {
		return false;
	}
	bytes = take_bytes(cursor, size);
	if (!bytes) {
		return false;
	}
	*found = cursor->depth == 2 && cursor->in_chosen &&
		 (size == 4 || size == 8) && is_named(cursor, offset, name);
	if (*found) {
		*value = big_endian(bytes);
		if (size == 8) {
			*value = *value << 32 | big_endian(bytes + 4);
		}
	}
	return true;
}

static bool within(size_t offset, size_t size, size_t whole)
{
	return offset <= whole && size <= whole - offset;
}

static bool start(struct cursor *cursor, const uint8_t *tree, size_t size)
{
	uint32_t header[FIELD_COUNT];
	size_t i;

	if (size < 4 * (size_t)FIELD_COUNT) {
		return false;
	}
	for (i = 0; i < FIELD_COUNT; i++) {
		header[i] = big_endian(tree + 4 * i);
	}
	*cursor = (struct cursor){
		.at = tree + header[FIELD_STRUCTURE],
		.left = header[FIELD_STRUCTURE_SIZE],
		.strings = (const char *)tree + header[FIELD_STRINGS],
		.strings_size = header[FIELD_STRINGS_SIZE],
	};
	return header[FIELD_MAGIC] == MAGIC && header[FIELD_SIZE] <= size &&
	       within(header[FIELD_STRUCTURE], cursor->left, size) &&
	       within(header[FIELD_STRINGS], cursor->strings_size, size);
}

bool chosen_number(const void *tree, size_t size_bytes, const char *name,
		   uint64_t *value)
{
	struct cursor cursor;
	uint32_t token;
	bool found = false;
	bool good = start(&cursor, tree, size_bytes);

	while (good && !found && take_word(&cursor, &token)) {
		switch (token) {
		case BEGIN_NODE:
			good = begin_node(&cursor);
			break;
		case END_NODE:
			cursor.depth--;
			break;
		case PROPERTY:
			good = property(&cursor, name, value, &found);
			break;
		case NOP:
			break;
		default:
			good = false;
		}
	}
	return found;
}

/* Up to `room` bytes; how many, or a negative errno. */
static ssize_t read_all(int fd, uint8_t *buffer, size_t room)
{
	size_t size = 0;

	while (size < room) {
		ssize_t got = read(fd, buffer + size, room - size);

		if (got < 0 && errno != EINTR) {
			return -errno;
		}
		if (got == 0) {
			break;
		}
		size += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)size;
}

int chosen_read(const char *name, uint64_t *value)
{
	int fd = open(TREE_PATH, O_RDONLY | O_CLOEXEC);
	uint8_t *tree;
	ssize_t size;
	int error = 0;

	if (fd < 0) {
		return -errno;
	}
	tree = malloc(MAX_TREE_BYTES);
	size = tree ? read_all(fd, tree, MAX_TREE_BYTES) : -ENOMEM;
	if (size < 0) {
		error = (int)size;
	} else if (!chosen_number(tree, (size_t)size, name, value)) {
		error = -ENODATA;
	}
	free(tree);
	close(fd);
	return error;
}
