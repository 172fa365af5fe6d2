/* SPDX-License-Identifier: MIT */
/*
 * What the parts of flash.h share. flash.c opens it and ends calls; flash_copy.c has the
 * copy and the list of what was changed in it; flash_chip.c obeys commands as the chip
 * would; flash_fault.c makes firmware's accesses; flash_apply.c brings the changes to
 * the real chip.
 */
#ifndef LINUX_FLASH_INTERNAL_H
#define LINUX_FLASH_INTERNAL_H

#include "commit/flash.h"

#include <string.h>

#define NOWHERE UINT32_MAX
/* In the log, with the offset of a word. */
#define LOG_ERASE 1u
#define LOG_BUFFERED 2u
#define LOG_OFFSET (~3u)

/* What the chip is waiting for. */
enum cycle {
	CYCLE_COMMAND,
	CYCLE_WORD,
	CYCLE_ERASE,
	CYCLE_LOCK,
	CYCLE_COUNT,
	CYCLE_DATA,
	CYCLE_CONFIRM,
};

/* What a read gives. */
enum mode { MODE_ARRAY, MODE_STATUS, MODE_QUERY, MODE_IDENTIFY };

/* The chip's state. */
struct chip_state {
	enum cycle cycle;
	enum mode mode;
	uint32_t status; /* of one lane */
	uint32_t page; /* a buffered program's, from its count on; or NOWHERE */
	uint32_t block; /* and the number of its block */
	uint32_t left; /* words that it expects */
};

/* A block that was erased in this call, and is being written anew: upwards. */
struct rewrite {
	struct nor_block block;
	uint32_t next; /* offset */
	bool active;
};

/* The page that was reached last, of each kind: to ask may take a search. */
struct window {
	uint64_t address;
	uint8_t *memory; /* NULL: none yet */
};

struct flash {
	struct flash_config config;
	struct nor nor;
	struct flash_counts counts;
	struct chip_state state;
	struct rewrite rewrite;
	bool is_touched; /* in this call: anything */
	bool is_failed; /* an access of it could not be done */

	/* By the number of the block. */
	uint8_t filled[NOR_MAX_BLOCKS], touched[NOR_MAX_BLOCKS];
	uint8_t locked[NOR_MAX_BLOCKS], locked_before[NOR_MAX_BLOCKS];
	uint32_t first_filled, last_filled;

	/* What firmware's mapping allows, of what is filled. */
	enum flash_access shown;
	uint32_t open_page; /* writable, or NOWHERE */
	uint32_t page_bytes;
	struct window window[FLASH_REACH_EXECUTE + 1]; /* during a fault */
	/* In this call, buffered programs of this block were confirmed at this page,
	 * and not at the one that they were of: that one can be opened. */
	uint32_t confirm_page, confirm_block;

	/* Mapped at once, touched as far as needed. */
	size_t mapped_bytes;
	uint8_t *chip; /* what the chip holds, of blocks that are filled */
	uint8_t *before; /* the block that is being rewritten */
	uint8_t *snapshot; /* the page of a buffered program */
	uint32_t *log_offset, *log_value;
	uint32_t log_count, log_capacity;
};

static inline uint8_t *flash_copy(const struct flash *flash)
{
	return flash->config.memory.bytes;
}

static inline uint32_t flash_word(const uint8_t *bytes, uint32_t offset)
{
	uint32_t word;

	memcpy(&word, bytes + offset, 4);
	return word;
}

/* ---- flash_copy.c ---- */

/* The offset of a block, by its number. */
uint32_t flash_block_offset(const struct flash *flash, uint32_t number);

/* Fills the block at an offset from the chip, if it is not yet. */
struct nor_block flash_fill(struct flash *flash, uint32_t offset);

/* The page that firmware may write by itself now, or NOWHERE. */
uint32_t flash_page_to_open(const struct flash *flash);

/* Before firmware runs by itself: what it can reach is as the chip has it. */
void flash_settle(struct flash *flash);

/* Programs a word, or bytes of one. False: no room. */
bool flash_program(struct flash *flash, uint32_t offset, uint64_t value,
		   uint32_t bytes, uint32_t how);
bool flash_erase(struct flash *flash, uint32_t offset);

/* The block is written: what is different from before is what was changed. */
void flash_end_rewrite(struct flash *flash);

/* ---- flash_chip.c ---- */

bool flash_chip_write(struct flash *flash, uint32_t offset, uint32_t value,
		      uint32_t bytes);
uint32_t flash_chip_read(struct flash *flash, uint32_t offset);

/* Puts the page of a buffered program back, and programs what was stored there if that
 * was confirmed. */
bool flash_end_buffer(struct flash *flash, bool is_confirmed);

#endif
