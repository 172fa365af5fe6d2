/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes firmware's accesses to flash. Where a page allows an access, it does
 * not fault. After a call that is committed, the chip equals the copy. After a
 * call that is dropped, both are as they were before. A commit that was
 * interrupted and started again has the same result.
 */
#include "commit/flash.h"
#include "chip.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 0x4000u
#define SIZE (4 * BLOCK)
#define PAGE 4096u
#define BASE 0x4000000ull

struct operation {
	uint8_t kind, place, word, command;
	uint32_t value;
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct chip *chip;
static struct flash *flash;
static uint8_t copy[SIZE], rights[SIZE / PAGE], before[SIZE];
static jmp_buf cut;
static uint32_t writes_left;

static void demand(bool held)
{
	if (!held) {
		abort();
	}
}

static void protect(void *context, uint64_t offset, uint64_t size_bytes,
		    enum flash_access access)
{
	(void)context;
	demand(offset % PAGE == 0 && size_bytes % PAGE == 0 && size_bytes > 0 &&
	       offset + size_bytes <= SIZE);
	memset(rights + offset / PAGE, (int)access, size_bytes / PAGE);
}

static void start(void)
{
	struct flash_config config = {
		.port = chip_port(chip),
		.memory = {.bytes = copy, .protect = protect},
		.address = BASE,
	};
	char error[NOR_ERROR_CHARS];

	memset(rights, 0, sizeof(rights));
	flash = flash_open(&config, error);
	demand(flash != NULL);
}

/* Makes firmware's access. Returns false if it cannot be done; the call is then
 * dropped. */
static bool access_flash(uint32_t instruction, uint32_t offset, uint64_t value)
{
	struct cz_frame frame = {.pc = 0x1000};
	bool is_store = (instruction & 1 << 22) == 0;

	frame.x[0] = BASE + offset;
	frame.x[1] = value;
	frame.x[2] = value >> 1;
	for (unsigned i = 0; i < 4; i++) {
		if (rights[offset / PAGE] >=
		    (is_store ? FLASH_WRITE : FLASH_READ)) {
			if (is_store) {
				memcpy(copy + (offset & ~3u), &value, 4);
			}
			return true;
		}
		if (!flash_fault(flash, &frame, instruction, BASE + offset)) {
			return false;
		}
		if (frame.pc != 0x1000) {
			return true;
		}
	}
	abort();
}

static bool do_access(const struct operation *operation)
{
	/* Stores and loads of w1, bytes, halfwords, x1, pairs and q1. */
	static const uint32_t instructions[] = {
		0xb9000001, 0xb9000001, 0xb9000001, 0xb9400001, /* w1 */
		0x39000001, 0x39400001, 0x79000001, /* bytes, halves */
		0xf9000001, 0xf9400001, /* x1 */
		0x29000801, 0xa9000801, 0xa9400801, /* pairs */
		0x3d800001, 0x3dc00001, /* q1 */
	};
	static const uint8_t commands[] = {0xff, 0x70, 0x50, 0x98, 0x90, 0x20,
					   0xd0, 0x40, 0x10, 0xe8, 0x60, 0x01,
					   0x00, 0x01, 0x07, 0x1f};
	static const uint32_t places[] = {
		0,	   PAGE,	BLOCK - 128, BLOCK, BLOCK + PAGE,
		2 * BLOCK, SIZE - PAGE, SIZE - 128,
	};
	uint32_t command = commands[operation->command & 15];
	uint32_t value = (operation->command & 16) != 0 ? operation->value
							: command * 0x10001;
	uint32_t offset =
		places[operation->place & 7] + 4 * (operation->word & 31);

	offset += operation->place >> 5 == 7 ? operation->place >> 3 & 3 : 0;
	return access_flash(instructions[operation->kind % 14], offset, value);
}

static void cut_off(void *context)
{
	(void)context;
	if (writes_left-- == 0) {
		longjmp(cut, 1);
	}
}

static void commit(uint32_t after)
{
	struct store_list list = flash_changes(flash);

	(void)flash_finish(flash, NULL);
	chip->step = cut_off;
	writes_left = after;
	if (setjmp(cut) == 0) {
		demand(flash_apply(flash, &list));
	}
	chip->step = NULL;
	if ((after & 1) != 0) {
		chip_reset(chip);
	}
	chip_do_write(chip, SIZE - 4, UINT32_MAX);
	while (!chip_is_idle(chip)) {
		chip_do_write(chip, SIZE - 4, UINT32_MAX);
	}
	demand(flash_apply(flash, &list));
	flash_keep(flash);
}

static void check(void)
{
	for (uint32_t i = 0; i < SIZE; i += PAGE) {
		demand(rights[i / PAGE] != FLASH_WRITE);
		demand(rights[i / PAGE] == FLASH_NONE ||
		       memcmp(copy + i, chip->storage + i, PAGE) == 0);
	}
}

static void drop(void)
{
	flash_drop(flash);
	demand(memcmp(before, chip->storage, SIZE) == 0);
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct operation operation;

	if (chip == NULL) {
		chip = chip_make(SIZE, BLOCK);
	}
	memset(chip->storage, 0xff, SIZE);
	chip_reset(chip);
	chip->is_locked = size % 2 != 0;
	start();
	memcpy(before, chip->storage, SIZE);
	for (; size >= sizeof(operation); size -= sizeof(operation)) {
		memcpy(&operation, bytes, sizeof(operation));
		bytes += sizeof(operation);
		if (operation.kind == 255) {
			drop();
		} else if (operation.kind >= 250) {
			commit(operation.value % 512);
			check();
			memcpy(before, chip->storage, SIZE);
		} else if (!do_access(&operation)) {
			drop();
		}
	}
	drop();
	flash_close(flash);
	return 0;
}
