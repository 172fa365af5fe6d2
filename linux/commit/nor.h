/* SPDX-License-Identifier: MIT */
/*
 * Drives the real flash chip: a CFI chip with the Intel command set on a 32-bit
 * bus, either one device or two 16-bit devices side by side. Every function
 * waits as long as the chip needs and leaves it in read-array mode. Nothing
 * here allocates or has global state. Only functions that say so may be called
 * from signal handlers.
 */
#ifndef LINUX_NOR_H
#define LINUX_NOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Access to the chip in units of 32 bits. Offsets are multiples of 4. */
struct flash_port {
	void *context;
	uint32_t (*read)(void *context, uint64_t offset);
	void (*write)(void *context, uint64_t offset, uint32_t value);
	uint64_t size_bytes;
};

#define NOR_MAX_REGIONS 4
#define NOR_MAX_BLOCKS 4096
#define NOR_QUERY_WORDS 0x60
#define NOR_ERROR_CHARS 160

/* Erase blocks of one size. */
struct nor_region {
	uint32_t offset, block_bytes, block_count, first_block;
};

struct nor_block {
	uint32_t number, offset, size_bytes;
};

struct nor {
	struct flash_port port;
	uint64_t address; /* the first byte's physical address, for messages */
	uint32_t lanes; /* devices side by side: 1 or 2 */
	uint32_t size_bytes;
	/* the most for a buffered program; 0: not supported */
	uint32_t buffer_bytes;
	uint32_t block_count, largest_block_bytes;
	bool has_partitions; /* each has its own read mode */
	uint32_t region_count;
	struct nor_region region[NOR_MAX_REGIONS];
	uint32_t query[NOR_QUERY_WORDS]; /* the answer in query mode */
	uint32_t identity[2]; /* in identifier mode: maker, device */
	char error[NOR_ERROR_CHARS]; /* the latest error, for the log */
};

/*
 * Ends any command that the chip was left in, and identifies the chip. Returns
 * false, with nor->error set, if the chip is unknown. Nothing has been
 * programmed or erased then.
 */
bool nor_open(struct nor *nor, const struct flash_port *port, uint64_t address);

/* Returns the erase block that holds an offset below size_bytes.
 * Signal-safe. */
struct nor_block nor_block_of(const struct nor *nor, uint32_t offset);

/* Returns whether the block is locked: bit 0 of each lane, as the chip reports
 * it. */
uint32_t nor_lock_status(struct nor *nor, const struct nor_block *block);

/*
 * Programs `count` words from `offset` on, all in one block. Bits only change
 * from 1 to 0; words that would not change are not programmed. If in_order is
 * true, words are programmed one after the other. Otherwise buffered programs
 * may be used, and a power failure may leave any part of one. The result is
 * read back: returns false, with nor->error set, if a word is not its old value
 * AND the new one.
 */
bool nor_program(struct nor *nor, uint32_t offset, const uint32_t *words,
		 uint32_t count, bool in_order);

/* Erases a block to all ones. Returns false, with nor->error set, if the block
 * is not so afterwards. */
bool nor_erase(struct nor *nor, const struct nor_block *block);

/* Returns the word that sends a command to every device on the bus. */
static inline uint32_t nor_command(const struct nor *nor, uint32_t command)
{
	return nor->lanes == 2 ? command << 16 | command : command;
}

#define NOR_READ_ARRAY 0xff
#define NOR_STATUS 0x70
#define NOR_CLEAR_STATUS 0x50
#define NOR_QUERY 0x98
#define NOR_IDENTIFY 0x90
#define NOR_ERASE 0x20
#define NOR_CONFIRM 0xd0
#define NOR_PROGRAM 0x40
#define NOR_PROGRAM_TOO 0x10
#define NOR_BUFFER 0xe8
#define NOR_LOCK 0x60
#define NOR_LOCK_SET 0x01

#define NOR_READY 0x80
#define NOR_ERASE_ERROR 0x20
#define NOR_PROGRAM_ERROR 0x10
#define NOR_VOLTAGE_ERROR 0x08
#define NOR_LOCK_ERROR 0x02

#endif
