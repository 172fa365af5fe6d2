/* SPDX-License-Identifier: MIT */
/*
 * linux/commit/flash*.c and nor.c: what firmware sees in its copy of the chip,
 * what is written to the chip, in which order, and at what cost.
 */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define BLOCK 0x40000u
#define BLOCKS 4u
#define SMALL 0x4000u /* the block size of tests that make many chips */

static struct chip *chip;
static struct fixture fixture;

/* Replaces the clock of nor.c and its pauses (-Wl,--wrap). */
static uint64_t clock_ns = 1;

int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	(void)id;
	*now = (struct timespec){
		.tv_sec = (time_t)(clock_ns / 1000000000),
		.tv_nsec = (long)(clock_ns % 1000000000),
	};
	return 0;
}

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)left;
	clock_ns +=
		(uint64_t)pause->tv_sec * 1000000000 + (uint64_t)pause->tv_nsec;
	return 0;
}

static int start(void **state)
{
	(void)state;
	chip = chip_make(BLOCKS * BLOCK, BLOCK);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&fixture);
	fixture = (struct fixture){.chip = NULL};
	chip_free(chip);
	return 0;
}

static void start_fixture(bool with_reach)
{
	fixture_start(&fixture, chip, with_reach);
	if (fixture.flash == NULL) {
		fail_msg("%s", fixture.error);
	}
}

static int found(const uint8_t *flash, uint32_t name)
{
	uint32_t size_bytes;

	return store_find(flash, name, &size_bytes);
}

static void variables_are_written(bool with_reach)
{
	start_fixture(with_reach);
	for (uint32_t i = 0; i < 12; i++) {
		uint32_t size_bytes = i % 3 == 0 ? 64 : i % 3 == 1 ? 1024 : 200;

		assert_int_equal(
			fixture_set(&fixture, i % 5, (uint8_t)i, size_bytes),
			0);
		assert_int_equal(found(fixture.copy, i % 5), i);
		assert_true(fixture_commit(&fixture));
		assert_memory_equal(chip->storage, fixture.copy, BLOCK);
	}
	assert_int_equal(chip->erases, 0);
	assert_int_equal(chip->set_bits, 0);
	assert_true(flash_counts(fixture.flash)->erases > 0);
}

static void variables_are_written_access_by_access(void **state)
{
	(void)state;
	variables_are_written(false);
}

static void variables_are_written_with_reach(void **state)
{
	(void)state;
	variables_are_written(true);
}

/* Leaves the store as EDK II's is after long use: the block is full except for
 * some KiB. */
static void use_up(void)
{
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(
			fixture_set(&fixture, 100 + i, (uint8_t)i, 50000), 0);
		assert_true(fixture_commit(&fixture));
	}
}

static void count_faults(bool with_reach, double most)
{
	struct flash_counts before;
	const struct flash_counts *counts;
	double buffers = 0, faults;

	start_fixture(true);
	use_up();
	fixture_stop(&fixture);
	start_fixture(with_reach);
	counts = flash_counts(fixture.flash);
	before = *counts;
	assert_int_equal(fixture_set(&fixture, 1, 7, 1024), 0);
	for (uint32_t i = 0; i < BLOCK; i += 128) {
		for (uint32_t k = 0; k < 128; k++) {
			if (fixture.copy[i + k] != 0xff) {
				buffers++;
				break;
			}
		}
	}
	faults = (double)(counts->faults - before.faults);
	print_message("%s: 1 KiB, %.0f buffers: %.0f faults (%.2f each), %llu "
		      "protects, "
		      "%llu accesses, %llu instructions gone on with, %llu by "
		      "itself\n",
		      with_reach ? "going on" : "access by access", buffers,
		      faults, faults / buffers,
		      (unsigned long long)(counts->protects - before.protects),
		      (unsigned long long)(counts->accesses - before.accesses),
		      (unsigned long long)(counts->instructions -
					   before.instructions),
		      (unsigned long long)fixture.natives);
	assert_true(faults / buffers < most);
	assert_true(fixture_commit(&fixture));
	print_message("  %llu words to the chip, %llu erases, %llu accesses\n",
		      (unsigned long long)counts->chip_words,
		      (unsigned long long)counts->chip_erases,
		      (unsigned long long)(chip->reads + chip->writes));
	assert_int_equal(counts->chip_erases, 0);
}

static void a_block_takes_few_faults_with_reach(void **state)
{
	(void)state;
	count_faults(true, 1.5);
}

static void a_block_takes_few_faults_without_reach(void **state)
{
	(void)state;
	count_faults(false, 10);
}

