/* SPDX-License-Identifier: MIT */
/*
 * Finds copies of the variable store in firmware's RAM, see store_check.h. The
 * contents of the chip and of RAM are not trusted: anyone may have written
 * them.
 */
#include "commit/store_check.h"

#include <stdlib.h>
#include <string.h>

/* volumes begin at erase blocks; this is the smallest size */
#define STEP_BYTES 4096u
#define MAX_STORE_BYTES (16u << 20)
#define MAX_COPIES 64u

/* EFI_FIRMWARE_VOLUME_HEADER, without its block map. */
struct volume_header {
	uint8_t zero[16];
	uint8_t file_system[16];
	uint64_t volume_bytes;
	uint32_t signature, attributes;
	uint16_t header_bytes, checksum, extension, revision;
};

/* EDK II's VARIABLE_STORE_HEADER. */
struct store_header {
	uint8_t kind[16];
	uint32_t store_bytes; /* includes this header */
	uint8_t format, state;
	uint16_t reserved;
	uint32_t reserved_too;
};

_Static_assert(sizeof(struct volume_header) == 56, "no padding");
_Static_assert(sizeof(struct store_header) == 28, "no padding");

#define FORMATTED 0x5au
#define HEALTHY 0xfeu
#define VOLUME_SIGNATURE 0x4856465fu /* "_FVH" */

/* gEfiSystemNvDataFvGuid, gEfiAuthenticatedVariableGuid, gEfiVariableGuid */
static const uint8_t volume_of_variables[16] = {
	0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
	0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50,
};
static const uint8_t kinds[2][16] = {
	{0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14,
	 0x4e, 0xc3, 0x77, 0x92},
	{0x16, 0x36, 0xcf, 0xdd, 0x75, 0x32, 0x64, 0x41, 0x98, 0xb6, 0xfe, 0x85,
	 0x70, 0x7f, 0xfe, 0x7d},
};

/* Reads from the chip. The offset and the size have to be multiples of 4. */
static bool read_chip(const struct flash_port *port, uint64_t offset,
		      void *into, uint64_t size_bytes)
{
	uint8_t *bytes = into;

	if (offset > port->size_bytes ||
	    size_bytes > port->size_bytes - offset || offset % 4 != 0 ||
	    size_bytes % 4 != 0) {
		return false;
	}
	for (uint64_t i = 0; i < size_bytes; i += 4) {
		uint32_t word = port->read(port->context, offset + i);

		memcpy(bytes + i, &word, 4);
	}
	return true;
}

static bool is_of_variables(const struct volume_header *volume)
{
	return volume->signature == VOLUME_SIGNATURE &&
	       memcmp(volume->file_system, volume_of_variables, 16) == 0 &&
	       volume->header_bytes >= sizeof(*volume) &&
	       volume->header_bytes < volume->volume_bytes;
}

static bool is_known(const struct store_header *header, uint64_t room)
{
	return (memcmp(header->kind, kinds[0], 16) == 0 ||
		memcmp(header->kind, kinds[1], 16) == 0) &&
	       header->store_bytes > sizeof(*header) &&
	       header->store_bytes <= MAX_STORE_BYTES &&
	       header->store_bytes <= room;
}

/* Checks for a volume at `at` that holds a store. */
static bool find_at(struct store_check *check, const struct flash_port *port,
		    uint64_t at)
{
	struct volume_header volume;
	struct store_header header;

	if (!read_chip(port, at, &volume, sizeof(volume)) ||
	    !is_of_variables(&volume) ||
	    !read_chip(port, at + volume.header_bytes, &header,
		       sizeof(header)) ||
	    !is_known(&header, volume.volume_bytes - volume.header_bytes)) {
		return false;
	}
	check->store_offset = at + volume.header_bytes;
	check->store_bytes = header.store_bytes & ~3u;
	return true;
}

/* Finds the first store of the chip. EDK II keeps a spare copy behind it, whose
 * contents differ from the store while a block is being rewritten. */
bool store_check_open(struct store_check *check, const struct flash_port *port)
{
	uint64_t at = 0;

	*check = (struct store_check){0};
	while (port != NULL && at < port->size_bytes &&
	       !find_at(check, port, at)) {
		at += STEP_BYTES;
	}
	if (check->store_bytes == 0) {
		return true;
	}
	check->store = malloc(check->store_bytes);
	if (check->store == NULL) {
		return false;
	}
	if (!read_chip(port, check->store_offset, check->store,
		       check->store_bytes)) {
		store_check_close(check);
	}
	return true;
}

void store_check_close(struct store_check *check)
{
	free(check->store);
	check->store = NULL;
}

static uint32_t same_bytes(const uint8_t *one, const uint8_t *other,
			   uint32_t bytes)
{
	uint32_t same = 0;

	while (same < bytes && one[same] == other[same]) {
		same++;
	}
	return same;
}

static void compare(struct store_check *check, uint64_t physical,
		    const uint8_t *copy)
{
	uint32_t same = same_bytes(check->store, copy, check->store_bytes);

	check->copies++;
	if (check->fits != NULL ? check->fits(check->context, check, copy)
				: same == check->store_bytes) {
		check->has_same = true;
	} else if (check->copies == 1 || same > check->differs_at) {
		check->copy_physical = physical;
		check->differs_at = same;
	}
}

void store_check_look(struct store_check *check, uint64_t physical,
		      const void *bytes, size_t size_bytes)
{
	const uint8_t *start = bytes, *end = start + size_bytes, *at = start;

	while (check->store != NULL && check->copies < MAX_COPIES) {
		at = memmem(at, (size_t)(end - at), check->store,
			    sizeof(struct store_header));
		if (at == NULL || (size_t)(end - at) < check->store_bytes) {
			return;
		}
		compare(check, physical + (uint64_t)(at - start), at);
		at += sizeof(struct store_header);
	}
}

/* Returns whether a header is there that is marked as formatted and healthy, as
 * EDK II writes it. */
static bool is_formatted(const uint8_t *at, size_t room)
{
	struct store_header header;

	if (room < sizeof(header)) {
		return false;
	}
	memcpy(&header, at, sizeof(header));
	return header.format == FORMATTED && header.state == HEALTHY &&
	       is_known(&header, room);
}

bool store_check_holds_store(const void *ram, size_t size_bytes)
{
	const uint8_t *end = (const uint8_t *)ram + size_bytes;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const uint8_t *at = ram;

		while ((at = memmem(at, (size_t)(end - at), kinds[i],
				    sizeof(kinds[i]))) != NULL) {
			if (is_formatted(at, (size_t)(end - at))) {
				return true;
			}
			at++;
		}
	}
	return false;
}

enum store_verdict store_check_verdict(const struct store_check *check)
{
	if (check->has_same) {
		return STORE_FRESH;
	}
	return check->copies == 0 ? STORE_UNKNOWN : STORE_OLDER;
}
