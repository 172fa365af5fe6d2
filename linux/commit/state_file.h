/* SPDX-License-Identifier: MIT */
/*
 * The layout of the state file, for state.c, which opens it, and for journal.c and
 * pending.c, which commit to it and look at what a commit leaves.
 */
#ifndef LINUX_STATE_FILE_H
#define LINUX_STATE_FILE_H

#include "commit/state.h"

#include <stdbool.h>
#include <stdint.h>

#define VERSION_ALONE 1u /* the machine's RAM has not been kept the same */
#define VERSION_KEEPS_RAM 2u

struct placed_region {
	uint64_t address, size_bytes, offset;
};

/* Written once. */
struct header {
	char magic[8];
	uint32_t version, region_count;
	struct state_identity identity;
	uint64_t file_bytes, journal_offset, journal_bytes;
	struct placed_region region[STATE_MAX_REGIONS];
	uint64_t checksum; /* of all before it */
};

/* At CONTROL_OFFSET; body at journal_offset: pages, then changes. */
struct control {
	uint32_t is_valid;
	uint32_t page_count, change_count;
	uint64_t body_bytes;
	uint64_t checksum; /* of the counts and the body */
};

#define CONTROL_OFFSET 4096u

struct page_record {
	uint64_t offset; /* in the file */
	uint8_t bytes[CZ_EFI_PAGE_SIZE];
};

struct change_record {
	uint32_t kind, offset, size_bytes, byte_count; /* and the bytes */
};

_Static_assert(sizeof(struct header) <= CONTROL_OFFSET, "a page of its own");
_Static_assert(sizeof(struct page_record) == CZ_EFI_PAGE_SIZE + 8,
	       "no padding");

struct state {
	struct state_config config;
	struct header header;
	struct control control; /* the journal's, read or to be written */
	int fd;
	const uint8_t *map; /* not to be stored to */
	uint64_t pages_committed;
	char error[STATE_ERROR_CHARS];
};

/* Sets state_error(), and returns false. */
bool state_refuse(struct state *state, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For tests: before each store to the file, or to the machine's RAM. */
void state_step(const struct state *state);

/* Writes to the file; it has a page for every byte already. */
bool state_put(struct state *state, uint64_t offset, const void *bytes,
	       size_t size_bytes);

/* ---- The journal ---- */

static inline const uint8_t *state_body(const struct state *state)
{
	return state->map + state->header.journal_offset;
}

static inline uint64_t journal_pages_bytes(const struct state *state)
{
	return (uint64_t)state->control.page_count * sizeof(struct page_record);
}

/* The journal's changes of the flash. */
struct flash_list journal_changes(const struct state *state);

#endif
