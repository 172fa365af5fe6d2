/* SPDX-License-Identifier: MIT */
/* The layout of the state file. state.c opens it, journal.c commits to it, and
 * pending.c tells what a pending commit will leave. */
#ifndef LINUX_STATE_FILE_H
#define LINUX_STATE_FILE_H

#include "commit/state.h"

#include <stdbool.h>
#include <stdint.h>

#define VERSION_ALONE 1u /* commits do not reach the machine's RAM */
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
	uint64_t checksum; /* of all members before */
};

/* The head of the journal, at CONTROL_OFFSET. Its body is at journal_offset:
 * page records, then change records. */
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
	uint32_t kind, offset, size_bytes, byte_count; /* the bytes follow */
};

_Static_assert(sizeof(struct header) <= CONTROL_OFFSET, "a page of its own");
_Static_assert(sizeof(struct page_record) == CZ_EFI_PAGE_SIZE + 8,
	       "no padding");

struct state {
	struct state_config config;
	struct header header;
	/* of the journal that was read, or is being written */
	struct control control;
	int fd;
	const uint8_t *map; /* read-only */
	uint64_t pages_committed;
	char error[STATE_ERROR_CHARS];
};

/* Sets the text for state_error(), and returns false. */
bool state_refuse(struct state *state, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For tests: called before each write to the file or to the machine's RAM. */
void state_step(const struct state *state);

/* Writes to the file. All of the file has been allocated. */
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

/* The changes of the store that are in the journal. */
struct store_list journal_changes(const struct state *state);

#endif
