/* SPDX-License-Identifier: MIT */
/*
 * linux/commit/store_check.c: whether a copy of the variable store in RAM is as
 * recent as the chip, also when the contents of chip and RAM are malformed.
 */
#include "chip.h"
#include "commit/store_check.h"
#include "store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK 0x4000u
#define CHIP_BYTES (4 * BLOCK)
#define STORE_BYTES (BLOCK - STORE_VOLUME_HEADER)
#define RAM_BYTES (3 * BLOCK)
#define RAM 0x7c440000u

static struct chip *chip;
static struct store_check check;
/* The store as the chip holds it. RAM is allocated with its exact size, so that
 * the sanitizer sees a read past its end. */
static uint8_t store[STORE_BYTES], *ram;

static void put_store(uint32_t at)
{
	store_put_volume(chip->storage + at);
	memcpy(chip->storage + at + STORE_VOLUME_HEADER, store, STORE_BYTES);
}

static int start(void **state)
{
	(void)state;
	chip = chip_make(CHIP_BYTES, BLOCK);
	memset(store, 0xff, sizeof(store));
	store_put_header(store, STORE_BYTES);
	memset(store + 28, 0x3c, 3000);
	put_store(0);
	ram = calloc(1, RAM_BYTES);
	assert_non_null(ram);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	store_check_close(&check);
	free(ram);
	chip_free(chip);
	return 0;
}

static enum store_verdict verdict(void)
{
	struct flash_port port = chip_port(chip);

	store_check_close(&check);
	assert_true(store_check_open(&check, &port));
	store_check_look(&check, RAM, ram, RAM_BYTES);
	return store_check_verdict(&check);
}

static void an_identical_copy_is_fresh(void **state)
{
	(void)state;
	memcpy(ram + 4096 + 8, store, STORE_BYTES);
	assert_int_equal(verdict(), STORE_FRESH);
	assert_int_equal(check.store_offset, STORE_VOLUME_HEADER);
	assert_int_equal(check.store_bytes, STORE_BYTES);
}

static void a_copy_may_end_at_the_end_of_ram(void **state)
{
	(void)state;
	memcpy(ram + RAM_BYTES - STORE_BYTES, store, STORE_BYTES);
	assert_int_equal(verdict(), STORE_FRESH);
}

static void one_different_byte_makes_a_copy_older(void **state)
{
	static const uint32_t places[] = {28, 3000, 3028, STORE_BYTES - 1};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		memset(ram, 0, RAM_BYTES);
		memcpy(ram + 96, store, STORE_BYTES);
		ram[96 + places[i]] ^= 4;
		assert_int_equal(verdict(), STORE_OLDER);
		assert_int_equal(check.differs_at, places[i]);
		assert_int_equal(check.copy_physical, RAM + 96);
	}
}

/* A driver's buffer may be older than the chip: one identical copy is
 * enough. */
static void one_fresh_copy_of_several_is_enough(void **state)
{
	(void)state;
	memcpy(ram + 16, store, STORE_BYTES);
	memcpy(ram + BLOCK, store, STORE_BYTES);
	memset(ram + 16 + 2000, 0xff, 1028);
	assert_int_equal(verdict(), STORE_FRESH);
	assert_int_equal(check.copies, 2);
	memset(ram + BLOCK + 2500, 0xff, 528);
	assert_int_equal(verdict(), STORE_OLDER);
	assert_int_equal(check.differs_at, 2500);
	assert_int_equal(check.copy_physical, RAM + BLOCK);
}

static void a_copy_in_another_region_is_found(void **state)
{
	(void)state;
	assert_int_equal(verdict(), STORE_UNKNOWN);
	memcpy(ram, store, STORE_BYTES);
	store_check_look(&check, RAM + RAM_BYTES, ram, RAM_BYTES);
	assert_int_equal(store_check_verdict(&check), STORE_FRESH);
}

