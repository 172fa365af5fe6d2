/* SPDX-License-Identifier: MIT */
/*
 * linux/commit/belief.c: whether a state that was kept matches the chip and the
 * machine's RAM. The tests judge it without a pending commit, at each point of
 * a commit, and after somebody else has written to the chip or to RAM.
 */
#include "chip.h"
#include "commit/belief.h"
#include "lib/hash.h"
#include "store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCK 0x4000u
#define CHIP_BYTES (4 * BLOCK)
#define STORE_BYTES (2 * BLOCK - STORE_VOLUME_HEADER)
#define RAM_BYTES (3 * BLOCK)
#define RAM 0x7c440000u
#define COPY_AT 4096u /* in RAM */
#define USED 3000u /* bytes of the store in use; free ones follow */

static char path[64];
static struct chip *chip;
static struct state *state;
static uint8_t machine_ram[RAM_BYTES];
static bool keeps_ram;
static char why[BELIEF_WHY_CHARS];
static const struct state_region region = {RAM, RAM_BYTES};

static void put_ram(void *context, unsigned number, uint64_t offset,
		    const uint8_t *before, const uint8_t *after)
{
	(void)context;
	(void)number;
	(void)before;
	memcpy(machine_ram + offset, after, CZ_EFI_PAGE_SIZE);
}

static bool holds(void *context, unsigned number, uint64_t offset,
		  const uint8_t *one, const uint8_t *other, bool changed_only)
{
	(void)context;
	(void)number;
	for (uint32_t i = 0; i < CZ_EFI_PAGE_SIZE; i += 8) {
		if (changed_only && memcmp(one + i, other + i, 8) == 0) {
			continue;
		}
		if (memcmp(machine_ram + offset + i, one + i, 8) != 0 &&
		    memcmp(machine_ram + offset + i, other + i, 8) != 0) {
			return false;
		}
	}
	return true;
}

static const struct state_ram ram = {.put = put_ram, .holds = holds};

static bool fill(void *context, unsigned number, void *into, uint64_t bytes)
{
	(void)context;
	(void)number;
	memcpy(into, machine_ram, bytes);
	return true;
}

static struct state_config config_now(void)
{
	return (struct state_config){
		.path = path,
		.identity = {.boot = "fifteen bytes..", .memory_map = 77},
		.regions = &region,
		.region_count = 1,
		.store_bytes = 65536,
		.fill = fill,
		.ram = keeps_ram ? &ram : NULL,
	};
}

/* Makes a chip with a store, RAM with a copy of the store, and a state of
 * both. */
static int start(void **unused)
{
	struct state_config config;

	(void)unused;
	keeps_ram = true;
	chip = chip_make(CHIP_BYTES, BLOCK);
	store_put_volume(chip->storage);
	store_put_header(chip->storage + STORE_VOLUME_HEADER, STORE_BYTES);
	memset(chip->storage + STORE_VOLUME_HEADER + STORE_HEADER, 0x3c, USED);
	memset(machine_ram, 5, sizeof(machine_ram));
	memcpy(machine_ram + COPY_AT, chip->storage + STORE_VOLUME_HEADER,
	       STORE_BYTES);
	config = config_now();
	(void)unlink(path);
	assert_int_equal(state_open(&state, &config), STATE_NEW);
	return 0;
}

static int stop(void **unused)
{
	(void)unused;
	state_close(state);
	chip_free(chip);
	(void)unlink(path);
	return 0;
}

/* Judges the state as the next daemon would. */
static enum belief judge(void)
{
	struct state_config config = config_now();
	struct flash_port port = chip_port(chip);

	state_close(state);
	assert_int_equal(state_open(&state, &config), STATE_KEPT);
	why[0] = '\0';
	return belief_judge(state, &config, &port, why);
}

/* ---- No commit is pending ---- */

static void an_unchanged_state_holds(void **unused)
{
	(void)unused;
	assert_int_equal(judge(), BELIEF_HOLDS);
	keeps_ram = false;
	assert_int_equal(judge(), BELIEF_HOLDS);
}

static void a_changed_store_is_broken(void **unused)
{
	static const uint32_t places[] = {STORE_HEADER, 2999, USED + 100,
					  STORE_BYTES - 1};

	(void)unused;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint8_t *byte = chip->storage + STORE_VOLUME_HEADER + places[i];

		*byte ^= 8;
		assert_int_equal(judge(), BELIEF_BROKEN);
		assert_non_null(strstr(why, "the variable store"));
		*byte ^= 8;
		assert_int_equal(judge(), BELIEF_HOLDS);
	}
}

