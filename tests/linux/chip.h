/* SPDX-License-Identifier: MIT */
/*
 * A flash chip made up: two devices of 16 bits side by side, as QEMU 7.2 has them on
 * `-M virt`: data words take effect as they arrive, and an erase at its first word.
 * But for bits that only an erase sets: those are counted, and stay 0.
 *
 * It may have partitions. A command then changes what is read of the partition that
 * it was written to, and of no other, and a word for another partition ends a command
 * that is not complete, as Intel's P30 and its relatives do.
 */
#ifndef TESTS_LINUX_CHIP_H
#define TESTS_LINUX_CHIP_H

#include "commit/nor.h"

#define CHIP_MAX_PARTITIONS 16u

/* What is wrong with it. */
enum chip_fault {
	CHIP_SOUND,
	CHIP_BUSY, /* never ready again after a program */
	CHIP_FAILS, /* says that programs fail */
	CHIP_FORGETS, /* says that they are done, and does not do them */
};

struct chip {
	uint8_t *storage; /* shared with children */
	uint32_t size_bytes, block_bytes;
	uint32_t lanes;
	uint8_t query[0x52];
	uint32_t partition_bytes;
	uint32_t mode
		[CHIP_MAX_PARTITIONS]; /* the command that reads answer; 0: array */
	uint32_t cycle, command, counter;
	uint32_t *partition; /* whose mode `command` has changed */
	uint32_t status;
	bool is_locked; /* all of it, until a block of it is unlocked */
	enum chip_fault fault;
	uint32_t busy; /* reads until it has ended an erase, deaf till then */
	uint32_t busy_partition; /* the one that erases then */
	uint64_t reads, writes, erases, set_bits;
	void (*step)(void *context); /* before each write */
	void *context;
};

/* In shared memory, all ones. */
struct chip *chip_make(uint32_t size_bytes, uint32_t block_bytes);
void chip_free(struct chip *chip);
/* Partitions of so many bytes, whole blocks; one has it all until then. */
void chip_divide(struct chip *chip, uint32_t partition_bytes);
/* Power comes back. */
void chip_reset(struct chip *chip);
struct flash_port chip_port(struct chip *chip);
/* Whether it expects a command, and every partition shows its array. */
bool chip_is_idle(const struct chip *chip);

uint32_t chip_do_read(void *context, uint64_t offset);
void chip_do_write(void *context, uint64_t offset, uint32_t value);

#endif
