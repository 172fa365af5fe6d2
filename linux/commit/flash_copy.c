/* SPDX-License-Identifier: MIT */
/* The copy of the chip on which firmware works, and the log of what changed in
 * it. Most of this runs in signal handlers. */
#include "commit/flash_internal.h"

static void protect(struct flash *flash, uint32_t offset, uint32_t size_bytes,
		    enum flash_access access)
{
	flash->counts.protects++;
	flash->config.memory.protect(flash->config.memory.context, offset,
				     size_bytes, access);
}

/* ---- The copy ---- */

struct nor_block flash_fill(struct flash *flash, uint32_t offset)
{
	struct nor_block block = nor_block_of(&flash->nor, offset);
	const struct flash_port *port = &flash->config.port;

	if (flash->filled[block.number] != 0) {
		return block;
	}
	flash->counts.fills++;
	for (uint32_t i = 0; i < block.size_bytes; i += 4) {
		uint32_t word = port->read(port->context, block.offset + i);

		memcpy(flash->chip + block.offset + i, &word, 4);
	}
	memcpy(flash_copy(flash) + block.offset, flash->chip + block.offset,
	       block.size_bytes);
	flash->locked[block.number] = nor_lock_status(&flash->nor, &block) != 0;
	flash->locked_before[block.number] = flash->locked[block.number];
	flash->filled[block.number] = 1;
	if (flash->first_filled == NOWHERE ||
	    block.number < flash->first_filled) {
		flash->first_filled = block.number;
	}
	if (block.number > flash->last_filled) {
		flash->last_filled = block.number;
	}
	if (flash->shown != FLASH_NONE) {
		protect(flash, block.offset, block.size_bytes, flash->shown);
	}
	return block;
}

uint32_t flash_block_offset(const struct flash *flash, uint32_t number)
{
	const struct nor_region *region = flash->nor.region;

	while (number - region->first_block >= region->block_count) {
		region++;
	}
	return region->offset +
	       (number - region->first_block) * region->block_bytes;
}

/* Sets the protection of all blocks that are filled, adjacent ones by
 * one call. */
static void show(struct flash *flash, enum flash_access access)
{
	uint32_t from = NOWHERE, end = 0;

	flash->shown = access;
	if (flash->first_filled == NOWHERE) {
		return;
	}
	for (uint32_t i = flash->first_filled; i <= flash->last_filled; i++) {
		uint32_t offset = flash_block_offset(flash, i);

		if (flash->filled[i] != 0 && from == NOWHERE) {
			from = offset;
		} else if (flash->filled[i] == 0 && from != NOWHERE) {
			protect(flash, from, offset - from, access);
			from = NOWHERE;
		}
		if (flash->filled[i] != 0) {
			end = offset +
			      nor_block_of(&flash->nor, offset).size_bytes;
		}
	}
	protect(flash, from, end - from, access);
}

uint32_t flash_page_to_open(const struct flash *flash)
{
	const struct chip_state *state = &flash->state;

	return state->cycle == CYCLE_DATA && flash->confirm_page != NOWHERE &&
			       flash->confirm_page != state->page
		       ? state->page
		       : NOWHERE;
}

void flash_settle(struct flash *flash)
{
	uint32_t page = flash_page_to_open(flash);
	enum flash_access access =
		page != NOWHERE ? flash->shown
		: flash->state.mode == MODE_ARRAY &&
				flash->state.cycle == CYCLE_COMMAND
			? FLASH_READ
			: FLASH_NONE;

	if (flash->open_page != NOWHERE && flash->open_page != page) {
		if (access == flash->shown) {
			protect(flash, flash->open_page, flash->page_bytes,
				access);
		}
		flash->open_page = NOWHERE;
	}
	if (access != flash->shown) {
		show(flash, access);
	}
	if (page != NOWHERE && flash->open_page != page) {
		protect(flash, page, flash->page_bytes, FLASH_WRITE);
		flash->open_page = page;
	}
}

/* ---- The log ---- */

/* Whether the log has room for the most that one word, and the end of a
 * rewrite, can add. */
static bool has_room(const struct flash *flash)
{
	uint32_t most = flash->nor.largest_block_bytes / 4 + 1;

	return flash->log_capacity - flash->log_count > 2 * most;
}

static void note(struct flash *flash, uint32_t offset, uint32_t value)
{
	flash->log_offset[flash->log_count] = offset;
	flash->log_value[flash->log_count] = value;
	flash->log_count++;
}

void flash_end_rewrite(struct flash *flash)
{
	const struct nor_block *block = &flash->rewrite.block;
	const uint8_t *now = flash_copy(flash) + block->offset;
	bool needs_erase = false;

	if (!flash->rewrite.active) {
		return;
	}
	flash->rewrite.active = false;
	for (uint32_t i = 0; i < block->size_bytes && !needs_erase; i += 4) {
		needs_erase = (flash_word(now, i) &
			       ~flash_word(flash->before, i)) != 0;
	}
	if (needs_erase) {
		note(flash, block->offset | LOG_ERASE, block->size_bytes);
	}
	for (uint32_t i = 0; i < block->size_bytes; i += 4) {
		uint32_t word = flash_word(now, i);

		if (word !=
		    (needs_erase ? UINT32_MAX : flash_word(flash->before, i))) {
			note(flash, (block->offset + i) | LOG_BUFFERED, word);
		}
	}
}

bool flash_program(struct flash *flash, uint32_t offset, uint64_t value,
		   uint32_t bytes, uint32_t how)
{
	struct nor_block block = flash_fill(flash, offset);
	struct rewrite *rewrite = &flash->rewrite;
	uint32_t start = offset & ~3u, shift = 8 * (offset & 3);
	uint32_t mask = bytes == 4 ? UINT32_MAX : (1u << 8 * bytes) - 1;
	uint32_t before = flash_word(flash_copy(flash), start);
	uint32_t after = before & ((uint32_t)value << shift | ~(mask << shift));

	if (!has_room(flash)) {
		return false;
	}
	if (flash->locked[block.number] != 0) {
		flash->state.status |= NOR_PROGRAM_ERROR | NOR_LOCK_ERROR;
		return true;
	}
	if (rewrite->active &&
	    (block.number != rewrite->block.number || start < rewrite->next)) {
		flash_end_rewrite(flash);
	}
	flash->touched[block.number] = 1;
	memcpy(flash_copy(flash) + start, &after, 4);
	if (rewrite->active) {
		rewrite->next = start + 4;
	} else if (after != before) {
		note(flash, start | how, after);
	}
	return true;
}

bool flash_erase(struct flash *flash, uint32_t offset)
{
	struct nor_block block = flash_fill(flash, offset);

	if (!has_room(flash)) {
		return false;
	}
	if (flash->locked[block.number] != 0) {
		flash->state.status |= NOR_ERASE_ERROR | NOR_LOCK_ERROR;
		return true;
	}
	flash_end_rewrite(flash);
	flash->counts.erases++;
	flash->touched[block.number] = 1;
	memcpy(flash->before, flash_copy(flash) + block.offset,
	       block.size_bytes);
	memset(flash_copy(flash) + block.offset, 0xff, block.size_bytes);
	flash->rewrite = (struct rewrite){
		.block = block,
		.next = block.offset,
		.active = true,
	};
	return true;
}