/* The store is the same, but firmware's other RAM is that of another boot. */
static void changed_ram_is_broken(void **unused)
{
	(void)unused;
	machine_ram[100] ^= 1;
	assert_int_equal(judge(), BELIEF_BROKEN);
	assert_non_null(strstr(why, "firmware's RAM"));
	/* A difference in RAM does not matter where the daemon does not keep
	 * RAM. */
	keeps_ram = false;
	assert_int_equal(judge(), BELIEF_HOLDS);
}

static void without_a_known_store_ram_decides(void **unused)
{
	(void)unused;
	memset(chip->storage, 0xff, CHIP_BYTES);
	assert_int_equal(judge(), BELIEF_UNKNOWN);
	machine_ram[100] ^= 1;
	assert_int_equal(judge(), BELIEF_BROKEN);
}

/* ---- A commit is pending ---- */

/* Offsets in the state file, as in linux/commit/state_file.h. */
#define CONTROL 4096u
#define JOURNAL_OFFSET_AT 48u
#define REGION_AT 65536u
/* A free word of the chip. */
#define WORD_AT (STORE_VOLUME_HEADER + USED + 100)
#define COPY_OF_WORD (COPY_AT + USED + 100)
#define BEFORE 0xffffffffu
#define AFTER 0x12345678u

struct control {
	uint32_t is_valid, page_count, change_count, unused;
	uint64_t body_bytes, checksum;
};

static void write_file(uint64_t offset, const void *bytes, size_t size)
{
	int fd = open(path, O_RDWR);

	assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), size);
	(void)close(fd);
}

/* The journal of a commit: pages of RAM, then changes of the chip. */
struct journal {
	uint8_t body[4 * (8 + CZ_EFI_PAGE_SIZE) + 4 * BLOCK];
	size_t bytes;
	uint32_t pages, changes;
};

static void add(struct journal *journal, const void *bytes, size_t size)
{
	assert_true(size <= sizeof(journal->body) - journal->bytes);
	memcpy(journal->body + journal->bytes, bytes, size);
	journal->bytes += size;
}

/* Adds the page that contains the word, with the word changed. */
static void add_page(struct journal *journal, uint64_t place, uint32_t word)
{
	uint64_t page = place / CZ_EFI_PAGE_SIZE * CZ_EFI_PAGE_SIZE;
	uint64_t offset = REGION_AT + page;
	uint8_t bytes[CZ_EFI_PAGE_SIZE];

	memcpy(bytes, machine_ram + page, CZ_EFI_PAGE_SIZE);
	memcpy(bytes + (place - page), &word, 4);
	add(journal, &offset, 8);
	add(journal, bytes, CZ_EFI_PAGE_SIZE);
	journal->pages++;
}

static void add_change(struct journal *journal, uint32_t kind, uint32_t offset,
		       uint32_t size, const void *bytes)
{
	uint32_t record[] = {kind, offset, size, bytes == NULL ? 0 : size};

	add(journal, record, sizeof(record));
	if (bytes != NULL) {
		add(journal, bytes, size);
	}
	journal->changes++;
}

static void leave_journal(const struct journal *journal)
{
	uint64_t counts[] = {journal->pages, journal->changes, journal->bytes};
	struct control control = {
		.is_valid = 1,
		.page_count = journal->pages,
		.change_count = journal->changes,
		.body_bytes = journal->bytes,
		.checksum = hash_bytes(hash_bytes(0, counts, sizeof(counts)),
				       journal->body, journal->bytes),
	};
	uint64_t offset;
	int fd = open(path, O_RDONLY);

	assert_int_equal(pread(fd, &offset, 8, JOURNAL_OFFSET_AT), 8);
	(void)close(fd);
	write_file(offset, journal->body, journal->bytes);
	write_file(CONTROL, &control, sizeof(control));
}

/* Leaves the journal of a commit that programs one word of the store, with or
 * without an erase before it. */
static void leave_commit(bool with_erase)
{
	struct journal journal = {.bytes = 0};
	uint8_t block[BLOCK];
	uint32_t after = AFTER;

	memcpy(block, chip->storage, BLOCK);
	memcpy(block + WORD_AT, &after, 4);
	add_page(&journal, COPY_OF_WORD, AFTER);
	if (with_erase) {
		add_change(&journal, STORE_ERASE, 0, BLOCK, NULL);
		add_change(&journal, STORE_BUFFERED, 0, BLOCK, block);
	} else {
		add_change(&journal, STORE_BUFFERED, WORD_AT, 4, &after);
	}
	leave_journal(&journal);
}

