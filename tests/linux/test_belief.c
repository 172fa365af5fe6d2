/* SPDX-License-Identifier: MIT */
/*
 * linux/belief.c: whether a state that was kept is of what the chip and the machine's
 * RAM hold: without a commit that is pending, at each point of one, and when somebody
 * else has written to either.
 */
#include "belief.h"
#include "chip.h"
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
#define STORE_BYTES (BLOCK - STORE_VOLUME_HEADER)
#define RAM_BYTES (2 * BLOCK)
#define RAM 0x7c440000u
#define COPY_AT 4096u /* in RAM */
#define USED 3000u /* bytes of the store; then free ones */

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
	memcpy(machine_ram + offset, after, STATE_PAGE);
}

static bool holds(void *context, unsigned number, uint64_t offset,
		  const uint8_t *one, const uint8_t *other, bool changed_only)
{
	(void)context;
	(void)number;
	for (uint32_t i = 0; i < STATE_PAGE; i += 8) {
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
		.flash_bytes = 65536,
		.fill = fill,
		.ram = keeps_ram ? &ram : NULL,
	};
}

/* A chip with a store, RAM with a copy of it, and a state of that. */
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

/* By the next daemon. */
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

static void as_it_was(void **unused)
{
	(void)unused;
	assert_int_equal(judge(), BELIEF_HOLDS);
	keeps_ram = false;
	assert_int_equal(judge(), BELIEF_HOLDS);
}

static void another_store(void **unused)
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

/* The same store, and firmware of another boot beside it. */
static void another_ram(void **unused)
{
	(void)unused;
	machine_ram[100] ^= 1;
	assert_int_equal(judge(), BELIEF_BROKEN);
	assert_non_null(strstr(why, "firmware's RAM"));
	/* Which need not be so where it is not kept. */
	keeps_ram = false;
	assert_int_equal(judge(), BELIEF_HOLDS);
}

static void no_store_that_is_known(void **unused)
{
	(void)unused;
	memset(chip->storage, 0xff, CHIP_BYTES);
	assert_int_equal(judge(), BELIEF_UNKNOWN);
	machine_ram[100] ^= 1;
	assert_int_equal(judge(), BELIEF_BROKEN);
}

/* ---- A commit is pending ---- */

/* linux/state.c's. */
#define CONTROL 4096u
#define JOURNAL_OFFSET_AT 48u
#define REGION_AT 65536u
#define WORD_AT (STORE_VOLUME_HEADER + USED + 100) /* in the chip, free */
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

/* Firmware has programmed a word of the store, after an erase or in its place. */
static void leave_commit(bool with_erase)
{
	uint8_t body[8 + STATE_PAGE + 2 * BLOCK] = {0};
	uint32_t erase[] = {FLASH_ERASE, 0, BLOCK, 0};
	uint32_t words[] = {FLASH_BUFFERED, 0, BLOCK, BLOCK};
	uint64_t page = COPY_OF_WORD / STATE_PAGE * STATE_PAGE;
	uint64_t counts[3], journal, offset = REGION_AT + page;
	uint32_t after = AFTER;
	struct control control = {.is_valid = 1, .page_count = 1};
	size_t at = 8 + STATE_PAGE;
	int fd = open(path, O_RDONLY);

	assert_int_equal(pread(fd, &journal, 8, JOURNAL_OFFSET_AT), 8);
	(void)close(fd);
	memcpy(body, &offset, 8);
	memcpy(body + 8, machine_ram + page, STATE_PAGE);
	memcpy(body + 8 + (COPY_OF_WORD - page), &after, 4);
	if (with_erase) {
		memcpy(body + at, erase, sizeof(erase));
		at += sizeof(erase);
		memcpy(body + at, words, sizeof(words));
		at += sizeof(words);
		memcpy(body + at, chip->storage, BLOCK);
		memcpy(body + at + WORD_AT, &after, 4);
		at += BLOCK;
	} else {
		words[1] = WORD_AT;
		words[2] = words[3] = 4;
		memcpy(body + at, words, sizeof(words));
		memcpy(body + at + sizeof(words), &after, 4);
		at += sizeof(words) + 4;
	}
	control.change_count = with_erase ? 2 : 1;
	control.body_bytes = at;
	counts[0] = control.page_count;
	counts[1] = control.change_count;
	counts[2] = at;
	control.checksum =
		state_hash(state_hash(0, counts, sizeof(counts)), body, at);
	write_file(journal, body, at);
	write_file(CONTROL, &control, sizeof(control));
}

static void set_word(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void each_point_of_it(void **unused)
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
	/* The copy last. */
	write_file(REGION_AT + COPY_OF_WORD, &after, 4);
	assert_int_equal(judge(), BELIEF_HOLDS);
}

static void somebody_else_in_between(void **unused)
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

/* The chip has what was committed, RAM not yet, and secure firmware has left a record of
 * an error in it: the commit has to be ended, and not given up. */
static void a_word_of_somebody_elses(void **unused)
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

static void with_an_erase(void **unused)
{
	uint8_t before[BLOCK];

	(void)unused;
	memcpy(before, chip->storage, BLOCK);
	leave_commit(true);
	assert_int_equal(judge(), BELIEF_HOLDS);
	/* Written to, before the block is erased. */
	chip->storage[WORD_AT + 64] = 0;
	assert_int_equal(judge(), BELIEF_BROKEN);
	memcpy(chip->storage, before, BLOCK);
	set_word(chip->storage + WORD_AT, AFTER);
	assert_int_equal(judge(), BELIEF_HOLDS);
	chip->storage[WORD_AT + 64] = 0;
	assert_int_equal(judge(), BELIEF_BROKEN);
}

static void a_damaged_journal(void **unused)
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
		TEST(as_it_was),
		TEST(another_store),
		TEST(another_ram),
		TEST(no_store_that_is_known),
		TEST(each_point_of_it),
		TEST(somebody_else_in_between),
		TEST(a_word_of_somebody_elses),
		TEST(with_an_erase),
		TEST(a_damaged_journal),
	};

	return cmocka_run_group_tests(tests, name_path, NULL);
}
