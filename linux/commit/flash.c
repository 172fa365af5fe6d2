/* SPDX-License-Identifier: MIT */
/* Opening the chip, and the end of a call; see flash.h. */
#include "commit/flash_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- As a store ---- */

static bool store_finish(void *context)
{
	return flash_finish(context, NULL);
}

static struct store_list store_changes(const void *context)
{
	return flash_changes(context);
}

static bool store_is_same(void *context)
{
	return flash_is_same(context);
}

static bool store_apply(void *context, const struct store_list *list)
{
	return flash_apply(context, list);
}

static void store_keep(void *context)
{
	flash_keep(context);
}

static void store_drop(void *context)
{
	flash_drop(context);
}

static const char *store_error(const void *context)
{
	return flash_error(context);
}

const struct store *flash_store(const struct flash *flash)
{
	return flash == NULL ? NULL : &flash->store;
}

/* ---- Opening ---- */

static size_t room_for(const struct nor *nor, uint32_t page_bytes,
		       uint32_t log_capacity)
{
	return (size_t)nor->size_bytes + nor->largest_block_bytes + page_bytes +
	       8ull * log_capacity;
}

struct flash *flash_open(const struct flash_config *config,
			 char error[NOR_ERROR_CHARS])
{
	struct flash *flash = calloc(1, sizeof(*flash));
	uint8_t *room;

	(void)snprintf(error, NOR_ERROR_CHARS, "no memory for a flash chip");
	if (flash == NULL) {
		return NULL;
	}
	flash->config = *config;
	flash->store = (struct store){
		.context = flash,
		.finish = store_finish,
		.changes = store_changes,
		.is_same = store_is_same,
		.apply = store_apply,
		.keep = store_keep,
		.drop = store_drop,
		.error = store_error,
	};
	if (!nor_open(&flash->nor, &config->port, config->physical)) {
		memcpy(error, flash->nor.error, NOR_ERROR_CHARS);
		free(flash);
		return NULL;
	}
	flash->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	flash->log_capacity = 2 * flash->nor.largest_block_bytes;
	flash->mapped_bytes =
		room_for(&flash->nor, flash->page_bytes, flash->log_capacity);
	room = mmap(NULL, flash->mapped_bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED) {
		free(flash);
		return NULL;
	}
	flash->chip = room;
	flash->before = flash->chip + flash->nor.size_bytes;
	flash->snapshot = flash->before + flash->nor.largest_block_bytes;
	flash->log_offset = (uint32_t *)(flash->snapshot + flash->page_bytes);
	flash->log_value = flash->log_offset + flash->log_capacity;
	flash->state =
		(struct chip_state){.status = NOR_READY, .page = NOWHERE};
	flash->shown = FLASH_READ;
	flash->open_page = flash->confirm_page = NOWHERE;
	flash->first_filled = NOWHERE;
	return flash;
}

void flash_close(struct flash *flash)
{
	if (flash != NULL) {
		(void)munmap(flash->chip, flash->mapped_bytes);
		free(flash);
	}
}

const struct flash_counts *flash_counts(const struct flash *flash)
{
	return &flash->counts;
}

const char *flash_error(const struct flash *flash)
{
	return flash->nor.error;
}

void flash_read_ahead(struct flash *flash, uint64_t offset, uint64_t size_bytes)
{
	uint64_t end = offset + size_bytes;

	while (offset < end && offset < flash->nor.size_bytes) {
		struct nor_block block = flash_fill(flash, (uint32_t)offset);

		offset = block.offset + block.size_bytes;
	}
}

/* ---- The end of the call ---- */

static void rest(struct flash *flash)
{
	if (flash->state.page != NOWHERE) {
		(void)flash_end_buffer(flash, false);
	}
	flash->state =
		(struct chip_state){.status = NOR_READY, .page = NOWHERE};
	flash->confirm_page = NOWHERE;
	flash_settle(flash);
}

bool flash_finish(struct flash *flash, unsigned *erases)
{
	unsigned count = 0;

	if (flash->is_touched) {
		rest(flash);
		flash_end_rewrite(flash);
	}
	for (uint32_t i = 0; i < flash->log_count; i++) {
		count += (flash->log_offset[i] & LOG_ERASE) != 0;
	}
	if (erases != NULL) {
		*erases = count;
	}
	return flash->log_count != 0;
}

static bool next_change(const void *context, size_t *cursor,
			struct store_change *change)
{
	const struct flash *flash = context;
	size_t from = *cursor, i = from;
	uint32_t entry, end;
	struct nor_block block;

	if (from >= flash->log_count) {
		return false;
	}
	entry = flash->log_offset[from];
	block = nor_block_of(&flash->nor, entry & LOG_OFFSET);
	if ((entry & LOG_ERASE) != 0) {
		*cursor = from + 1;
		*change = (struct store_change){
			.kind = STORE_ERASE,
			.offset = block.offset,
			.size_bytes = block.size_bytes,
		};
		return true;
	}
	end = block.offset + block.size_bytes;
	do {
		i++;
		entry += 4;
	} while (i < flash->log_count && flash->log_offset[i] == entry &&
		 (entry & LOG_OFFSET) < end);
	*cursor = i;
	*change = (struct store_change){
		.kind = (entry & LOG_BUFFERED) != 0 ? STORE_BUFFERED
						    : STORE_WORDS,
		.offset = flash->log_offset[from] & LOG_OFFSET,
		.size_bytes = (uint32_t)(4 * (i - from)),
		.bytes = (const uint8_t *)&flash->log_value[from],
	};
	return true;
}

struct store_list flash_changes(const struct flash *flash)
{
	return (struct store_list){.context = flash, .next = next_change};
}

/* Makes the chip's image and the copy equal again: with the call's changes, or
 * without. */
static void forget(struct flash *flash, bool is_kept)
{
	for (uint32_t i = 0; i < flash->nor.block_count; i++) {
		uint32_t offset;
		struct nor_block block;

		if (flash->touched[i] != 0) {
			offset = flash_block_offset(flash, i);
			block = nor_block_of(&flash->nor, offset);
			memcpy((is_kept ? flash->chip : flash_copy(flash)) +
				       offset,
			       (is_kept ? flash_copy(flash) : flash->chip) +
				       offset,
			       block.size_bytes);
			flash->touched[i] = 0;
		}
		if (is_kept) {
			flash->locked_before[i] = flash->locked[i];
		} else {
			flash->locked[i] = flash->locked_before[i];
		}
	}
	flash->log_count = 0;
	flash->is_touched = flash->is_failed = false;
}

void flash_keep(struct flash *flash)
{
	if (flash->is_touched) {
		forget(flash, true);
	}
}

void flash_drop(struct flash *flash)
{
	if (flash->is_touched) {
		flash->rewrite.active = false;
		rest(flash);
		forget(flash, false);
	}
}
