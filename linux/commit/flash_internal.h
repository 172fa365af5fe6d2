/* SPDX-License-Identifier: MIT */
/*
 * What the parts of flash.h share. flash.c opens the flash and ends calls.
 * flash_copy.c has the copy and the list of its changes. flash_chip.c executes
 * commands as the chip would. flash_fault.c does firmware's accesses.
 * flash_apply.c brings changes to the real chip.
 */
#ifndef LINUX_FLASH_INTERNAL_H
#define LINUX_FLASH_INTERNAL_H

#include "commit/flash.h"

#include <string.h>

#define NOWHERE UINT32_MAX
/* Flags of an entry of the log, in the low bits of its offset. */
#define LOG_ERASE 1u
#define LOG_BUFFERED 2u
#define LOG_OFFSET (~3u)

/* What the next write to the chip means. */
enum cycle {
	CYCLE_COMMAND,
	CYCLE_WORD,
	CYCLE_ERASE,
	CYCLE_LOCK,
	CYCLE_COUNT,
	CYCLE_DATA,
	CYCLE_CONFIRM,
};

/* What reads of the chip return. */
enum mode { MODE_ARRAY, MODE_STATUS, MODE_QUERY, MODE_IDENTIFY };

/* The state of the chip that firmware sees. */
struct chip_state {
	enum cycle cycle;
	enum mode mode;
	uint32_t status; /* of one of the devices on the bus */
	/* Page of a buffered program, once its count is known; else NOWHERE. */
	uint32_t page;
	uint32_t left; /* words that the buffered program still expects */
};

/* A block that this call has erased and is writing again, in ascending
 * order. */
struct rewrite {
	struct nor_block block;
	uint32_t next; /* offset */
	bool active;
};

/* The page that flash_firmware's reach() returned last, of each kind, since
 * reach() may have to search. */
struct window {
	uint64_t address;
	uint8_t *memory; /* NULL: none */
};

struct flash {
	struct flash_config config;
	struct nor nor;
	struct store store;
	struct flash_counts counts;
	struct chip_state state;
	struct rewrite rewrite;
	bool is_touched; /* this call has written to the flash */
	bool is_failed; /* an access of this call could not be done */

	/* Indexed by the number of the block. */
	uint8_t filled[NOR_MAX_BLOCKS], touched[NOR_MAX_BLOCKS];
	uint8_t locked[NOR_MAX_BLOCKS], locked_before[NOR_MAX_BLOCKS];
	uint32_t first_filled, last_filled;

	/* What firmware may do with the blocks that are filled. */
	enum flash_access shown;
	uint32_t open_page; /* a page that firmware may write, or NOWHERE */
	uint32_t page_bytes;
	/* Valid during a fault. */
	struct window window[FLASH_REACH_EXECUTE + 1];
	/* In this call, a buffered program was confirmed by a write to this
	 * page, which is not the page that it programs. So the page of the next
	 * one can be opened to firmware's stores. NOWHERE: none was. */
	uint32_t confirm_page;

	/* One mapping holds all of these; pages of it are used as needed. */
	size_t mapped_bytes;
	uint8_t *chip; /* content of the real chip, of blocks that are filled */
	uint8_t *before; /* the block of `rewrite`, as before its erase */
	uint8_t *snapshot; /* the page of a buffered program, as before it */
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

/* Returns the offset of the block with a number. */
uint32_t flash_block_offset(const struct flash *flash, uint32_t number);

/* Fills the copy's block at an offset from the chip, unless that is done. */
struct nor_block flash_fill(struct flash *flash, uint32_t offset);

/* Returns the page that firmware may write without faults now, or NOWHERE. */
uint32_t flash_page_to_open(const struct flash *flash);

/* Sets the protection of the copy's pages before firmware continues. Firmware
 * can then load from each block that is in read-array mode, and store to the
 * page that flash_page_to_open() returns; all its other accesses trap. */
void flash_settle(struct flash *flash);

/* Programs a word of the copy, or some bytes of it. False: the log is full. */
bool flash_program(struct flash *flash, uint32_t offset, uint64_t value,
		   uint32_t bytes, uint32_t how);
bool flash_erase(struct flash *flash, uint32_t offset);

/* Ends a rewrite: logs how the block differs from what it was before
 * the erase. */
void flash_end_rewrite(struct flash *flash);

/* ---- flash_chip.c ---- */

bool flash_chip_write(struct flash *flash, uint32_t offset, uint32_t value,
		      uint32_t bytes);
uint32_t flash_chip_read(struct flash *flash, uint32_t offset);

/* Restores the page of a buffered program, and then programs what was stored
 * there if that was confirmed. */
bool flash_end_buffer(struct flash *flash, bool is_confirmed);

#endif
