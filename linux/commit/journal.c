/* SPDX-License-Identifier: MIT */
/* The journal of the state file: commits, and the completion of a commit that a
 * killed daemon began. */
#include "commit/state_file.h"
#include "lib/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

/* ---- Reading and applying ---- */

static uint64_t journal_checksum(const struct state *state)
{
	const struct control *control = &state->control;
	const uint64_t counts[] = {control->page_count, control->change_count,
				   control->body_bytes};

	return hash_bytes(hash_bytes(0, counts, sizeof(counts)),
			  state_body(state), control->body_bytes);
}

/* For struct store_list: the cursor is an offset in the part of the body that
 * holds changes. */
static bool next_change(const void *context, size_t *cursor,
			struct store_change *change)
{
	const struct state *state = context;
	uint64_t end = state->control.body_bytes;
	uint64_t at = *cursor + journal_pages_bytes(state);
	struct change_record record;

	if (at > end || end - at < sizeof(record)) {
		return false;
	}
	memcpy(&record, state_body(state) + at, sizeof(record));
	at += sizeof(record);
	if (record.byte_count > end - at) {
		return false;
	}
	*cursor += sizeof(record) + record.byte_count;
	*change = (struct store_change){
		.kind = (enum store_kind)record.kind,
		.offset = record.offset,
		.size_bytes = record.size_bytes,
		.bytes = record.byte_count == 0 ? NULL : state_body(state) + at,
	};
	return true;
}

struct store_list journal_changes(const struct state *state)
{
	return (struct store_list){.context = state, .next = next_change};
}

static bool is_page_of_ram(const struct state *state, uint64_t offset)
{
	for (unsigned i = 0; i < state->header.region_count; i++) {
		const struct placed_region *region = &state->header.region[i];

		if (offset - region->offset < region->size_bytes) {
			return offset % CZ_EFI_PAGE_SIZE == 0;
		}
	}
	return false;
}

static bool are_changes_sound(const struct state *state)
{
	uint64_t end = state->control.body_bytes;
	uint64_t at = journal_pages_bytes(state);
	uint32_t count = 0;

	for (; at < end; count++) {
		struct change_record record;
		bool is_erase;

		if (end - at < sizeof(record)) {
			return false;
		}
		memcpy(&record, state_body(state) + at, sizeof(record));
		at += sizeof(record);
		is_erase = record.kind == STORE_ERASE;
		if (record.kind > STORE_ERASE || record.size_bytes % 4 != 0 ||
		    record.byte_count != (is_erase ? 0 : record.size_bytes) ||
		    record.byte_count > end - at) {
			return false;
		}
		at += record.byte_count;
	}
	return count == state->control.change_count;
}

static bool is_journal_sound(struct state *state)
{
	const struct control *control = &state->control;
	const struct page_record *page = (const void *)state_body(state);

	if (control->body_bytes > state->header.journal_bytes ||
	    journal_pages_bytes(state) > control->body_bytes ||
	    control->checksum != journal_checksum(state)) {
		return state_refuse(state,
				    "%s: the journal is damaged: %" PRIu32
				    " pages, %" PRIu32 " changes, %" PRIu64
				    " bytes",
				    state->config.path, control->page_count,
				    control->change_count, control->body_bytes);
	}
	for (uint32_t i = 0; i < control->page_count; i++) {
		if (!is_page_of_ram(state, page[i].offset)) {
			return state_refuse(
				state,
				"%s: the journal is damaged: 0x%" PRIx64
				" is no page of RAM",
				state->config.path, page[i].offset);
		}
	}
	return are_changes_sound(state) ||
	       state_refuse(state,
			    "%s: the journal is damaged: a change of the flash "
			    "is cut off or of an unknown kind",
			    state->config.path);
}

static bool mark(struct state *state, uint32_t is_valid)
{
	if (!state_put(state, CONTROL_OFFSET, &is_valid, sizeof(is_valid))) {
		return false;
	}
	state->control.is_valid = is_valid;
	return true;
}

static unsigned region_at(const struct state *state, uint64_t offset)
{
	unsigned i = 0;

	while (offset - state->header.region[i].offset >=
	       state->header.region[i].size_bytes) {
		i++;
	}
	return i;
}

/* The machine's RAM comes first: put() needs the old content, which is still in
 * the file. */