static void words_take_few_faults(void **state)
{
	const struct flash_counts *counts;
	struct flash_counts before;

	(void)state;
	start_fixture(true);
	assert_int_equal(fixture_set(&fixture, 1, 1, 64), 0);
	assert_true(fixture_commit(&fixture));
	counts = flash_counts(fixture.flash);
	before = *counts;
	assert_int_equal(fixture_set(&fixture, 1, 2, 64), 0);
	print_message("64 bytes: %llu faults, %llu protects, %llu accesses, "
		      "%llu instructions gone on with\n",
		      (unsigned long long)(counts->faults - before.faults),
		      (unsigned long long)(counts->protects - before.protects),
		      (unsigned long long)(counts->accesses - before.accesses),
		      (unsigned long long)(counts->instructions -
					   before.instructions));
	assert_true(counts->faults - before.faults < 30);
}

static void a_dropped_call_leaves_nothing(void **state)
{
	uint8_t *before = malloc(BLOCK);

	(void)state;
	start_fixture(true);
	assert_int_equal(fixture_set(&fixture, 1, 1, 1024), 0);
	assert_true(fixture_commit(&fixture));
	memcpy(before, chip->storage, BLOCK);
	assert_int_equal(fixture_set(&fixture, 1, 2, 1024), 0);
	assert_true(flash_finish(fixture.flash, NULL));
	flash_drop(fixture.flash);
	assert_memory_equal(fixture.copy, before, BLOCK);
	assert_int_equal(fixture_call(&fixture, OPERATION_ABANDON), 0);
	flash_drop(fixture.flash);
	assert_memory_equal(fixture.copy, before, BLOCK);
	assert_false(flash_finish(fixture.flash, NULL));
	assert_int_equal(fixture_set(&fixture, 1, 3, 64), 0);
	assert_true(fixture_commit(&fixture));
	assert_int_equal(found(chip->storage, 1), 3);
	free(before);
}

static void a_buffer_may_be_confirmed_at_its_address(void **state)
{
	(void)state;
	start_fixture(true);
	for (uint32_t i = 0; i < 20; i++) {
		fixture.confirm = FIXTURE_FLASH + 0x1000 * (i % 3);
		assert_int_equal(fixture_set(&fixture, i, (uint8_t)i, 1000), 0);
		assert_true(fixture_commit(&fixture));
		assert_int_equal(found(chip->storage, i), i);
	}
}

static void setting_bits_causes_an_erase(void **state)
{
	unsigned erases = 0;

	(void)state;
	start_fixture(true);
	assert_int_equal(fixture_set(&fixture, 1, 0, 64), 0);
	assert_true(fixture_commit(&fixture));
	memset(fixture.ram + (FIXTURE_SHADOW - FIXTURE_RAM), 0x5a, BLOCK);
	memset(fixture.ram + (FIXTURE_SHADOW - FIXTURE_RAM) + 0x8000, 0xff,
	       0x400);
	assert_int_equal(fixture_call(&fixture, OPERATION_BLOCK), 0);
	assert_true(flash_finish(fixture.flash, &erases));
	assert_int_equal(erases, 1);
	assert_int_equal(chip->erases, 0);
	assert_true(fixture_commit(&fixture));
	assert_int_equal(chip->erases, 1);
	assert_memory_equal(chip->storage,
			    fixture.ram + (FIXTURE_SHADOW - FIXTURE_RAM),
			    BLOCK);
}

static void a_locked_chip_is_unlocked(void **state)
{
	(void)state;
	chip->is_locked = true;
	start_fixture(false);
	assert_int_equal(fixture_set(&fixture, 1, 9, 300), 0);
	assert_true(fixture_commit(&fixture));
	assert_int_equal(found(chip->storage, 1), 9);
}

/* ---- Chips that are not as they should be ---- */

static void refused(const char *why)
{
	fixture_start(&fixture, chip, true);
	assert_null(fixture.flash);
	if (strstr(fixture.error, why) == NULL) {
		fail_msg("'%s' does not say '%s'", fixture.error, why);
	}
	assert_int_equal(chip->erases, 0);
	fixture_stop(&fixture);
}

static void unknown_chips_are_refused(void **state)
{
	(void)state;
	chip->query[0x13] = 2;
	refused("flash at 0x4000000: CFI command set 2, not Intel's");
	chip->query[0x13] = 1;
	chip->query[0x10] = 'X';
	refused("no CFI chip of 32 or twice 16 bits: the query answers "
		"00580058 00520052 00590059");
	chip->query[0x10] = 'Q';
	chip->query[0x2c] = 0;
	refused("0 erase regions");
	chip->query[0x2c] = 1;
	chip->query[0x2d] = 0;
	refused("a chip of 262144 bytes in a region of 1048576");
	chip->query[0x2d] = BLOCKS - 1;
	start_fixture(true);
}

