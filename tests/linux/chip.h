/* SPDX-License-Identifier: MIT */
/*
 * A simulated flash chip: two 16-bit devices side by side, as on `-M virt` of
 * QEMU 7.2. Like QEMU, it stores data words as they arrive, and erases at the
 * first word of the erase command. Unlike QEMU, it never turns a 0 bit into 1
 * without an erase: it counts the attempt, and the bit stays 0.
 *
 * The chip may have partitions. A command then changes only what reads of its
 * own partition return. A word for another partition aborts an incomplete
 * command, as on Intel's P30 and related chips.
 */
#ifndef TESTS_LINUX_CHIP_H
#define TESTS_LINUX_CHIP_H

#include "commit/nor.h"

#define CHIP_MAX_PARTITIONS 16u

/* The fault that the chip simulates. */
enum chip_fault {
	CHIP_SOUND,
	CHIP_BUSY, /* stays busy after a program command */
	CHIP_FAILS, /* reports that programs fail */
	CHIP_FORGETS, /* reports success, but stores nothing */
};

struct chip {
	uint8_t *storage; /* shared with children */
	uint32_t size_bytes, block_bytes;
	uint32_t lanes;
	uint8_t query[0x52];
	uint32_t partition_bytes;
	uint32_t
		mode[CHIP_MAX_PARTITIONS]; /* command that reads answer, or 0 */
	uint32_t cycle, command, counter;
	uint32_t *partition; /* the entry of `mode` that `command` changed */
	uint32_t status;
	bool is_locked; /* the whole chip, until any block is unlocked */
	enum chip_fault fault;
	uint32_t busy; /* reads until the erase ends; writes are ignored */
	uint32_t busy_partition; /* the one that is busy */
	uint64_t reads, writes, erases, set_bits;
	void (*step)(void *context); /* before each write */
	void *context;
};

/* Makes a chip in shared memory. All its bits are ones. */
struct chip *chip_make(uint32_t size_bytes, uint32_t block_bytes);
void chip_free(struct chip *chip);
/* Divides the chip into partitions of that size, a multiple of a block. A new
 * chip is one partition. */
void chip_divide(struct chip *chip, uint32_t partition_bytes);
/* Simulates the return of power. */
void chip_reset(struct chip *chip);
struct flash_port chip_port(struct chip *chip);
/* Returns whether the chip expects a command and all partitions read as
 * array. */
bool chip_is_idle(const struct chip *chip);

uint32_t chip_do_read(void *context, uint64_t offset);
void chip_do_write(void *context, uint64_t offset, uint32_t value);

#endif
