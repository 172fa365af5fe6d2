/* SPDX-License-Identifier: MIT */
/*
 * The real flash chip: CFI, the Intel command set, on a bus of 32 bits, as one
 * device or as two of 16 bits side by side. Everything here talks to the chip,
 * may take as long as the chip does, and leaves it in read-array mode. No
 * allocation, no global state; not for signal handlers but where that is said.
 */
#ifndef LINUX_NOR_H
#define LINUX_NOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The chip's registers, in accesses of 32 bits; offsets are multiples of 4. */
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
	uint64_t address; /* for messages: physical, of the first byte */
	uint32_t lanes; /* devices side by side: 1 or 2 */
	uint32_t size_bytes;
	uint32_t buffer_bytes; /* of a buffered program; 0: there is none */
	uint32_t block_count, largest_block_bytes;
	bool has_partitions; /* each shows its array or not by itself */
	uint32_t region_count;
	struct nor_region region[NOR_MAX_REGIONS];
	uint32_t query[NOR_QUERY_WORDS]; /* what it says in query mode */
	uint32_t identity[2]; /* and in identifier mode: maker, device */
	char error[NOR_ERROR_CHARS]; /* the latest, for the log */
};

/*
 * Gets the chip out of whatever command it was left in, and asks it what it is.
 * False, and nor->error, for what is not known: nothing has been programmed or
 * erased then.
 */
bool nor_open(struct nor *nor, const struct flash_port *port, uint64_t address);

/* The erase block that holds an offset below size_bytes. Signal-safe. */
struct nor_block nor_block_of(const struct nor *nor, uint32_t offset);

/* Whether the block is locked: in the chip's words, bit 0 of each lane. */
uint32_t nor_lock_status(struct nor *nor, const struct nor_block *block);

/*
 * Programs `count` words from `offset` on, which lie in one block: bits go from
 * 1 to 0 only, words that have none to lose are left alone. in_order: one word after the
 * other; else by buffered programs, of which a power cut leaves any part. Read back:
 * false, and nor->error, when a word is not its old value AND the new one.
 */
bool nor_program(struct nor *nor, uint32_t offset, const uint32_t *words,
		 uint32_t count, bool in_order);

/* Sets a block to all ones; false, and nor->error, when it is not afterwards. */
bool nor_erase(struct nor *nor, const struct nor_block *block);

/* A command for every device on the bus, as the word to be written. */
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