static void a_single_32_bit_device_is_supported(void **state)
{
	(void)state;
	chip->lanes = 1;
	chip->query[0x2f] = (uint8_t)(BLOCK >> 8);
	chip->query[0x30] = (uint8_t)(BLOCK >> 16);
	start_fixture(true);
	assert_int_equal(fixture_set(&fixture, 1, 9, 300), 0);
	assert_true(fixture_commit(&fixture));
	assert_int_equal(found(chip->storage, 1), 9);
}

/* A process that was killed left the chip in the middle of a command. The test
 * tries every state of every command. */
static void any_unfinished_command_is_aborted(void **state)
{
	static const uint32_t commands[] = {0xff, 0x70, 0x90, 0x98, 0x20,
					    0x60, 0x40, 0x10, 0xe8};
	static const uint32_t counts[] = {0, 31, 0xffff};

	(void)state;
	memset(chip->storage, 0x00, BLOCK);
	for (size_t i = 0; i < 9 * 3 * 3; i++) {
		uint32_t command = commands[i / 9];

		chip_do_write(chip, BLOCK, command << 16 | command);
		if (command == 0xe8 && i % 3 > 0) {
			chip_do_write(chip, BLOCK, counts[i / 3 % 3]);
			if (i % 3 > 1) {
				chip_do_write(chip, BLOCK, UINT32_MAX);
			}
		}
		chip->erases = 0;
		start_fixture(true);
		assert_int_equal(chip->command, 0);
		assert_int_equal(chip->cycle, 0);
		fixture_stop(&fixture);
	}
	for (uint32_t i = 0; i < BLOCK; i++) {
		assert_int_equal(chip->storage[i], 0);
		assert_int_equal(chip->storage[BLOCK + i], 0xff);
	}
	start_fixture(true);
}

/* The same for every partition of a chip that has several. */
static void any_partition_is_reset_to_array(void **state)
{
	static const uint32_t commands[] = {0x70, 0x90, 0x20, 0x60, 0x40, 0xe8};

	(void)state;
	chip_divide(chip, BLOCK);
	start_fixture(true);
	assert_int_equal(fixture_set(&fixture, 1, 9, 300), 0);
	assert_true(fixture_commit(&fixture));
	fixture_stop(&fixture);
	for (uint32_t i = 0; i < BLOCKS * 6; i++) {
		uint32_t command = commands[i / BLOCKS];
		uint64_t offset = i % BLOCKS * BLOCK + BLOCK / 2;

		if (command == 0x20 && offset < BLOCK) {
			continue; /* This chip would erase the store at once. */
		}
		chip_do_write(chip, offset, command << 16 | command);
		if (command == 0xe8) {
			chip_do_write(chip, offset, 31);
		}
		start_fixture(true);
		if (!chip_is_idle(chip)) {
			fail_msg("partition %u is not out of 0x%x", i % BLOCKS,
				 command);
		}
		assert_int_equal(chip->status, 0x80);
		assert_int_equal(found(chip->storage, 1), 9);
		fixture_stop(&fixture);
	}
	start_fixture(true);
	assert_int_equal(fixture_set(&fixture, 1, 8, 300), 0);
	assert_true(fixture_commit(&fixture));
	assert_int_equal(found(chip->storage, 1), 8);
	assert_true(chip_is_idle(chip));
}

static void a_busy_partition_is_waited_for(void **state)
{
	(void)state;
	chip_divide(chip, BLOCK);
	chip_do_write(chip, 2 * BLOCK, 0x00700070);
	chip->busy_partition = 2;
	chip->busy = 500;
	start_fixture(true);
	assert_int_equal(chip->busy, 0);
	assert_true(chip_is_idle(chip));
}

/* The chip is ready soon, but the thread does not run for a long time before
 * its last look. */
static uint32_t polls_left;

static uint32_t read_late(void *context, uint64_t offset)
{
	uint32_t value = chip_do_read(context, offset);

	if (value != 0x00800080 || polls_left == 0) {
		return value;
	}
	polls_left--;
	if (polls_left == 0) {
		clock_ns += 60000000000ull;
	}
	return 0;
}

static void a_late_look_is_not_a_time_out(void **state)
{
	struct flash_port port = chip_port(chip);
	uint32_t word = 0x12345678;
	struct nor nor;

	(void)state;
	port.read = read_late;
	assert_true(nor_open(&nor, &port, 0));
	polls_left = 5000;
	if (!nor_program(&nor, 0x100, &word, 1, true)) {
		fail_msg("%s", nor.error);
	}
	assert_int_equal(polls_left, 0);
	assert_memory_equal(chip->storage + 0x100, &word, 4);
}

static void a_running_erase_is_waited_for(void **state)
{
	(void)state;
	chip->busy = 500;
	start_fixture(true);
	assert_int_equal(fixture_set(&fixture, 1, 9, 300), 0);
	assert_true(fixture_commit(&fixture));
	assert_int_equal(found(chip->storage, 1), 9);
}

