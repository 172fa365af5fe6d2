/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the check that compares the variable store in flash with its copy in
 * RAM. The input is a sequence of stores of eight bytes to either. A copy that
 * differs in any byte must never be taken for an equal one.
 */
#include "commit/store_check.h"
#include "chip.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 0x4000u
#define CHIP_BYTES (4 * BLOCK)
#define RAM_BYTES (3 * BLOCK)
#define STORE_BYTES (BLOCK - STORE_VOLUME_HEADER)

struct input_store {
	uint32_t place; /* twice the offset; odd: in RAM, even: in the chip */
	uint32_t value[2];
};

static struct chip *chip;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool held)
{
	if (!held) {
		abort();
	}
}

static void change(uint8_t *ram, const uint8_t *data, size_t size)
{
	struct input_store store;

	for (; size >= sizeof(store); size -= sizeof(store)) {
		memcpy(&store, data, sizeof(store));
		data += sizeof(store);
		if ((store.place & 1) != 0) {
			memcpy(ram + (store.place >> 1) % (RAM_BYTES - 7),
			       store.value, 8);
		} else {
			memcpy(chip->storage +
				       (store.place >> 1) % (CHIP_BYTES - 7),
			       store.value, 8);
		}
	}
}

static void check(const struct store_check *stale, const uint8_t *ram)
{
	enum store_verdict verdict = store_check_verdict(stale);
	bool is_there =
		stale->store != NULL && memmem(ram, RAM_BYTES, stale->store,
					       stale->store_bytes) != NULL;

	demand(verdict != STORE_FRESH || is_there);
	if (stale->store != NULL) {
		demand(stale->store_offset + stale->store_bytes <= CHIP_BYTES);
		demand(memcmp(stale->store, chip->storage + stale->store_offset,
			      stale->store_bytes) == 0);
	}
	demand(verdict != STORE_OLDER ||
	       stale->differs_at < stale->store_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of the exact size, so that the sanitizer reports a read past its
	 * end. */
	uint8_t *ram = malloc(RAM_BYTES);
	struct flash_port port;
	struct store_check stale;

	if (chip == NULL) {
		chip = chip_make(CHIP_BYTES, BLOCK);
	}
	if (ram == NULL) {
		return 0;
	}
	memset(ram, 0xff, RAM_BYTES);
	memset(chip->storage, 0xff, CHIP_BYTES);
	chip_reset(chip);
	store_put_volume(chip->storage);
	store_put_header(chip->storage + STORE_VOLUME_HEADER, STORE_BYTES);
	store_put_header(ram + 96, STORE_BYTES);
	change(ram, data, size);
	port = chip_port(chip);
	demand(store_check_open(&stale, &port));
	store_check_look(&stale, 0x7c440000, ram, RAM_BYTES);
	check(&stale, ram);
	store_check_close(&stale);
	free(ram);
	return 0;
}
