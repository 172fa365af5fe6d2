/* SPDX-License-Identifier: MIT */
/*
 * A chip and RAM in which anything may be written: a sound variable store and its
 * copy, and stores of eight bytes to either. A copy that is not the same to its
 * last byte is never taken for one that is.
 */
#include "stale.h"
#include "chip.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 0x4000u
#define CHIP_BYTES (4 * BLOCK)
#define RAM_BYTES (3 * BLOCK)
#define VOLUME_HEADER 72u
#define STORE_BYTES (BLOCK - VOLUME_HEADER)

struct input_store {
	uint32_t place; /* odd: in RAM */
	uint32_t value[2];
};

static const uint8_t headers[VOLUME_HEADER + 28] = {
	[16] = 0x8d,
	0x2b,
	0xf1,
	0xff,
	0x96,
	0x76,
	0x8b,
	0x4c,
	0xa9,
	0x85,
	0x27,
	0x47,
	0x07,
	0x5b,
	0x4f,
	0x50,
	[34] = 1,
	[40] = '_',
	'F',
	'V',
	'H',
	[48] = VOLUME_HEADER,
	[72] = 0x78,
	0x2c,
	0xf3,
	0xaa,
	0x7b,
	0x94,
	0x9a,
	0x43,
	0xa1,
	0x80,
	0x2e,
	0x14,
	0x4e,
	0xc3,
	0x77,
	0x92,
	STORE_BYTES & 0xff,
	STORE_BYTES >> 8,
	0,
	0,
	0x5a,
	0xfe,
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

static void check(const struct stale *stale, const uint8_t *ram)
{
	enum stale_verdict verdict = stale_verdict(stale);
	bool is_there =
		stale->store != NULL && memmem(ram, RAM_BYTES, stale->store,
					       stale->store_bytes) != NULL;

	demand(verdict != STALE_FRESH || is_there);
	if (stale->store != NULL) {
		demand(stale->store_offset + stale->store_bytes <= CHIP_BYTES);
		demand(memcmp(stale->store, chip->storage + stale->store_offset,
			      stale->store_bytes) == 0);
	}
	demand(verdict != STALE_OLDER ||
	       stale->differs_at < stale->store_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *ram = malloc(RAM_BYTES); /* reads past its end are seen */
	struct flash_port port;
	struct stale stale;

	if (chip == NULL) {
		chip = chip_make(CHIP_BYTES, BLOCK);
	}
	if (ram == NULL) {
		return 0;
	}
	memset(ram, 0xff, RAM_BYTES);
	memset(chip->storage, 0xff, CHIP_BYTES);
	chip_reset(chip);
	memcpy(chip->storage, headers, sizeof(headers));
	memcpy(ram + 96, headers + VOLUME_HEADER, 28);
	change(ram, data, size);
	port = chip_port(chip);
	demand(stale_open(&stale, &port));
	stale_look(&stale, 0x7c440000, ram, RAM_BYTES);
	check(&stale, ram);
	stale_close(&stale);
	free(ram);
	return 0;
}
