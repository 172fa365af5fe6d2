/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the opening of a state file that something has written to while no
 * daemon was running. If the file is accepted, applying its journal must stay
 * within firmware's RAM and the chip, and must leave a valid state. The input
 * is a sequence of stores of eight bytes to a valid file with a valid journal.
 * After them, the checksums may be corrected.
 */
#include "commit/state.h"
#include "chip.h"
#include "commit/flash.h"
#include "lib/hash.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 0x4000u
#define CHIP_BYTES (4 * BLOCK)
/* As in linux/commit/state_file.h. */
#define HEADER_BYTES 1608u
#define JOURNAL_OFFSET_AT 48u
#define CONTROL 4096u
#define RECORD_BYTES (8 + CZ_EFI_PAGE_SIZE)
#define MAX_BYTES (1u << 20)

struct input_store {
	uint32_t place; /* 24 bits; above: which checksums to correct */
	uint32_t value[2];
};

struct control {
	uint32_t is_valid, page_count, change_count, unused;
	uint64_t body_bytes, checksum;
};

static const struct state_region regions[] = {
	{.address = 0x40000000, .size_bytes = 8 * CZ_EFI_PAGE_SIZE},
	{.address = 0x50000000, .size_bytes = 2 * CZ_EFI_PAGE_SIZE},
};

static char path[64];
static uint8_t sound[MAX_BYTES], bytes[MAX_BYTES];
static size_t size_bytes;
static uint64_t journal;
static struct chip *chip;
static struct flash *flash;
static uint8_t copy[CHIP_BYTES];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool held)
{
	if (!held) {
		abort();
	}
}

static bool fill(void *context, unsigned region, void *into, uint64_t size)
{
	(void)context;
	memset(into, (int)region + 1, size);
	return true;
}

static enum state_result open_state(struct state **state)
{
	struct state_config config = {
		.path = path,
		.identity = {.boot = "fifteen bytes..", .memory_map = 77},
		.regions = regions,
		.region_count = 2,
		.store_bytes = 65536,
		.fill = fill,
	};

	return state_open(state, &config);
}

static void correct_header(void)
{
	uint64_t checksum = hash_bytes(0, bytes, HEADER_BYTES - 8);

	memcpy(bytes + HEADER_BYTES - 8, &checksum, sizeof(checksum));
}

/* Returns false if the file ends before the journal does. */
static bool journal_checksum(uint64_t *checksum)
{
	struct control control;
	uint64_t counts[3];

	memcpy(&control, bytes + CONTROL, sizeof(control));
	counts[0] = control.page_count;
	counts[1] = control.change_count;
	counts[2] = control.body_bytes;
	if (control.body_bytes > size_bytes - journal) {
		return false;
	}
	*checksum = hash_bytes(hash_bytes(0, counts, sizeof(counts)),
			       bytes + journal, control.body_bytes);
	return true;
}

static void correct_journal(void)
{
	uint64_t checksum;

	if (journal_checksum(&checksum)) {
		memcpy(bytes + CONTROL + offsetof(struct control, checksum),
		       &checksum, sizeof(checksum));
	}
}

/* Returns whether there is no journal, or one with a correct checksum. */
static bool is_journal_whole(void)
{
	struct control control;
	uint64_t checksum;

	memcpy(&control, bytes + CONTROL, sizeof(control));
	return control.is_valid == 0 ||
	       (control.is_valid == 1 && journal_checksum(&checksum) &&
		checksum == control.checksum);
}

/* Makes a journal with a page of each region and three changes of the chip:
 * words, a buffered write and an erase. */
static void make_journal(void)
{
	static const uint32_t changes[] = {
		STORE_WORDS,	64,	   8, 8, 0x3fff1234, 0x3fff5678,
		STORE_BUFFERED, BLOCK + 4, 4, 4, 0x12345678, STORE_ERASE,
		2 * BLOCK,	BLOCK,	   0,
	};
	struct control control = {
		.is_valid = 1,
		.page_count = 2,
		.change_count = 3,
		.body_bytes = 2 * RECORD_BYTES + sizeof(changes),
	};
	uint64_t offsets[] = {65536 + CZ_EFI_PAGE_SIZE, 131072};

	memcpy(bytes + journal, &offsets[0], 8);
	memcpy(bytes + journal + RECORD_BYTES, &offsets[1], 8);
	memcpy(bytes + journal + 2 * RECORD_BYTES, changes, sizeof(changes));
	memcpy(bytes + CONTROL, &control, sizeof(control));
	correct_journal();
}

