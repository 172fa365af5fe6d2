/* SPDX-License-Identifier: MIT */
/* Accesses of firmware to the flash that fault. Everything here runs in signal
 * handlers. */
#include "commit/a64.h"
#include "commit/flash_internal.h"

#include "arm64/access.h"

/* Execution of firmware's code stops after so many instructions without an
 * access that would fault, and after so many in total, so that the call can be
 * ended in between. */
#define FOLLOW_IDLE 160u
#define FOLLOW_MOST 4096u
#define WINDOW 4096u

/* ---- Firmware's accesses ---- */

bool flash_holds(const struct flash *flash, uint64_t address)
{
	return address - flash->config.address < flash->nor.size_bytes;
}

static uint64_t load(struct flash *flash, uint32_t offset, uint32_t bytes)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < bytes; i++) {
		uint32_t word = flash_chip_read(flash, (offset + i) & ~3u);

		value |= (uint64_t)(word >> 8 * ((offset + i) & 3) & 0xff)
			 << 8 * i;
	}
	return value;
}

static bool store(struct flash *flash, uint32_t offset, uint64_t value,
		  uint32_t bytes)
{
	if (bytes == 8) {
		return flash_chip_write(flash, offset, (uint32_t)value, 4) &&
		       flash_chip_write(flash, offset + 4,
					(uint32_t)(value >> 32), 4);
	}
	return flash_chip_write(flash, offset, (uint32_t)value, bytes);
}

static bool move(struct flash *flash, struct cz_frame *frame,
		 const struct cz_access *access, uint32_t number,
		 uint32_t offset)
{
	if (access->is_store) {
		return store(flash, offset, cz_frame_register(frame, number),
			     access->bytes);
	}
	cz_set_frame_register(
		frame, number,
		cz_access_extend(access, load(flash, offset, access->bytes)));
	return true;
}

static bool fits(const struct flash *flash, const struct cz_access *access)
{
	uint64_t offset = access->address - flash->config.address;
	uint32_t bytes = cz_access_bytes(access);

	return offset < flash->nor.size_bytes &&
	       bytes <= flash->nor.size_bytes - offset &&
	       (!access->is_store || offset % access->bytes == 0);
}

/* Does one load or store of the flash, and steps over it. */
static bool do_access(struct flash *flash, struct cz_frame *frame,
		      const struct cz_access *access)
{
	uint32_t offset = (uint32_t)(access->address - flash->config.address);

	flash->counts.accesses++;
	if (!move(flash, frame, access, access->first, offset) ||
	    (access->second != CZ_ACCESS_NONE &&
	     !move(flash, frame, access, access->second,
		   offset + access->bytes))) {
		flash->is_failed = true;
		return false;
	}
	cz_access_write_back(access, frame);
	frame->pc += 4;
	return true;
}

/* ---- Executing firmware's code ---- */

static void *reach(struct flash *flash, uint64_t address, uint32_t bytes,
		   enum flash_reach how)
{
	const struct flash_firmware *firmware = &flash->config.firmware;
	struct window *window = &flash->window[how];
	uint64_t start = address & ~(uint64_t)(WINDOW - 1);

	if (window->memory == NULL || window->address != start) {
		window->address = start;
		window->memory =
			firmware->reach(firmware->context, start, WINDOW, how);
	}
	if (window->memory != NULL && address - start <= WINDOW - bytes) {
		return window->memory + (address - start);
	}
	return firmware->reach(firmware->context, address, bytes, how);
}

/* Does a load or store of firmware's other memory. */
static bool follow_access(struct flash *flash, struct cz_frame *frame,
			  const struct cz_access *access)
{
	uint32_t bytes = cz_access_bytes(access);
	uint8_t *memory =
		reach(flash, access->address, bytes,
		      access->is_store ? FLASH_REACH_WRITE : FLASH_REACH_READ);
	uint32_t number = access->first;

	if (memory == NULL) {
		return false;
	}
	for (uint32_t i = 0; i < bytes; i += access->bytes) {
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

/* Executes one instruction. False: it cannot, and nothing has been done. */
static bool follow(struct flash *flash, struct cz_frame *frame,
		   uint32_t instruction, uint32_t *idle)
{
	struct cz_access access;

	if (!cz_access_decode(frame, instruction, &access)) {
		return a64_step(frame, instruction);
	}
	if (!flash_holds(flash, access.address)) {
		return follow_access(flash, frame, &access);
	}
	if (!fits(flash, &access)) {
		return false;
	}
	/* A load from the array would not have faulted. */
	if (access.is_store || flash->state.mode != MODE_ARRAY) {
		*idle = 0;
	}
	return do_access(flash, frame, &access);
}

/* Executes firmware's code, since a fault costs as much as a few hundred
 * instructions executed here. Stops where firmware can run by itself for
 * longer. */
static void go_on(struct flash *flash, struct cz_frame *frame)
{
	uint32_t idle = 0;

	memset(flash->window, 0, sizeof(flash->window));
	for (uint32_t i = 0; i < FOLLOW_MOST && idle < FOLLOW_IDLE; i++) {
		const uint32_t *code;

		if (flash_page_to_open(flash) != NOWHERE) {
			return;
		}
		code = reach(flash, frame->pc, 4, FLASH_REACH_EXECUTE);
		idle++;
		if (code == NULL || !follow(flash, frame, *code, &idle)) {
			return;
		}
		flash->counts.instructions++;
	}
}

/* ---- A fault ---- */

bool flash_fault(struct flash *flash, struct cz_frame *frame,
		 uint32_t instruction, uint64_t address)
{
	struct cz_access access;
	uint32_t offset = (uint32_t)(address - flash->config.address);

	if (!flash_holds(flash, address) || flash->is_failed) {
		return false;
	}
	flash->counts.faults++;
	if (!cz_access_decode(frame, instruction, &access)) {
		/* It may be a load to FP/SIMD registers: it is repeated, once
		 * the block is filled. */
		if (flash->state.mode != MODE_ARRAY ||
		    flash->filled[nor_block_of(&flash->nor, offset).number] !=
			    0) {
			return false;
		}
		(void)flash_fill(flash, offset);
		return true;
	}
	if (!fits(flash, &access) ||
	    address - access.address >= cz_access_bytes(&access) ||
	    !do_access(flash, frame, &access)) {
		return false;
	}
	if (access.is_store || flash->state.mode != MODE_ARRAY) {
		if (flash->config.firmware.reach != NULL) {
			go_on(flash, frame);
		}
	}
	flash_settle(flash);
	return !flash->is_failed;
}
