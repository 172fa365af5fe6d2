/* SPDX-License-Identifier: MIT */
/* The real chip: comparing it with what is known of it, and applying
 * changes. */
#include "commit/flash_internal.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- Comparing ---- */

static bool is_block_same(struct flash *flash, const struct nor_block *block)
{
	const struct flash_port *port = &flash->config.port;

	for (uint32_t i = 0; i < block->size_bytes; i += 4) {
		uint32_t offset = block->offset + i;
		uint32_t known = flash_word(flash->chip, offset);
		uint32_t found = port->read(port->context, offset);

		if (found != known) {
			(void)snprintf(
				flash->nor.error, NOR_ERROR_CHARS,
				"flash at 0x%" PRIx64 ": 0x%" PRIx32
				" is 0x%08" PRIx32 ", and was 0x%08" PRIx32
				": somebody else has written to it",
				flash->nor.address, offset, found, known);
			return false;
		}
	}
	return true;
}

bool flash_is_same(struct flash *flash)
{
	for (uint32_t i = 0; i < flash->nor.block_count; i++) {
		if (flash->filled[i] != 0) {
			struct nor_block block = nor_block_of(
				&flash->nor, flash_block_offset(flash, i));

			if (!is_block_same(flash, &block)) {
				return false;
			}
		}
	}
	return true;
}

/* ---- Applying ---- */

static bool is_sound(const struct flash *flash,
		     const struct store_change *change)
{
	struct nor_block block;

	if (change->offset >= flash->nor.size_bytes ||
	    change->offset % 4 != 0 || change->size_bytes % 4 != 0 ||
	    change->size_bytes == 0) {
		return false;
	}
	block = nor_block_of(&flash->nor, change->offset);
	return change->kind == STORE_ERASE
		       ? change->offset == block.offset &&
				 change->size_bytes == block.size_bytes
		       : change->size_bytes <= block.offset + block.size_bytes -
						       change->offset;
}

static bool apply(struct flash *flash, const struct store_change *change)
{
	struct nor_block block;

	if (!is_sound(flash, change)) {
		(void)snprintf(
			flash->nor.error, NOR_ERROR_CHARS,
			"flash at 0x%" PRIx64 ": a change of %" PRIu32
			" bytes at 0x%" PRIx32 " does not fit into a block",
			flash->nor.address, change->size_bytes, change->offset);
		return false;
	}
	if (change->kind != STORE_ERASE) {
		flash->counts.chip_words += change->size_bytes / 4;
		return nor_program(
			&flash->nor, change->offset,
			(const uint32_t *)(const void *)change->bytes,
			change->size_bytes / 4, change->kind == STORE_WORDS);
	}
	flash->counts.chip_erases++;
	block = nor_block_of(&flash->nor, change->offset);
	return nor_erase(&flash->nor, &block);
}

/* Whether a change after the cursor contains the word. */
static bool is_changed_later(const struct store_list *list, size_t cursor,
			     uint32_t offset)
{
	struct store_change later;

	while (list->next(list->context, &cursor, &later)) {
		if (offset - later.offset < later.size_bytes) {
			return true;
		}
	}
	return false;
}

static bool verify(struct flash *flash, const struct store_list *list,
		   size_t cursor, const struct store_change *change)
{
	const struct flash_port *port = &flash->config.port;

	if (change->kind == STORE_ERASE) {
		return true;
	}
	for (uint32_t i = 0; i < change->size_bytes; i += 4) {
		uint32_t offset = change->offset + i;
		uint32_t wanted = flash_word(change->bytes, i);
		uint32_t found = port->read(port->context, offset);

		if (found != wanted &&
		    !is_changed_later(list, cursor, offset)) {
			(void)snprintf(flash->nor.error, NOR_ERROR_CHARS,
				       "flash at 0x%" PRIx64 ": 0x%" PRIx32
				       " is 0x%08" PRIx32 ", and 0x%08" PRIx32
				       " was written",
				       flash->nor.address, offset, found,
				       wanted);
			return false;
		}
	}
	return true;
}

bool flash_apply(struct flash *flash, const struct store_list *list)
{
	struct store_change change;
	size_t cursor = 0;

	while (list->next(list->context, &cursor, &change)) {
		if (!apply(flash, &change)) {
			return false;
		}
	}
	cursor = 0;
	while (list->next(list->context, &cursor, &change)) {
		if (!verify(flash, list, cursor, &change)) {
			return false;
		}
	}
	return true;
}
