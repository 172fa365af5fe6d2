/* SPDX-License-Identifier: MIT */
/* The machine that runs the tests' firmware, see fixture.h. */
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
	struct fixture *fixture = context;

	if (offset % FIXTURE_PAGE != 0 || size_bytes % FIXTURE_PAGE != 0 ||
	    size_bytes == 0 ||
	    offset + size_bytes > fixture->chip->size_bytes) {
		abort();
	}
	fixture->protects++;
	memset(fixture->rights + offset / FIXTURE_PAGE, (int)access,
	       size_bytes / FIXTURE_PAGE);
}

static void *reach(void *context, uint64_t address, uint32_t bytes,
		   enum flash_reach how)
{
	struct fixture *fixture = context;
	uint64_t offset = address - FIXTURE_RAM;

	if (offset >= FIXTURE_RAM_BYTES || bytes > FIXTURE_RAM_BYTES - offset ||
	    (how == FLASH_REACH_EXECUTE) != (offset < FIXTURE_CODE_BYTES)) {
		return NULL;
	}
	return fixture->ram + offset;
}

static void load_code(struct fixture *fixture)
{
	FILE *file = fopen(FIRMWARE_IMAGE, "rb");

	if (file == NULL ||
	    fread(fixture->ram, 1, FIXTURE_CODE_BYTES, file) == 0) {
		abort();
	}
	(void)fclose(file);
}

void fixture_start(struct fixture *fixture, struct chip *chip, bool with_reach)
{
	struct flash_config config = {
		.port = chip_port(chip),
		.memory = {.context = fixture, .protect = protect},
		.firmware = {.context = fixture,
			     .reach = with_reach ? reach : NULL},
		.physical = FIXTURE_FLASH,
		.address = FIXTURE_FLASH,
	};

	*fixture = (struct fixture){.chip = chip, .confirm = FIXTURE_FLASH};
	fixture->ram = calloc(1, FIXTURE_RAM_BYTES);
	fixture->copy = calloc(1, chip->size_bytes);
	fixture->rights = calloc(1, chip->size_bytes / FIXTURE_PAGE);
	load_code(fixture);
	config.memory.bytes = fixture->copy;
	fixture->flash = flash_open(&config, fixture->error);
}

void fixture_stop(struct fixture *fixture)
{
	flash_close(fixture->flash);
	free(fixture->ram);
	free(fixture->copy);
	free(fixture->rights);
}

/* Returns the memory that firmware's access to the flash reaches, or NULL when
 * the access faults. */
static uint8_t *flash_memory(struct fixture *fixture,
			     const struct cz_access *access)
{
	uint64_t offset = access->address - FIXTURE_FLASH;
	uint8_t right = fixture->rights[offset / FIXTURE_PAGE];

	return right >= (access->is_store ? FLASH_WRITE : FLASH_READ)
		       ? fixture->copy + offset
		       : NULL;
}

static bool access_memory(struct fixture *fixture,
			  const struct cz_access *access, uint8_t *memory)
{
	struct cz_frame *frame = &fixture->frame;
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

bool fixture_step(struct fixture *fixture)
{
	struct cz_frame *frame = &fixture->frame;
	const uint32_t *code =
		reach(fixture, frame->pc, 4, FLASH_REACH_EXECUTE);
	struct cz_access access;
	uint8_t *memory;

	if (code == NULL) {
		return false;
	}
	fixture->natives++;
	if (!cz_access_decode(frame, *code, &access)) {
		if (!a64_step(frame, *code)) {
			fprintf(stderr, "unknown instruction %08x at %llx\n",
				*code, (unsigned long long)frame->pc);
			return false;
		}
		return true;
	}
	if (access.address - FIXTURE_FLASH < fixture->chip->size_bytes) {
		memory = flash_memory(fixture, &access);
		return memory == NULL ? flash_fault(fixture->flash, frame,
						    *code, access.address)
				      : access_memory(fixture, &access, memory);
	}
	memory = reach(fixture, access.address, cz_access_bytes(&access),
		       access.is_store ? FLASH_REACH_WRITE : FLASH_REACH_READ);
	return memory != NULL && access_memory(fixture, &access, memory);
}

uint64_t fixture_call(struct fixture *fixture, enum operation operation)
{
	struct request *request =
		(struct request *)(fixture->ram +
				   (FIXTURE_REQUEST - FIXTURE_RAM));

	request->operation = operation;
	request->device = FIXTURE_FLASH;
	request->confirm = fixture->confirm;
	request->block_bytes = fixture->chip->block_bytes;
	request->shadow = FIXTURE_SHADOW;
	request->data = FIXTURE_DATA;
	fixture->frame = (struct cz_frame){
		.pc = FIXTURE_RAM,
		.sp = FIXTURE_STACK,
	};
	fixture->frame.x[0] = FIXTURE_REQUEST;
	fixture->frame.x[30] = RETURN;
	for (uint64_t i = 0; i < MOST_INSTRUCTIONS; i++) {
		if (fixture->frame.pc == RETURN) {
			return fixture->frame.x[0];
		}
		if (!fixture_step(fixture)) {
			return UINT64_MAX;
		}
	}
	return UINT64_MAX;
}

uint64_t fixture_set(struct fixture *fixture, uint32_t name, uint8_t fill,
		     uint32_t size_bytes)
{
	struct request *request =
		(struct request *)(fixture->ram +
				   (FIXTURE_REQUEST - FIXTURE_RAM));

	request->name = name;
	request->size_bytes = size_bytes;
	memset(fixture->ram + (FIXTURE_DATA - FIXTURE_RAM), fill, size_bytes);
	return fixture_call(fixture, OPERATION_SET);
}

bool fixture_commit(struct fixture *fixture)
{
	struct store_list list = flash_changes(fixture->flash);

	(void)flash_finish(fixture->flash, NULL);
	if (!flash_apply(fixture->flash, &list)) {
		return false;
	}
	flash_keep(fixture->flash);
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
		/* An incompletely written header is skipped. */
		at += sizeof(*found) + ((found->size_bytes + 3) & ~3u);
	}
}