static bool apply_page(struct state *state, const struct page_record *page)
{
	const struct state_ram *ram = state->config.ram;

	if (state_keeps_ram(state)) {
		unsigned region = region_at(state, page->offset);

		state_step(state);
		ram->put(ram->context, region,
			 page->offset - state->header.region[region].offset,
			 state->map + page->offset, page->bytes);
	}
	return state_put(state, page->offset, page->bytes, CZ_EFI_PAGE_SIZE);
}

/*
 * Applies the journal. This may be repeated, with the same result. The store
 * comes first. While RAM is older than the store, firmware does not know of the
 * latest variable, and a write would at worst take the place of that one. If
 * RAM were newer than the store, firmware would leave a gap in the store, and
 * lose every variable behind the gap.
 */
static bool apply(struct state *state, const struct store *store)
{
	const struct control *control = &state->control;
	const struct page_record *page = (const void *)state_body(state);
	struct store_list list = journal_changes(state);

	if (control->change_count != 0) {
		if (store == NULL) {
			return state_refuse(
				state,
				"%s: the journal has changes of a flash chip, "
				"and this machine has none",
				state->config.path);
		}
		if (!store->apply(store->context, &list)) {
			return state_refuse(state, "%s",
					    store->error(store->context));
		}
	}
	for (uint32_t i = 0; i < control->page_count; i++) {
		if (!apply_page(state, &page[i])) {
			return false;
		}
	}
	return mark(state, 0);
}

bool state_look(struct state *state, bool *is_pending)
{
	uint32_t is_valid;

	memcpy(&state->control, state->map + CONTROL_OFFSET,
	       sizeof(state->control));
	is_valid = state->control.is_valid;
	*is_pending = is_valid != 0;
	if (is_valid > 1) {
		return state_refuse(
			state,
			"%s: damaged: the journal is neither valid nor "
			"invalid (%u)",
			state->config.path, is_valid);
	}
	return is_valid == 0 || is_journal_sound(state);
}

bool state_recover(struct state *state, const struct store *store,
		   bool *was_pending)
{
	bool is_pending;
	bool is_sound = state_look(state, &is_pending);

	if (was_pending != NULL) {
		*was_pending = is_pending;
	}
	if (!is_sound || !is_pending) {
		return is_sound;
	}
	if (!apply(state, store)) {
		return false;
	}
	if (store != NULL) {
		store->keep(store->context);
	}
	return true;
}

/* ---- Pages of the private mappings ---- */

static bool is_dirty(const uint8_t *const *dirty, unsigned region,
		     uint64_t offset)
{
	return dirty == NULL || dirty[region][offset / CZ_EFI_PAGE_SIZE] != 0;
}

/* Small pieces, since a kernel without preemption frees all pages of one
 * madvise() at once. */
#define FORGET_BYTES (8 * CZ_EFI_PAGE_SIZE)

static bool forget(struct state *state, uint8_t *from, uint64_t size_bytes)
{
	for (uint64_t at = 0; at < size_bytes; at += FORGET_BYTES) {
		uint64_t rest = size_bytes - at;
		uint64_t some = rest < FORGET_BYTES ? rest : FORGET_BYTES;

		/* Locked memory needs MADV_DONTNEED_LOCKED, which older kernels
		 * do not have. */
		if (madvise(from + at, some, MADV_DONTNEED_LOCKED) != 0 &&
		    madvise(from + at, some, MADV_DONTNEED) != 0) {
			return state_refuse(state,
					    "pages cannot be dropped: %s",
					    strerror(errno));
		}
	}
	return true;
}

/* Drops the pages that a commit has looked at, runs of them by one
 * call. If a page cannot be dropped, that does no harm: its content is
 * the committed one. */
static void forget_dirty(struct state *state, unsigned region, uint8_t *mapping,
			 const uint8_t *const *dirty)
{
	uint64_t size_bytes = state->header.region[region].size_bytes, end;

	for (uint64_t at = 0; at < size_bytes; at = end) {
		end = at + CZ_EFI_PAGE_SIZE;
		if (!is_dirty(dirty, region, at)) {
			continue;
		}
		while (end < size_bytes && is_dirty(dirty, region, end)) {
			end += CZ_EFI_PAGE_SIZE;
		}
		(void)forget(state, mapping + at, end - at);
	}
}