static void fails_to_apply(enum chip_fault fault, const char *why)
{
	struct store_list list = flash_changes(fixture.flash);

	assert_int_equal(fixture_set(&fixture, 1, 3, 64), 0);
	assert_true(flash_finish(fixture.flash, NULL));
	chip->fault = fault;
	assert_false(flash_apply(fixture.flash, &list));
	if (strstr(flash_error(fixture.flash), why) == NULL) {
		fail_msg("'%s' does not say '%s'", flash_error(fixture.flash),
			 why);
	}
	chip->fault = CHIP_SOUND;
	assert_true(flash_apply(fixture.flash, &list));
	flash_keep(fixture.flash);
	assert_memory_equal(fixture.copy, chip->storage, BLOCK);
}

static void chip_errors_are_reported(void **state)
{
	(void)state;
	start_fixture(true);
	fails_to_apply(CHIP_FAILS, "programming at 0x64: it failed (status "
				   "0x00900090)");
	fails_to_apply(CHIP_FORGETS, "it is 0x");
	fails_to_apply(CHIP_BUSY, "it does not become ready");
}

/* ---- Power cuts: the chip stops at the k-th word ---- */

static jmp_buf power_cut;
static uint64_t writes_left;

static void count_down(void *context)
{
	(void)context;
	if (writes_left-- == 0) {
		longjmp(power_cut, 1);
	}
}

static void check_store(uint32_t name, int old, int new)
{
	int value = found(chip->storage, name);

	assert_int_equal(found(chip->storage, 8), 8);
	assert_int_equal(found(chip->storage, 9), 9);
	if (value != old && value != new) {
		fail_msg("neither old nor new: %d", value);
	}
}

/* Sets a variable with power until the k-th write. Returns false when all
 * writes came before that. */
static bool cut(volatile uint64_t k, uint32_t size_bytes, bool is_replaced)
{
	volatile bool was_cut = false;

	chip = chip_make(BLOCKS * SMALL, SMALL);
	start_fixture(true);
	assert_int_equal(fixture_set(&fixture, 8, 8, 300), 0);
	assert_true(fixture_commit(&fixture));
	assert_int_equal(fixture_set(&fixture, 9, 9, 60), 0);
	assert_true(fixture_commit(&fixture));
	if (is_replaced) {
		assert_int_equal(fixture_set(&fixture, 1, 4, 100), 0);
		assert_true(fixture_commit(&fixture));
	}
	assert_int_equal(fixture_set(&fixture, 1, 5, size_bytes), 0);
	if (setjmp(power_cut) == 0) {
		writes_left = k;
		chip->step = count_down;
		assert_true(fixture_commit(&fixture));
	} else {
		was_cut = true;
	}
	chip->step = NULL;
	check_store(1, is_replaced ? 4 : -1, 5);
	fixture_stop(&fixture);
	if (was_cut) {
		chip_reset(chip);
		start_fixture(true);
		assert_int_equal(fixture_set(&fixture, 1, 6, 300), 0);
		assert_true(fixture_commit(&fixture));
		assert_int_equal(found(chip->storage, 1), 6);
		fixture_stop(&fixture);
	}
	chip_free(chip);
	return was_cut;
}

static void power_cuts_leave_old_or_new(void **state)
{
	uint64_t cuts = 0;

	(void)state;
	fixture_stop(&fixture);
	chip_free(chip);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t k = 0;

		while (cut(k, i % 2 == 0 ? 64 : 1024, i / 2 != 0)) {
			k += k < 40 || k % 16 > 12 ? 1 : 3;
			cuts++;
		}
	}
	print_message("%llu power cuts\n", (unsigned long long)cuts);
	chip = chip_make(BLOCKS * BLOCK, BLOCK);
	start_fixture(true);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(variables_are_written_access_by_access),
		FRESH(variables_are_written_with_reach),
		FRESH(a_block_takes_few_faults_with_reach),
		FRESH(a_block_takes_few_faults_without_reach),
		FRESH(words_take_few_faults),
		FRESH(a_dropped_call_leaves_nothing),
		FRESH(a_buffer_may_be_confirmed_at_its_address),
		FRESH(setting_bits_causes_an_erase),
		FRESH(a_locked_chip_is_unlocked),
		FRESH(unknown_chips_are_refused),
		FRESH(a_single_32_bit_device_is_supported),
		FRESH(any_unfinished_command_is_aborted),
		FRESH(any_partition_is_reset_to_array),
		FRESH(a_busy_partition_is_waited_for),
		FRESH(a_late_look_is_not_a_time_out),
		FRESH(a_running_erase_is_waited_for),
		FRESH(chip_errors_are_reported),
		FRESH(power_cuts_leave_old_or_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