static void a_store_later_in_the_chip_is_found(void **state)
{
	(void)state;
	memset(chip->storage, 0xff, CHIP_BYTES);
	put_store(2 * BLOCK);
	memcpy(ram, store, STORE_BYTES);
	/* The check does not use the size in the header of the volume. */
	assert_int_equal(verdict(), STORE_FRESH);
	assert_int_equal(check.store_offset, 2 * BLOCK + STORE_VOLUME_HEADER);
}

static void the_first_store_counts(void **state)
{
	(void)state;
	memcpy(ram, store, STORE_BYTES);
	store[100] = 0;
	put_store(2 * BLOCK);
	assert_int_equal(verdict(), STORE_FRESH);
}

static void without_chip_or_copy_it_is_unknown(void **state)
{
	(void)state;
	store_check_close(&check);
	assert_true(store_check_open(&check, NULL));
	store_check_look(&check, RAM, ram, RAM_BYTES);
	assert_int_equal(store_check_verdict(&check), STORE_UNKNOWN);
	assert_int_equal(verdict(), STORE_UNKNOWN);
	/* A header is not a copy when its store would exceed the end of RAM. */
	memcpy(ram + RAM_BYTES - 28, store, 28);
	assert_int_equal(verdict(), STORE_UNKNOWN);
	memcpy(ram + RAM_BYTES - STORE_BYTES + 1, store, STORE_BYTES - 1);
	assert_int_equal(verdict(), STORE_UNKNOWN);
}

static void set_u32(uint32_t at, uint32_t value)
{
	memcpy(chip->storage + at, &value, sizeof(value));
}

static void sizes_in_headers_are_checked(void **state)
{
	static const uint32_t sizes[] = {
		0,
		1,
		28,
		CHIP_BYTES,
		CHIP_BYTES - STORE_VOLUME_HEADER + 4,
		0x7fffffff,
		0xffffffff,
	};
	static const uint16_t headers[] = {0, 55, 57, 58, 0xfffc, 0xffff};

	(void)state;
	memcpy(ram, store, STORE_BYTES);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		set_u32(STORE_VOLUME_HEADER + 16, sizes[i]);
		memcpy(ram, chip->storage + STORE_VOLUME_HEADER, 28);
		assert_int_equal(verdict(), STORE_UNKNOWN);
		/* The volume's stated size also exceeds the chip. */
		memset(chip->storage + 32, 0xff, 8);
		assert_int_equal(verdict(), STORE_UNKNOWN);
		put_store(0);
	}
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		memcpy(chip->storage + 48, &headers[i], sizeof(headers[i]));
		assert_int_equal(verdict(), STORE_UNKNOWN);
	}
}

static void other_formats_are_unknown(void **state)
{
	static const uint32_t places[] = {16, 40, 43, STORE_VOLUME_HEADER};

	(void)state;
	memcpy(ram, store, STORE_BYTES);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		put_store(0);
		chip->storage[places[i]] ^= 1;
		assert_int_equal(verdict(), STORE_UNKNOWN);
		assert_null(check.store);
	}
}

/* Chip and RAM contain nothing but headers. */
static void many_headers_are_bounded(void **state)
{
	(void)state;
	for (uint32_t i = 0; i + 28 <= STORE_BYTES; i += 28) {
		store_put_header(store + i, STORE_BYTES);
	}
	for (uint32_t i = 0; i + 28 <= RAM_BYTES; i += 28) {
		store_put_header(ram + i, STORE_BYTES);
	}
	put_store(0);
	assert_int_equal(verdict(), STORE_OLDER);
	assert_true(check.copies <= 64);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(an_identical_copy_is_fresh),
		TEST(a_copy_may_end_at_the_end_of_ram),
		TEST(one_different_byte_makes_a_copy_older),
		TEST(one_fresh_copy_of_several_is_enough),
		TEST(a_copy_in_another_region_is_found),
		TEST(a_store_later_in_the_chip_is_found),
		TEST(the_first_store_counts),
		TEST(without_chip_or_copy_it_is_unknown),
		TEST(sizes_in_headers_are_checked),
		TEST(other_formats_are_unknown),
		TEST(many_headers_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