static size_t read_file(uint8_t *into)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = read(fd, into, MAX_BYTES);

	demand(got > 0 && got < (ssize_t)MAX_BYTES);
	(void)close(fd);
	return (size_t)got;
}

static void write_file(void)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	demand(pwrite(fd, bytes, size_bytes, 0) == (ssize_t)size_bytes);
	(void)close(fd);
}

static void protect(void *context, uint64_t offset, uint64_t size,
		    enum flash_access access)
{
	(void)context;
	(void)offset;
	(void)size;
	(void)access;
}

static void remove_file(void)
{
	(void)unlink(path);
}

static void start(void)
{
	struct flash_config config = {
		.memory = {.bytes = copy, .protect = protect},
		.address = 0x4000000,
	};
	char error[NOR_ERROR_CHARS];
	struct state *state;

	(void)snprintf(path, sizeof(path), "/dev/shm/caesura-fuzz-%d",
		       (int)getpid());
	(void)unlink(path);
	demand(open_state(&state) == STATE_NEW);
	(void)atexit(remove_file);
	state_close(state);
	size_bytes = read_file(bytes);
	memcpy(&journal, bytes + JOURNAL_OFFSET_AT, sizeof(journal));
	make_journal();
	memcpy(sound, bytes, size_bytes);
	chip = chip_make(CHIP_BYTES, BLOCK);
	config.port = chip_port(chip);
	flash = flash_open(&config, error);
	demand(flash != NULL);
}

/* Checks the file after recovery: the journal is no longer valid, the header
 * and the journal's body are unchanged, and the journal of an untouched file
 * has been applied. */
static void check_end(struct state *state, bool is_untouched)
{
	static uint8_t now[MAX_BYTES];
	struct state *again;
	uint32_t is_valid, word;

	demand(is_journal_whole());
	demand(read_file(now) == size_bytes);
	memcpy(&is_valid, now + CONTROL, sizeof(is_valid));
	demand(is_valid == 0);
	demand(memcmp(now, bytes, CONTROL) == 0);
	demand(memcmp(now + journal, bytes + journal, size_bytes - journal) ==
	       0);
	if (is_untouched) {
		memcpy(&word, chip->storage + 64, 4);
		demand(word == 0x3fff1234);
		demand(now[131072] == 0 && now[65536] == 1);
	}
	state_close(state);
	demand(open_state(&again) == STATE_KEPT);
	state_close(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input_store store = {0};
	struct state *state;
	bool is_untouched = size < sizeof(store);

	if (chip == NULL) {
		start();
	}
	memcpy(bytes, sound, size_bytes);
	for (; size >= sizeof(store); size -= sizeof(store)) {
		memcpy(&store, data, sizeof(store));
		data += sizeof(store);
		memcpy(bytes + (store.place & 0xffffff) % (size_bytes - 8),
		       store.value, 8);
	}
	if ((store.place & 1u << 24) != 0) {
		correct_header();
	}
	if ((store.place & 1u << 25) != 0) {
		correct_journal();
	}
	memset(chip->storage, 0xff, CHIP_BYTES);
	chip_reset(chip);
	write_file();
	switch (open_state(&state)) {
	case STATE_KEPT:
		demand(memcmp(bytes, sound, HEADER_BYTES) == 0);
		if (state_recover(state, flash_store(flash), NULL)) {
			check_end(state, is_untouched);
			return 0;
		}
		demand(state_error(state)[0] != '\0');
		break;
	case STATE_NEW: /* it was of another boot, and has been replaced */
		break;
	default:
		demand(state_error(state)[0] != '\0');
	}
	state_close(state);
	return 0;
}
