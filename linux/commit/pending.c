/* SPDX-License-Identifier: MIT */
/* What a pending commit will leave, in RAM and in the chip; see state.h. */
#include "commit/state_file.h"

#include <stdlib.h>
#include <string.h>

void state_read(const struct state *state, unsigned region, bool is_after,
		uint8_t *into)
{
	const struct placed_region *placed = &state->header.region[region];
	const struct page_record *page = (const void *)state_body(state);
	uint32_t count = is_after && state->control.is_valid != 0
				 ? state->control.page_count
				 : 0;

	memcpy(into, state->map + placed->offset, placed->size_bytes);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t offset = page[i].offset - placed->offset;

		if (offset < placed->size_bytes) {
			memcpy(into + offset, page[i].bytes, CZ_EFI_PAGE_SIZE);
		}
	}
}

/* Computes which part of a change lies within a range: [*from, *end) of it.
 * False: none. */
static bool clip(const struct store_change *change, uint64_t offset,
		 uint64_t size_bytes, uint64_t *from, uint64_t *end)
{
	*from = change->offset < offset ? 0 : change->offset - offset;
	*end = change->offset + (uint64_t)change->size_bytes;
	*end = *end < offset ? 0 : *end - offset;
	*end = *end < size_bytes ? *end : size_bytes;
	return *from < *end;
}

/* Applies a change to a byte, and notes whether `found` is a state in between:
 * programming clears bits one by one, an erase sets all at once. wanted: NULL
 * for an erase. */
static void change_byte(uint8_t *now, uint8_t *is_on_way, uint8_t found,
			const uint8_t *wanted)
{
	uint8_t next = wanted == NULL ? 0xff : *now & *wanted;

	if (found == next || (wanted != NULL && (found & *now) == found &&
			      (found & next) == next)) {
		*is_on_way = 1;
	}
	*now = next;
}

/* Applies the list to `now`, which is the chip's content before it. */
static void walk(const struct state *state, uint64_t offset, uint8_t *now,
		 uint8_t *is_on_way, const uint8_t *found, uint64_t size_bytes)
{
	struct store_list list = journal_changes(state);
	struct store_change change;
	uint64_t from, end;
	size_t cursor = 0;

	while (list.next(list.context, &cursor, &change)) {
		if (!clip(&change, offset, size_bytes, &from, &end)) {
			continue;
		}
		for (uint64_t i = from; i < end; i++) {
			change_byte(&now[i], &is_on_way[i], found[i],
				    change.bytes == NULL
					    ? NULL
					    : change.bytes + (offset + i -
							      change.offset));
		}
	}
}

bool state_chip_is_on_way(const struct state *state, uint64_t offset,
			  const uint8_t *before, const uint8_t *found,
			  uint64_t size_bytes)
{
	uint8_t *now = malloc(size_bytes);
	uint8_t *is_on_way = malloc(size_bytes);
	bool are_all = now != NULL && is_on_way != NULL;

	if (are_all) {
		memcpy(now, before, size_bytes);
		for (uint64_t i = 0; i < size_bytes; i++) {
			is_on_way[i] = found[i] == before[i];
		}
		/* A recovery applies the list again, to what the list
		 * has left. */
		walk(state, offset, now, is_on_way, found, size_bytes);
		walk(state, offset, now, is_on_way, found, size_bytes);
		are_all = memchr(is_on_way, 0, size_bytes) == NULL;
	}
	free(now);
	free(is_on_way);
	return are_all;
}
