/* SPDX-License-Identifier: MIT */
/* The chip as firmware sees it: what reads and writes of it do, on the copy.
 * Most of this runs in signal handlers. */
#include "commit/flash_internal.h"

#define CHUNK 256u

/* ---- Buffered programs: data go into the page, its old content is the
 * snapshot ---- */

static bool begin_buffer(struct flash *flash, uint32_t offset, uint32_t count)
{
	struct chip_state *state = &flash->state;

	if (count * 4ull > flash->nor.buffer_bytes) {
		state->status |= NOR_PROGRAM_ERROR | NOR_ERASE_ERROR;
		state->cycle = CYCLE_COMMAND;
		return true;
	}
	(void)flash_fill(flash, offset);
	state->page = offset & ~(flash->page_bytes - 1);
	state->left = count;
	state->cycle = CYCLE_DATA;
	memcpy(flash->snapshot, flash_copy(flash) + state->page,
	       flash->page_bytes);
	return true;
}

bool flash_end_buffer(struct flash *flash, bool is_confirmed)
{
	uint8_t stored[CHUNK];
	uint32_t from = flash->state.page;

	flash->state.page = NOWHERE;
	for (uint32_t i = 0; i < flash->page_bytes; i += CHUNK) {
		uint8_t *page = flash_copy(flash) + from + i;

		if (memcmp(page, flash->snapshot + i, CHUNK) == 0) {
			continue;
		}
		memcpy(stored, page, CHUNK);
		memcpy(page, flash->snapshot + i, CHUNK);
		for (uint32_t k = 0; k < CHUNK && is_confirmed; k += 4) {
			if (flash_word(stored, k) != flash_word(page, k) &&
			    !flash_program(flash, from + i + k,
					   flash_word(stored, k), 4,
					   LOG_BUFFERED)) {
				return false;
			}
		}
	}
	return true;
}

static bool confirm_buffer(struct flash *flash, uint32_t offset, uint32_t value)
{
	struct chip_state *state = &flash->state;
	uint32_t page = state->page;
	bool is_confirmed = (value & 0xff) == NOR_CONFIRM;

	state->cycle = CYCLE_COMMAND;
	if (!is_confirmed) {
		state->status |= NOR_PROGRAM_ERROR | NOR_ERASE_ERROR;
	} else if ((offset & ~(flash->page_bytes - 1)) != page) {
		flash->confirm_page = offset & ~(flash->page_bytes - 1);
	} else if (flash->confirm_page != page) {
		flash->confirm_page = NOWHERE;
	}
	return flash_end_buffer(flash, is_confirmed);
}

static bool buffer_data(struct flash *flash, uint32_t offset, uint32_t value,
			uint32_t bytes)
{
	struct chip_state *state = &flash->state;

	if (flash_page_to_open(flash) != NOWHERE) {
		/* Firmware stored the words to the open page without faults, so
		 * this is the confirmation. */
		return confirm_buffer(flash, offset, value);
	}
	if (offset - state->page >= flash->page_bytes) {
		return false;
	}
	memcpy(flash_copy(flash) + offset, &value, bytes);
	state->left--;
	if (state->left == 0) {
		state->cycle = CYCLE_CONFIRM;
	}
	return true;
}

/* ---- Commands ---- */

static void begin(struct chip_state *state, enum cycle cycle)
{
	state->cycle = cycle;
	state->mode = MODE_STATUS;
	state->status |= NOR_READY;
}

static void obey(struct flash *flash, uint32_t command)
{
	struct chip_state *state = &flash->state;

	switch (command) {
	case NOR_PROGRAM:
	case NOR_PROGRAM_TOO:
		begin(state, CYCLE_WORD);
		break;
	case NOR_ERASE:
		begin(state, CYCLE_ERASE);
		break;
	case NOR_LOCK:
		begin(state, CYCLE_LOCK);
		break;
	case NOR_BUFFER:
		begin(state, CYCLE_COUNT);
		break;
	case NOR_STATUS:
		state->mode = MODE_STATUS;
		break;
	case NOR_IDENTIFY:
		state->mode = MODE_IDENTIFY;
		break;
	case NOR_QUERY:
		state->mode = MODE_QUERY;
		break;
	case NOR_CLEAR_STATUS:
		state->status = NOR_READY;
		state->mode = MODE_ARRAY;
		break;
	default:
		state->mode = MODE_ARRAY;
		break;
	}
}

/* The second cycle of an erase, or of a change of a lock. */
static bool second(struct flash *flash, uint32_t offset, uint32_t command)
{
	struct chip_state *state = &flash->state;
	bool is_erase = state->cycle == CYCLE_ERASE;
	struct nor_block block;

	state->cycle = CYCLE_COMMAND;
	if (command == NOR_CONFIRM && is_erase) {
		return flash_erase(flash, offset);
	}
	if (!is_erase && (command == NOR_CONFIRM || command == NOR_LOCK_SET)) {
		block = flash_fill(flash, offset);
		flash->locked[block.number] = command == NOR_LOCK_SET;
	} else if (command == NOR_READ_ARRAY) {
		state->mode = MODE_ARRAY;
	} else {
		state->status |= NOR_PROGRAM_ERROR | NOR_ERASE_ERROR;
	}
	return true;
}

bool flash_chip_write(struct flash *flash, uint32_t offset, uint32_t value,
		      uint32_t bytes)
{
	struct chip_state *state = &flash->state;

	flash->is_touched = true;
	switch (state->cycle) {
	case CYCLE_WORD:
		state->cycle = CYCLE_COMMAND;
		return flash_program(flash, offset, value, bytes, 0);
	case CYCLE_ERASE:
	case CYCLE_LOCK:
		return second(flash, offset, value & 0xff);
	case CYCLE_COUNT:
		return begin_buffer(flash, offset, (value & 0xffff) + 1);
	case CYCLE_DATA:
		return buffer_data(flash, offset, value, bytes);
	case CYCLE_CONFIRM:
		return confirm_buffer(flash, offset, value);
	default:
		obey(flash, value & 0xff);
		return true;
	}
}

uint32_t flash_chip_read(struct flash *flash, uint32_t offset)
{
	struct nor_block block;
	uint32_t index;

	switch (flash->state.mode) {
	case MODE_STATUS:
		return nor_command(&flash->nor, flash->state.status);
	case MODE_ARRAY:
		(void)flash_fill(flash, offset);
		return flash_word(flash_copy(flash), offset);
	default:
		break;
	}
	block = nor_block_of(&flash->nor, offset);
	index = (offset - block.offset) / 4;
	if (flash->state.mode == MODE_QUERY) {
		return index < NOR_QUERY_WORDS ? flash->nor.query[index] : 0;
	}
	if (index == 2) {
		(void)flash_fill(flash, offset);
		return nor_command(&flash->nor, flash->locked[block.number]);
	}
	return index < 2 ? flash->nor.identity[index] : 0;
}
