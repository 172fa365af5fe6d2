/* SPDX-License-Identifier: MIT */
/* The simulated flash chip, see chip.h. */
#include "chip.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static uint32_t both(const struct chip *chip, uint32_t value)
{
	return chip->lanes == 2 ? value << 16 | value : value;
}

static void describe(struct chip *chip)
{
	uint32_t bytes = chip->block_bytes / chip->lanes;
	uint32_t count = chip->size_bytes / chip->block_bytes - 1;

	memcpy(chip->query + 0x10, "QRY\001\000\061", 6);
	memcpy(chip->query + 0x31, "PRI10", 5);
	chip->query[0x27] = (uint8_t)__builtin_ctz(bytes * (count + 1));
	chip->query[0x28] = 2;
	chip->query[0x2a] = 0x0b;
	chip->query[0x2c] = 1;
	chip->query[0x2d] = (uint8_t)count;
	chip->query[0x2e] = (uint8_t)(count >> 8);
	chip->query[0x2f] = (uint8_t)(bytes >> 8);
	chip->query[0x30] = (uint8_t)(bytes >> 16);
}

struct chip *chip_make(uint32_t size_bytes, uint32_t block_bytes)
{
	struct chip *chip =
		mmap(NULL, sizeof(*chip) + size_bytes, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (chip == MAP_FAILED) {
		abort();
	}
	*chip = (struct chip){
		.storage = (uint8_t *)(chip + 1),
		.size_bytes = size_bytes,
		.block_bytes = block_bytes,
		.partition_bytes = size_bytes,
		.lanes = 2,
	};
	memset(chip->storage, 0xff, size_bytes);
	describe(chip);
	chip_reset(chip);
	return chip;
}

void chip_divide(struct chip *chip, uint32_t partition_bytes)
{
	chip->partition_bytes = partition_bytes;
	chip->query[0x31 + 6] |= 2; /* simultaneous operations */
}

void chip_free(struct chip *chip)
{
	(void)munmap(chip, sizeof(*chip) + chip->size_bytes);
}

void chip_reset(struct chip *chip)
{
	chip->cycle = 0;
	chip->command = 0;
	chip->status = 0x80;
	memset(chip->mode, 0, sizeof(chip->mode));
}

bool chip_is_idle(const struct chip *chip)
{
	for (uint32_t i = 0; i < CHIP_MAX_PARTITIONS; i++) {
		if (chip->mode[i] != 0) {
			return false;
		}
	}
	return chip->cycle == 0;
}

static bool is_divided(const struct chip *chip)
{
	return chip->partition_bytes != chip->size_bytes;
}

static uint32_t *mode_of(struct chip *chip, uint64_t offset)
{
	uint64_t number = offset / chip->partition_bytes;

	if (number >= CHIP_MAX_PARTITIONS) {
		abort();
	}
	return &chip->mode[number];
}

struct flash_port chip_port(struct chip *chip)
{
	return (struct flash_port){
		.context = chip,
		.read = chip_do_read,
		.write = chip_do_write,
		.size_bytes = chip->size_bytes,
	};
}

static bool is_busy(const struct chip *chip, uint64_t offset)
{
	return chip->busy > 0 &&
	       (!is_divided(chip) ||
		offset / chip->partition_bytes == chip->busy_partition);
}

uint32_t chip_do_read(void *context, uint64_t offset)
{
	struct chip *chip = context;
	uint32_t value = 0;

	chip->reads++;
	if (offset % 4 != 0 || offset >= chip->size_bytes) {
		abort();
	}
	if (is_busy(chip, offset)) {
		chip->busy--;
		return 0;
	}
	switch (*mode_of(chip, offset)) {
	case 0:
		memcpy(&value, chip->storage + offset, 4);
		return value;
	case 0x98:
		return offset / 4 < sizeof(chip->query)
			       ? both(chip, chip->query[offset / 4])
			       : 0;
	case 0x90:
		switch (offset / 4 & 0xff) {
		case 0:
			return both(chip, 0x89);
		case 1:
			return both(chip, 0x18);
		case 2:
			return both(chip, chip->is_locked ? 1 : 0);
		default:
			return 0;
		}
	default:
		return both(chip, chip->status);
	}
}

static void store(struct chip *chip, uint64_t offset, uint32_t value)
{
	uint32_t before;

	memcpy(&before, chip->storage + offset, 4);
	chip->set_bits += (value & ~before) != 0;
	value &= before;
	chip->status |= 0x80;
	if (chip->is_locked) {
		chip->status |= 0x12;
		return;
	}
	switch (chip->fault) {
	case CHIP_SOUND:
		memcpy(chip->storage + offset, &value, 4);
		break;
	case CHIP_BUSY:
		chip->status &= ~0x80u;
		break;
	case CHIP_FAILS:
		chip->status |= 0x10;
		break;
	case CHIP_FORGETS:
		break;
	}
}

static void array(struct chip *chip, uint64_t offset)
{
	chip->cycle = 0;
	chip->command = 0;
	*mode_of(chip, offset) = 0;
}

static void begin(struct chip *chip, uint64_t offset, uint32_t command)
{
	uint64_t block = offset & ~(uint64_t)(chip->block_bytes - 1);

	switch (command) {
	case 0x20:
		if (chip->is_locked) {
			chip->status |= 0x22;
		} else {
			memset(chip->storage + block, 0xff, chip->block_bytes);
			chip->erases++;
		}
		chip->status |= 0x80;
		break;
	case 0xe8:
		chip->status |= 0x80;
		break;
	case 0x10:
	case 0x40:
	case 0x60:
	case 0x98:
		break;
	case 0x50:
		/* QEMU's chip then reports busy until the next command. */
		chip->status = is_divided(chip) ? 0x80 : 0;
		array(chip, offset);
		return;
	case 0x70:
	case 0x90:
		*mode_of(chip, offset) = command;
		return;
	default:
		array(chip, offset);
		return;
	}
	chip->command = command;
	chip->partition = mode_of(chip, offset);
	*chip->partition = command;
	chip->cycle = 1;
}

static void second(struct chip *chip, uint64_t offset, uint32_t value)
{
	uint32_t command = value & 0xff;

	switch (chip->command) {
	case 0x10:
	case 0x40:
		store(chip, offset, value);
		chip->cycle = 0;
		break;
	case 0x20:
		if (command == 0xd0) {
			chip->cycle = 0;
			chip->status |= 0x80;
		} else {
			array(chip, offset);
		}
		break;
	case 0xe8:
		chip->counter = value & 0xffff;
		chip->cycle = 2;
		break;
	case 0x60:
		if (command == 0xd0 || command == 0x01) {
			chip->is_locked = command == 0x01;
			chip->cycle = 0;
			chip->status |= 0x80;
		} else {
			array(chip, offset);
		}
		break;
	default:
		if (command == 0xff) {
			array(chip, offset);
		}
		break;
	}
}

/* Returns whether the word is for another partition than the one of the
 * incomplete command. */
static bool is_elsewhere(struct chip *chip, uint64_t offset)
{
	return chip->cycle != 0 && mode_of(chip, offset) != chip->partition;
}

static void give_up(struct chip *chip, uint64_t offset)
{
	chip->cycle = 0;
	if (chip->command != 0x98) {
		chip->status |= 0xb0;
		*mode_of(chip, offset) = 0x70;
	}
	chip->command = 0;
}

void chip_do_write(void *context, uint64_t offset, uint32_t value)
{
	struct chip *chip = context;

	if (chip->step != NULL) {
		chip->step(chip->context);
	}
	chip->writes++;
	if (offset % 4 != 0 || offset >= chip->size_bytes) {
		abort();
	}
	if (is_busy(chip, offset)) {
		return;
	}
	if (is_elsewhere(chip, offset)) {
		give_up(chip, offset);
		return;
	}
	switch (chip->cycle) {
	case 0:
		begin(chip, offset, value & 0xff);
		break;
	case 1:
		second(chip, offset, value);
		break;
	case 2:
		store(chip, offset, value);
		if (chip->counter-- == 0) {
			chip->cycle = 3;
		}
		break;
	default:
		if ((value & 0xff) == 0xd0) {
			chip->cycle = 0;
			chip->status |= 0x80;
		} else {
			array(chip, offset);
		}
		break;
	}
}
