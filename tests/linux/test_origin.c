/* SPDX-License-Identifier: MIT */
/* linux/host/origin.c: the start of a daemon, with simulated RAM and a
 * simulated log. */
#include "chip.h"
#include "host/origin.h"
#include "lib/hash.h"
#include "store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCK 0x4000u
#define CHIP_BYTES (4 * BLOCK)
#define STORE_BYTES (BLOCK - STORE_VOLUME_HEADER)
#define RAM_BYTES (2 * BLOCK)
#define RAM 0x7c440000u
#define COPY_AT 4096u /* in RAM */

/* Offsets in the state file, as in linux/commit/state_file.h. */
#define CONTROL 4096u
#define JOURNAL_OFFSET_AT 48u

static char path[64];
static struct chip *chip;
static uint8_t copy[CHIP_BYTES];
static uint8_t machine_ram[RAM_BYTES];
static struct machine machine;
static struct cz_host host;
static unsigned warnings;

bool machine_read(struct machine *unused, uint64_t physical, void *into,
		  size_t size_bytes)
{
	(void)unused;
	memcpy(into, machine_ram + (physical - RAM), size_bytes);
	return true;
}

static bool holds(void *context, unsigned region, uint64_t offset,
		  const uint8_t *one, const uint8_t *other, bool changed_only)
{
	(void)context;
	(void)region;
	(void)offset;
	(void)one;
	(void)other;
	(void)changed_only;
	return true;
}

bool ram_open(struct ram *ram, struct machine *unused,
	      const struct state_region *regions, unsigned count)
{
	(void)unused;
	(void)regions;
	ram->port.holds = holds;
	ram->count = count;
	return true;
}

void cz_host_log(struct cz_host *unused, enum cz_log_level level,
		 const char *format, va_list arguments)
{
	(void)unused;
	(void)format;
	(void)arguments;
	warnings += level == CZ_LOG_WARNING;
}

static void protect(void *context, uint64_t offset, uint64_t size_bytes,
		    enum flash_access access)
{
	(void)context;
	(void)offset;
	(void)size_bytes;
	(void)access;
}

static void open_host(bool has_chip)
{
	struct flash_config config = {
		.memory = {.bytes = copy, .protect = protect}};
	char error[NOR_ERROR_CHARS];

	host = (struct cz_host){
		.machine = &machine,
		.options.state_path = path,
		.region[0] = {.kind = HOST_RAM,
			      .physical = RAM,
			      .size_bytes = RAM_BYTES},
		.region_count = 1,
	};
	warnings = 0;
	if (has_chip) {
		config.port = chip_port(chip);
		host.flash = flash_open(&config, error);
		assert_non_null(host.flash);
		host.store = flash_store(host.flash);
	}
}

static void close_host(void)
{
	state_close(host.state);
	if (host.flash != NULL) {
		flash_close(host.flash);
	}
}

static bool open_origin(void)
{
	struct flash_port port = chip_port(chip);

	return origin_open(&host, 1, host.flash == NULL ? NULL : &port);
}

static bool recover(bool *was_pending)
{
	struct flash_port port = chip_port(chip);

	return origin_recover(&host, host.flash == NULL ? NULL : &port,
			      was_pending);
}

static int start(void **unused)
{
	(void)unused;
	chip = chip_make(CHIP_BYTES, BLOCK);
	store_put_volume(chip->storage);
	store_put_header(chip->storage + STORE_VOLUME_HEADER, STORE_BYTES);
	memset(machine_ram, 5, sizeof(machine_ram));
	memcpy(machine_ram + COPY_AT, chip->storage + STORE_VOLUME_HEADER,
	       STORE_BYTES);
	(void)unlink(path);
	return 0;
}

static int stop(void **unused)
{
	(void)unused;
	chip_free(chip);
	(void)unlink(path);
	return 0;
}

static void write_file(uint64_t offset, const void *bytes, size_t size)
{
	int fd = open(path, O_RDWR);

	assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), size);
	(void)close(fd);
}

/* Leaves the journal of a commit that erases the first block of the store and
 * writes the same bytes again. */
static void leave_erase(void)
{
	uint32_t erase[] = {STORE_ERASE, 0, BLOCK, 0};
	uint32_t words[] = {STORE_BUFFERED, 0, BLOCK, BLOCK};
	uint8_t body[sizeof(erase) + sizeof(words) + BLOCK];
	const uint64_t counts[] = {0, 2, sizeof(body)};
	struct {
		uint32_t is_valid, pages, changes, unused;
		uint64_t bytes, checksum;
	} control = {.is_valid = 1, .changes = 2, .bytes = sizeof(body)};
	uint64_t journal;
	int fd = open(path, O_RDONLY);

	assert_int_equal(pread(fd, &journal, 8, JOURNAL_OFFSET_AT), 8);
	(void)close(fd);
	memcpy(body, erase, sizeof(erase));
	memcpy(body + sizeof(erase), words, sizeof(words));
	memcpy(body + sizeof(erase) + sizeof(words), chip->storage, BLOCK);
	control.checksum = hash_bytes(hash_bytes(0, counts, sizeof(counts)),
				      body, sizeof(body));
	write_file(journal, body, sizeof(body));
	write_file(CONTROL, &control, sizeof(control));
}

static void the_store_is_found(void **unused)
{
	bool was_pending;

	(void)unused;
	open_host(true);
	assert_true(open_origin());
	assert_true(recover(&was_pending));
	assert_false(was_pending);
	assert_true(host.facts.has_chip);
	assert_true(host.facts.chip_has_store);
	assert_int_equal(host.store_offset, STORE_VOLUME_HEADER);
	assert_int_equal(host.store_bytes, STORE_BYTES);
	close_host();
}

/* A daemon was killed after the erase. The next one writes the store, finds it,
 * and keeps variables writable. */
static void an_erased_store_is_found_after_recovery(void **unused)
{
	bool was_pending;

	(void)unused;
	open_host(true);
	assert_true(open_origin());
	close_host();
	leave_erase();
	memset(chip->storage, 0xff, BLOCK);
	open_host(true);
	assert_true(open_origin());
	assert_true(recover(&was_pending));
	assert_true(was_pending);
	assert_true(host.facts.chip_has_store);
	assert_int_equal(host.store_offset, STORE_VOLUME_HEADER);
	assert_int_equal(host.store_bytes, STORE_BYTES);
	close_host();
}

/* On a machine without a device for variables there is nothing to compare, so
 * there is nothing to warn about. */
static void no_warning_without_a_device(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 2; i++) {
		open_host(false);
		assert_true(open_origin());
		assert_int_equal(warnings, 0);
		close_host();
	}
	open_host(false);
	host.facts.has_direct = true;
	assert_true(open_origin());
	assert_int_equal(warnings, 1);
	close_host();
}

static int name_path(void **unused)
{
	(void)unused;
	(void)snprintf(path, sizeof(path), "/tmp/caesurad-origin-%d",
		       (int)getpid());
	return 0;
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(the_store_is_found),
		TEST(an_erased_store_is_found_after_recovery),
		TEST(no_warning_without_a_device),
	};

	return cmocka_run_group_tests(tests, name_path, NULL);
}