bool state_drop(struct state *state, uint8_t *const *mapping)
{
	for (unsigned i = 0; i < state->header.region_count; i++) {
		if (!forget(state, mapping[i],
			    state->header.region[i].size_bytes)) {
			return false;
		}
	}
	return true;
}

/* ---- Writing ---- */

/* The journal always has room for each page once. */
static bool add_page(struct state *state, uint64_t offset, const uint8_t *bytes)
{
	struct page_record page = {.offset = offset};

	memcpy(page.bytes, bytes, CZ_EFI_PAGE_SIZE);
	if (!state_put(state,
		       state->header.journal_offset +
			       journal_pages_bytes(state),
		       &page, sizeof(page))) {
		return false;
	}
	state->control.page_count++;
	return true;
}

static bool add_region(struct state *state, unsigned region,
		       const uint8_t *mapping, const uint8_t *const *dirty)
{
	const struct placed_region *placed = &state->header.region[region];

	for (uint64_t i = 0; i < placed->size_bytes; i += CZ_EFI_PAGE_SIZE) {
		/* A dirty page may be unchanged: firmware stored what was
		 * there. */
		if (is_dirty(dirty, region, i) &&
		    memcmp(mapping + i, state->map + placed->offset + i,
			   CZ_EFI_PAGE_SIZE) != 0 &&
		    !add_page(state, placed->offset + i, mapping + i)) {
			return false;
		}
	}
	return true;
}

static bool add_changes(struct state *state, const struct store *store)
{
	struct control *control = &state->control;
	struct store_list list = store->changes(store->context);
	struct store_change change;
	uint64_t body = state->header.journal_offset;
	uint64_t at = control->body_bytes;
	size_t cursor = 0;

	while (list.next(list.context, &cursor, &change)) {
		struct change_record record = {
			.kind = change.kind,
			.offset = change.offset,
			.size_bytes = change.size_bytes,
			.byte_count = change.kind == STORE_ERASE
					      ? 0
					      : change.size_bytes,
		};

		if (record.byte_count + sizeof(record) >
		    state->header.journal_bytes - at) {
			return state_refuse(state,
					    "the journal has no room for the "
					    "changes of the flash");
		}
		if (!state_put(state, body + at, &record, sizeof(record)) ||
		    !state_put(state, body + at + sizeof(record), change.bytes,
			       record.byte_count)) {
			return false;
		}
		at += sizeof(record) + record.byte_count;
		control->change_count++;
	}
	control->body_bytes = at;
	return true;
}

static bool write_journal(struct state *state, uint8_t *const *mapping,
			  const uint8_t *const *dirty,
			  const struct store *store)
{
	struct control *control = &state->control;

	*control = (struct control){0};
	for (unsigned i = 0; i < state->header.region_count; i++) {
		if (!add_region(state, i, mapping[i], dirty)) {
			return false;
		}
	}
	control->body_bytes = journal_pages_bytes(state);
	if (store != NULL && store->finish(store->context) &&
	    !add_changes(state, store)) {
		return false;
	}
	if (control->body_bytes == 0) {
		return true;
	}
	control->checksum = journal_checksum(state);
	return state_put(state, CONTROL_OFFSET, control, sizeof(*control));
}

enum state_commit_result state_commit(struct state *state,
				      uint8_t *const *mapping,
				      const uint8_t *const *dirty,
				      const struct store *store)
{
	struct control *control = &state->control;

	if (control->is_valid != 0) {
		(void)state_refuse(state,
				   "the previous commit is not complete");
		return STATE_COMMIT_REFUSED;
	}
	if (!write_journal(state, mapping, dirty, store)) {
		return STATE_COMMIT_REFUSED;
	}
	state->pages_committed = control->page_count;
	if (control->change_count != 0 && !store->is_same(store->context)) {
		(void)state_refuse(state, "%s", store->error(store->context));
		return STATE_COMMIT_FOREIGN;
	}
	if (control->body_bytes != 0) {
		if (!mark(state, 1)) {
			return STATE_COMMIT_REFUSED;
		}
		if (!apply(state, store)) {
			return STATE_COMMIT_PENDING;
		}
	}
	for (unsigned i = 0; i < state->header.region_count; i++) {
		forget_dirty(state, i, mapping[i], dirty);
	}
	if (store != NULL) {
		store->keep(store->context);
	}
	return STATE_COMMITTED;
}
