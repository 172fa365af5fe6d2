/* SPDX-License-Identifier: MIT */
/* The machine that the tests' firmware runs on, see bench.h. */
#include "fixture.h"

#include "arm64/access.h"
#include "commit/a64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETURN 0x1000ull
#define MOST_INSTRUCTIONS 100000000ull

static void protect(void *context, uint64_t offset, uint64_t size_bytes,
		    enum flash_access access)
{
	struct bench *bench = context;

	if (offset % BENCH_PAGE != 0 || size_bytes % BENCH_PAGE != 0 ||
	    size_bytes == 0 || offset + size_bytes > bench->chip->size_bytes) {
		abort();
	}
	bench->protects++;
	memset(bench->rights + offset / BENCH_PAGE, (int)access,
	       size_bytes / BENCH_PAGE);
}

static void *reach(void *context, uint64_t address, uint32_t bytes,
		   enum flash_reach how)
{
	struct bench *bench = context;
	uint64_t offset = address - BENCH_RAM;

	if (offset >= BENCH_RAM_BYTES || bytes > BENCH_RAM_BYTES - offset ||
	    (how == FLASH_REACH_EXECUTE) != (offset < BENCH_CODE_BYTES)) {
		return NULL;
	}
	return bench->ram + offset;
}

static void load_code(struct bench *bench)
{
	FILE *file = fopen(FIRMWARE_IMAGE, "rb");

	if (file == NULL || fread(bench->ram, 1, BENCH_CODE_BYTES, file) == 0) {
		abort();
	}
	(void)fclose(file);
}

void bench_start(struct bench *bench, struct chip *chip, bool with_reach)
{
	struct flash_config config = {
		.port = chip_port(chip),
		.memory = {.context = bench, .protect = protect},
		.firmware = {.context = bench,
			     .reach = with_reach ? reach : NULL},
		.physical = BENCH_FLASH,
		.address = BENCH_FLASH,
	};

	*bench = (struct bench){.chip = chip, .confirm = BENCH_FLASH};
	bench->ram = calloc(1, BENCH_RAM_BYTES);
	bench->copy = calloc(1, chip->size_bytes);
	bench->rights = calloc(1, chip->size_bytes / BENCH_PAGE);
	load_code(bench);
	config.memory.bytes = bench->copy;
	bench->flash = flash_open(&config, bench->error);
}

void bench_stop(struct bench *bench)
{
	flash_close(bench->flash);
	free(bench->ram);
	free(bench->copy);
	free(bench->rights);
}

/* Where firmware's own access of the flash would go, or NULL: it faults. */
static uint8_t *flash_memory(struct bench *bench,
			     const struct cz_access *access)
{
	uint64_t offset = access->address - BENCH_FLASH;
	uint8_t right = bench->rights[offset / BENCH_PAGE];

	return right >= (access->is_store ? FLASH_WRITE : FLASH_READ)
		       ? bench->copy + offset
		       : NULL;
}

static bool access_memory(struct bench *bench, const struct cz_access *access,
			  uint8_t *memory)
{
	struct cz_frame *frame = &bench->frame;
	uint32_t number = access->first;

	for (uint32_t i = 0; i < cz_access_bytes(access); i += access->bytes) {
		uint64_t value = cz_frame_register(frame, number);

		if (access->is_store) {
			memcpy(memory + i, &value, access->bytes);
		} else {
			value = 0;
			memcpy(&value, memory + i, access->bytes);
			cz_set_frame_register(frame, number,
					      cz_access_extend(access, value));
		}
		number = access->second;
	}
	cz_access_write_back(access, frame);
	frame->pc += 4;
	return true;
}

bool bench_step(struct bench *bench)
{
	struct cz_frame *frame = &bench->frame;
	const uint32_t *code = reach(bench, frame->pc, 4, FLASH_REACH_EXECUTE);
	struct cz_access access;
	uint8_t *memory;

	if (code == NULL) {
		return false;
	}
	bench->natives++;
	if (!cz_access_decode(frame, *code, &access)) {
		if (!a64_step(frame, *code)) {
			fprintf(stderr, "unknown instruction %08x at %llx\n",
				*code, (unsigned long long)frame->pc);
			return false;
		}
		return true;
	}
	if (access.address - BENCH_FLASH < bench->chip->size_bytes) {
		memory = flash_memory(bench, &access);
		return memory == NULL ? flash_fault(bench->flash, frame, *code,
						    access.address)
				      : access_memory(bench, &access, memory);
	}
	memory = reach(bench, access.address, cz_access_bytes(&access),
		       access.is_store ? FLASH_REACH_WRITE : FLASH_REACH_READ);
	return memory != NULL && access_memory(bench, &access, memory);
}

uint64_t bench_call(struct bench *bench, enum operation operation)
{
	struct request *request =
		(struct request *)(bench->ram + (BENCH_REQUEST - BENCH_RAM));

	request->operation = operation;
	request->device = BENCH_FLASH;
	request->confirm = bench->confirm;
	request->block_bytes = bench->chip->block_bytes;
	request->shadow = BENCH_SHADOW;
	request->data = BENCH_DATA;
	bench->frame = (struct cz_frame){
		.pc = BENCH_RAM,
		.sp = BENCH_STACK,
	};
	bench->frame.x[0] = BENCH_REQUEST;
	bench->frame.x[30] = RETURN;
	for (uint64_t i = 0; i < MOST_INSTRUCTIONS; i++) {
		if (bench->frame.pc == RETURN) {
			return bench->frame.x[0];
		}
		if (!bench_step(bench)) {
			return UINT64_MAX;
		}
	}
	return UINT64_MAX;
}

uint64_t bench_set(struct bench *bench, uint32_t name, uint8_t fill,
		   uint32_t size_bytes)
{
	struct request *request =
		(struct request *)(bench->ram + (BENCH_REQUEST - BENCH_RAM));

	request->name = name;
	request->size_bytes = size_bytes;
	memset(bench->ram + (BENCH_DATA - BENCH_RAM), fill, size_bytes);
	return bench_call(bench, OPERATION_SET);
}

bool bench_commit(struct bench *bench)
{
	struct store_list list = flash_changes(bench->flash);

	(void)flash_finish(bench->flash, NULL);
	if (!flash_apply(bench->flash, &list)) {
		return false;
	}
	flash_keep(bench->flash);
	return true;
}

static int value_of(const struct variable *found)
{
	const uint8_t *bytes = (const uint8_t *)(found + 1);

	for (uint32_t i = 1; i < found->size_bytes; i++) {
		if (bytes[i] != bytes[0]) {
			return -2;
		}
	}
	return bytes[0];
}

int store_find(const uint8_t *flash, uint32_t name, uint32_t *size_bytes)
{
	const uint8_t *at = flash + STORE_OFFSET;
	int old = -1;

	for (;;) {
		const struct variable *found = (const struct variable *)at;

		if (found->start != VARIABLE_START) {
			return old;
		}
		if (found->name == name &&
		    (found->state == 0x3f || found->state == 0x3e)) {
			*size_bytes = found->size_bytes;
			old = value_of(found);
			if (found->state == 0x3f) {
				return old;
			}
		}
		/* A header that was not written to its end is skipped. */
		at += sizeof(*found) + ((found->size_bytes + 3) & ~3u);
	}
}