static void set_word(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void each_point_of_a_commit_holds(void **unused)
{
	static const uint32_t words[] = {BEFORE, 0xf2ff567f, AFTER};
	static const uint32_t in_ram[] = {BEFORE, AFTER};
	uint32_t after = AFTER;

	(void)unused;
	leave_commit(false);
	for (size_t i = 0; i < 3; i++) {
		set_word(chip->storage + WORD_AT, words[i]);
		assert_int_equal(judge(), BELIEF_HOLDS);
	}
	for (size_t i = 0; i < 2; i++) {
		set_word(machine_ram + COPY_OF_WORD, in_ram[i]);
		assert_int_equal(judge(), BELIEF_HOLDS);
	}
	/* The copy in the state file is changed last. */
	write_file(REGION_AT + COPY_OF_WORD, &after, 4);
	assert_int_equal(judge(), BELIEF_HOLDS);
}

static void foreign_writes_during_a_commit_are_broken(void **unused)
{
	(void)unused;
	leave_commit(false);
	set_word(chip->storage + WORD_AT, 0x02345678);
	assert_int_equal(judge(), BELIEF_BROKEN);
	set_word(chip->storage + WORD_AT, AFTER);
	chip->storage[STORE_VOLUME_HEADER + 77] = 0;
	assert_int_equal(judge(), BELIEF_BROKEN);
	chip->storage[STORE_VOLUME_HEADER + 77] = 0x3c;
	chip->storage[WORD_AT + 4] = 0;
	assert_int_equal(judge(), BELIEF_BROKEN);
	chip->storage[WORD_AT + 4] = 0xff;
	set_word(machine_ram + COPY_OF_WORD, 0x02345678);
	assert_int_equal(judge(), BELIEF_BROKEN);
	set_word(machine_ram + COPY_OF_WORD, AFTER);
	assert_int_equal(judge(), BELIEF_HOLDS);
}

/* The chip already has the committed word, but RAM does not. Secure firmware
 * has meanwhile left a record of an error in RAM. The commit must be completed,
 * not abandoned. */
static void a_foreign_word_in_ram_is_accepted_after_the_chip(void **unused)
{
	(void)unused;
	leave_commit(false);
	set_word(chip->storage + WORD_AT, AFTER);
	machine_ram[100] ^= 1;
	machine_ram[COPY_OF_WORD + 64] ^= 1;
	assert_int_equal(judge(), BELIEF_HOLDS);
	set_word(machine_ram + COPY_OF_WORD, 0x02345678);
	assert_int_equal(judge(), BELIEF_BROKEN);
}

static void a_commit_with_an_erase_is_judged(void **unused)
{
	uint8_t before[BLOCK];

	(void)unused;
	memcpy(before, chip->storage, BLOCK);
	leave_commit(true);
	assert_int_equal(judge(), BELIEF_HOLDS);
	/* Somebody else writes before the block is erased. */
	chip->storage[WORD_AT + 64] = 0;
	assert_int_equal(judge(), BELIEF_BROKEN);
	memcpy(chip->storage, before, BLOCK);
	set_word(chip->storage + WORD_AT, AFTER);
	assert_int_equal(judge(), BELIEF_HOLDS);
	chip->storage[WORD_AT + 64] = 0;
	assert_int_equal(judge(), BELIEF_BROKEN);
}

/* Firmware has marked a variable as deleted, and then reclaimed the store.
 * Words that were 0, or became 0 during the commit, are all ones again at its
 * end. */
static void a_word_before_the_erase_is_judged(void **unused)
{
	uint32_t marked = 0, after = 0xffffffff;
	struct journal journal = {.bytes = 0};
	uint8_t new[BLOCK];
	const uint32_t place = USED / 2;

	(void)unused;
	memcpy(new, chip->storage, BLOCK);
	memcpy(new + STORE_VOLUME_HEADER + place, &after, 4);
	add_page(&journal, COPY_AT + place, after);
	add_change(&journal, STORE_WORDS, STORE_VOLUME_HEADER + place, 4,
		   &marked);
	add_change(&journal, STORE_ERASE, 0, BLOCK, NULL);
	add_change(&journal, STORE_BUFFERED, 0, BLOCK, new);
	leave_journal(&journal);
	assert_int_equal(judge(), BELIEF_HOLDS);
	/* A kill after the word was written. */
	set_word(chip->storage + STORE_VOLUME_HEADER + place, marked);
	assert_int_equal(judge(), BELIEF_HOLDS);
	/* Somebody else writes now: the erase would destroy that. */
	chip->storage[WORD_AT] = 0;
	assert_int_equal(judge(), BELIEF_BROKEN);
	/* A kill during the write that follows the erase, or after it. */
	memset(chip->storage + STORE_VOLUME_HEADER + place, 0xff,
	       BLOCK - STORE_VOLUME_HEADER - place);
	assert_int_equal(judge(), BELIEF_HOLDS);
	memcpy(chip->storage, new, BLOCK);
	assert_int_equal(judge(), BELIEF_HOLDS);
	chip->storage[WORD_AT] = 0;
	assert_int_equal(judge(), BELIEF_BROKEN);
}

/* A recovery that was killed had begun to replay the list of changes on a chip
 * that already held the result of that list. */
static void a_replay_after_a_killed_recovery_holds(void **unused)
{
	uint32_t word = 0x0f0f0f0f, after = 0xf0f0f0f0;
	struct journal journal = {.bytes = 0};
	uint8_t new[BLOCK];

	(void)unused;
	memcpy(new, chip->storage, BLOCK);
	memcpy(new + WORD_AT, &after, 4);
	add_page(&journal, COPY_OF_WORD, after);
	add_change(&journal, STORE_WORDS, WORD_AT, 4, &word);
	add_change(&journal, STORE_ERASE, 0, BLOCK, NULL);
	add_change(&journal, STORE_BUFFERED, 0, BLOCK, new);
	leave_journal(&journal);
	memcpy(chip->storage, new, BLOCK);
	set_word(chip->storage + WORD_AT, word & after);
	assert_int_equal(judge(), BELIEF_HOLDS);
	chip->storage[WORD_AT + 4] = 0;
	assert_int_equal(judge(), BELIEF_BROKEN);
}

static void a_commit_of_two_blocks_is_judged(void **unused)
{
	uint32_t first = AFTER, second = 0xffffffff;
	struct journal journal = {.bytes = 0};
	const uint32_t place = BLOCK + 100; /* in the chip, in use */
	uint8_t old[2 * BLOCK], new[2 * BLOCK];

	(void)unused;
	memset(chip->storage + BLOCK, 0x3c, 1000);
	memcpy(machine_ram + COPY_AT, chip->storage + STORE_VOLUME_HEADER,
	       STORE_BYTES);
	write_file(REGION_AT, machine_ram, RAM_BYTES);
	memcpy(old, chip->storage, sizeof(old));
	memcpy(new, old, sizeof(new));
	memcpy(new + WORD_AT, &first, 4);
	memcpy(new + place, &second, 4);
	add_page(&journal, COPY_OF_WORD, first);
	add_page(&journal, COPY_AT + place - STORE_VOLUME_HEADER, second);
	for (uint32_t at = 0; at < 2 * BLOCK; at += BLOCK) {
		add_change(&journal, STORE_ERASE, at, BLOCK, NULL);
		add_change(&journal, STORE_BUFFERED, at, BLOCK, new + at);
	}
	leave_journal(&journal);
	assert_int_equal(judge(), BELIEF_HOLDS);
	/* A kill before the erase of the second block, after it, and at the
	 * end. */
	memcpy(chip->storage, new, BLOCK);
	assert_int_equal(judge(), BELIEF_HOLDS);
	memset(chip->storage + BLOCK, 0xff, BLOCK);
	assert_int_equal(judge(), BELIEF_HOLDS);
	memcpy(chip->storage, new, sizeof(new));
	assert_int_equal(judge(), BELIEF_HOLDS);
	/* Somebody else writes to the second block, which has not been
	 * erased. */
	memcpy(chip->storage + BLOCK, old + BLOCK, BLOCK);
	chip->storage[BLOCK + 2000] = 0;
	assert_int_equal(judge(), BELIEF_BROKEN);
}

static void a_damaged_journal_fails(void **unused)
{
	(void)unused;
	leave_commit(false);
	write_file(CONTROL + 4, "\7", 1);
	assert_int_equal(judge(), BELIEF_FAILED);
	assert_non_null(strstr(why, "the journal is damaged"));
}

static int name_path(void **unused)
{
	(void)unused;
	(void)snprintf(path, sizeof(path), "/tmp/caesurad-belief-%d",
		       (int)getpid());
	return 0;
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(an_unchanged_state_holds),
		TEST(a_changed_store_is_broken),
		TEST(changed_ram_is_broken),
		TEST(without_a_known_store_ram_decides),
		TEST(each_point_of_a_commit_holds),
		TEST(foreign_writes_during_a_commit_are_broken),
		TEST(a_foreign_word_in_ram_is_accepted_after_the_chip),
		TEST(a_commit_with_an_erase_is_judged),
		TEST(a_word_before_the_erase_is_judged),
		TEST(a_replay_after_a_killed_recovery_holds),
		TEST(a_commit_of_two_blocks_is_judged),
		TEST(a_damaged_journal_fails),
	};

	return cmocka_run_group_tests(tests, name_path, NULL);
}
