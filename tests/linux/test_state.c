/* SPDX-License-Identifier: MIT */
/*
 * linux/commit/state.c and journal.c: which states are refused, what a commit
 * includes, and what remains after a kill at every step of a commit, and of the
 * recovery that follows.
 */
#include "commit/state.h"
#include "fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCK 0x4000u
#define WIDE_BLOCK 0x10000u
#define SMALL_BYTES (4 * CZ_EFI_PAGE_SIZE)
#define KILLED 42
#define VERSION_AT 8

static char directory[64], path[128];
static struct chip *chip;
static const struct state_region regions[] = {
	{.address = FIXTURE_RAM, .size_bytes = FIXTURE_RAM_BYTES},
	{.address = 0x50000000, .size_bytes = SMALL_BYTES},
};

/* The RAM of the machine itself, shared with children: both regions, one after
 * the other. `keeps_ram` says whether daemons keep this RAM equal to the copy
 * in the state. */
static uint8_t *machine_ram;
static bool keeps_ram;
static unsigned words_put;

/* A daemon: its state, its mappings, and firmware. */
struct daemon {
	struct state *state;
	uint8_t *mapping[2];
	struct fixture fixture;
	uint8_t *own_ram; /* the RAM that fixture_start() allocated */
	uint64_t steps_left;
};

static void kill_at(void *context)
{
	struct daemon *daemon = context;

	if (daemon->steps_left-- == 0) {
		_exit(KILLED);
	}
}

static bool fill(void *context, unsigned region, void *into,
		 uint64_t size_bytes)
{
	(void)context;
	memset(into, (int)region + 1, size_bytes);
	return true;
}

static uint8_t *ram_at(unsigned region, uint64_t offset)
{
	return machine_ram + (region == 0 ? 0 : FIXTURE_RAM_BYTES) + offset;
}

/* Writes word by word, as the daemon does to the machine's RAM. */
static void put_ram(void *context, unsigned region, uint64_t offset,
		    const uint8_t *before, const uint8_t *after)
{
	uint8_t *page = ram_at(region, offset);

	for (uint32_t i = 0; i < CZ_EFI_PAGE_SIZE; i += 8) {
		if (memcmp(before + i, after + i, 8) != 0) {
			kill_at(context);
			memcpy(page + i, after + i, 8);
			words_put++;
		}
	}
}

static struct state_config config_for(struct daemon *daemon)
{
	static struct state_ram ram;

	ram = (struct state_ram){.context = daemon, .put = put_ram};
	return (struct state_config){
		.path = path,
		.identity = {.boot = "fifteen bytes..", .memory_map = 77},
		.regions = regions,
		.region_count = 2,
		.store_bytes = 65536,
		.context = daemon,
		.fill = fill,
		.ram = keeps_ram ? &ram : NULL,
		.step = kill_at,
	};
}

static enum state_result open_state(struct daemon *daemon)
{
	struct state_config config = config_for(daemon);

	daemon->steps_left = UINT64_MAX;
	return state_open(&daemon->state, &config);
}

static void map_regions(struct daemon *daemon)
{
	for (unsigned i = 0; i < 2; i++) {
		daemon->mapping[i] = mmap(
			NULL, regions[i].size_bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE, state_fd(daemon->state),
			(off_t)state_region_offset(daemon->state, i));
		assert_ptr_not_equal(daemon->mapping[i], MAP_FAILED);
	}
}

static void start_flash(struct daemon *daemon)
{
	fixture_start(&daemon->fixture, chip, true);
	assert_non_null(daemon->fixture.flash);
}

/* Lets firmware run in the mapping: its code is copied there first. */
static void start_firmware(struct daemon *daemon)
{
	map_regions(daemon);
	daemon->own_ram = daemon->fixture.ram;
	memcpy(daemon->mapping[0], daemon->own_ram, FIXTURE_CODE_BYTES);
	daemon->fixture.ram = daemon->mapping[0];
}

static void start_daemon(struct daemon *daemon)
{
	assert_int_not_equal(open_state(daemon), STATE_FAILED);
	start_flash(daemon);
	if (!state_recover(daemon->state, flash_store(daemon->fixture.flash),
			   NULL)) {
		fail_msg("%s", state_error(daemon->state));
	}
	start_firmware(daemon);
}

static void stop_daemon(struct daemon *daemon)
{
	for (unsigned i = 0; i < 2; i++) {
		(void)munmap(daemon->mapping[i], regions[i].size_bytes);
	}
	daemon->fixture.ram = daemon->own_ram;
	fixture_stop(&daemon->fixture);
	state_close(daemon->state);
}

static void start_machine(void)
{
	memset(machine_ram, 1, FIXTURE_RAM_BYTES);
	memset(machine_ram + FIXTURE_RAM_BYTES, 2, SMALL_BYTES);
	words_put = 0;
	chip = chip_make(4 * BLOCK, BLOCK);
	(void)unlink(path);
}

static void stop_machine(void)
{
	chip_free(chip);
	(void)unlink(path);
}

static int start(void **state)
{
	(void)state;
	start_machine();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	stop_machine();
	keeps_ram = false;
	return 0;
}

/* ---- Opening ---- */

static void a_new_state_is_kept(void **state)
{
	struct daemon daemon;
	struct stat status;

	(void)state;
	assert_int_equal(open_state(&daemon), STATE_NEW);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	map_regions(&daemon);
	assert_int_equal(daemon.mapping[0][5000], 1);
	assert_int_equal(daemon.mapping[1][5000], 2);
	state_close(daemon.state);
	assert_int_equal(open_state(&daemon), STATE_KEPT);
	state_close(daemon.state);
}

static void another_boot_gets_a_new_state(void **state)
{
	struct daemon daemon;
	struct state_config config;

	(void)state;
	assert_int_equal(open_state(&daemon), STATE_NEW);
	state_close(daemon.state);
	config = config_for(&daemon);
	config.identity.boot[0]++;
	assert_int_equal(state_open(&daemon.state, &config), STATE_NEW);
	state_close(daemon.state);
	assert_int_equal(state_open(&daemon.state, &config), STATE_KEPT);
	state_close(daemon.state);
}

static bool accept_none(void *context, char *why, size_t why_chars)
{
	(void)context;
	(void)snprintf(why, why_chars, "not today");
	return false;
}

static void a_rejected_state_leaves_no_file(void **state)
{
	struct daemon daemon = {.steps_left = UINT64_MAX};
	struct state_config config = config_for(&daemon);

	(void)state;
	config.accept = accept_none;
	assert_int_equal(state_open(&daemon.state, &config), STATE_FAILED);
	assert_string_equal(state_error(daemon.state), "not today");
	state_close(daemon.state);
	assert_int_equal(access(path, F_OK), -1);
	/* accept() is not called for a state that was kept. */
	assert_int_equal(open_state(&daemon), STATE_NEW);
	state_close(daemon.state);
	assert_int_equal(state_open(&daemon.state, &config), STATE_KEPT);
	state_close(daemon.state);
}

/* The file has been removed, but systemd has kept its descriptor. */
static void a_kept_descriptor_is_used(void **state)
{
	struct daemon daemon;
	struct state_config config = config_for(&daemon);
	int kept;

	(void)state;
	assert_int_equal(open_state(&daemon), STATE_NEW);
	kept = dup(state_fd(daemon.state));
	state_close(daemon.state);
	assert_int_equal(unlink(path), 0);
	config.kept_fd = kept;
	daemon.steps_left = UINT64_MAX;
	assert_int_equal(state_open(&daemon.state, &config), STATE_KEPT);
	state_close(daemon.state);
	assert_int_equal(access(path, F_OK), -1);
	/* A file that exists takes precedence over the descriptor. */
	assert_int_equal(open_state(&daemon), STATE_NEW);
	state_close(daemon.state);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(state_open(&daemon.state, &config), STATE_FAILED);
	state_close(daemon.state);
	(void)close(kept);
}

static void refused(const char *why)
{
	struct daemon daemon;

	assert_int_equal(open_state(&daemon), STATE_FAILED);
	if (strstr(state_error(daemon.state), why) == NULL) {
		fail_msg("'%s' does not say '%s'", state_error(daemon.state),
			 why);
	}
	state_close(daemon.state);
}

static void write_at(uint64_t offset, const void *bytes, size_t size)
{
	int fd = open(path, O_RDWR);

	assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), size);
	(void)close(fd);
}

static void an_invalid_file_is_refused(void **state)
{
	struct daemon daemon;

	(void)state;
	assert_int_equal(open_state(&daemon), STATE_NEW);
	state_close(daemon.state);
	assert_int_equal(chmod(path, 0644), 0);
	refused("not a regular file of this user's alone (mode 644");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 1 << 20), 0);
	refused("its regions or its size (1048576 bytes) differ");
	write_at(16, "x", 1);
	refused("damaged: its checksum is wrong");
	write_at(VERSION_AT, "\003", 1);
	refused("its version is 3, and this caesurad knows 1 and 2");
	write_at(0, "C", 1);
	refused("not a state of caesurad");
	assert_int_equal(truncate(path, 100), 0);
	refused("too short");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	refused("cannot be opened");
}

static void a_damaged_journal_is_refused(void **state)
{
	struct daemon daemon;
	bool was_pending;

	(void)state;
	assert_int_equal(open_state(&daemon), STATE_NEW);
	write_at(4096, "\001\000\000\000\001", 5); /* valid, of one page */
	assert_false(state_recover(daemon.state, NULL, &was_pending));
	assert_true(was_pending);
	assert_non_null(strstr(state_error(daemon.state),
			       "the journal is damaged: 1 pages, 0 changes"));
	write_at(4096, "\007", 1);
	assert_false(state_recover(daemon.state, NULL, NULL));
	assert_non_null(strstr(state_error(daemon.state), "neither valid"));
	state_close(daemon.state);
}

static void lack_of_room_is_reported(void **state)
{
	struct daemon daemon;
	struct state_config config = config_for(&daemon);
	struct state_region region = {.size_bytes = 1ull << 40};

	(void)state;
	config.regions = &region;
	config.region_count = 1;
	assert_int_equal(state_open(&daemon.state, &config), STATE_FAILED);
	assert_non_null(strstr(state_error(daemon.state), "256 MiB"));
	state_close(daemon.state);
}

/* ---- Commits ---- */

static void a_commit_includes_changed_pages_only(void **state)
{
	uint8_t none[FIXTURE_RAM_BYTES / CZ_EFI_PAGE_SIZE] = {0};
	uint8_t dirty_pages[SMALL_BYTES / CZ_EFI_PAGE_SIZE] = {0};
	const uint8_t *dirty[] = {none, dirty_pages};
	struct daemon daemon;
	uint8_t *mapping[2];

	(void)state;
	start_daemon(&daemon);
	memcpy(mapping, daemon.mapping, sizeof(mapping));
	mapping[1][3] = 9;
	mapping[1][2 * CZ_EFI_PAGE_SIZE] = 2; /* the value that it had */
	assert_int_equal(state_commit(daemon.state, mapping, NULL, NULL),
			 STATE_COMMITTED);
	assert_true(state_pages_committed(daemon.state) <= 9);
	assert_int_equal(state_commit(daemon.state, mapping, NULL, NULL),
			 STATE_COMMITTED);
	assert_int_equal(state_pages_committed(daemon.state), 0);
	mapping[1][3] = 10;
	mapping[0][FIXTURE_RAM_BYTES - 1] = 11;
	assert_true(state_drop(daemon.state, mapping));
	assert_int_equal(mapping[1][3], 9);
	assert_int_equal(mapping[0][FIXTURE_RAM_BYTES - 1], 1);
	mapping[1][3] = 12;
	assert_int_equal(state_commit(daemon.state, mapping, NULL, NULL),
			 STATE_COMMITTED);
	assert_int_equal(state_pages_committed(daemon.state), 1);
	mapping[1][CZ_EFI_PAGE_SIZE] = 13;
	mapping[1][3 * CZ_EFI_PAGE_SIZE] =
		14; /* not marked as dirty: not committed */
	dirty_pages[1] = dirty_pages[2] = 1;
	assert_int_equal(state_commit(daemon.state, mapping, dirty, NULL),
			 STATE_COMMITTED);
	assert_int_equal(state_pages_committed(daemon.state), 1);
	stop_daemon(&daemon);
	start_daemon(&daemon);
	assert_int_equal(daemon.mapping[1][3], 12);
	assert_int_equal(daemon.mapping[1][CZ_EFI_PAGE_SIZE], 13);
	assert_int_equal(daemon.mapping[1][3 * CZ_EFI_PAGE_SIZE], 2);
	stop_daemon(&daemon);
}

static void a_chip_error_leaves_the_journal_pending(void **state)
{
	struct daemon daemon;
	bool was_pending;

	(void)state;
	start_daemon(&daemon);
	assert_int_equal(fixture_set(&daemon.fixture, 1, 3, 64), 0);
	chip->fault = CHIP_FAILS;
	assert_int_equal(state_commit(daemon.state, daemon.mapping, NULL,
				      flash_store(daemon.fixture.flash)),
			 STATE_COMMIT_PENDING);
	assert_non_null(strstr(state_error(daemon.state), "it failed"));
	assert_int_equal(state_commit(daemon.state, daemon.mapping, NULL,
				      flash_store(daemon.fixture.flash)),
			 STATE_COMMIT_REFUSED);
	chip->fault = CHIP_SOUND;
	assert_true(state_recover(
		daemon.state, flash_store(daemon.fixture.flash), &was_pending));
	assert_true(was_pending);
	assert_memory_equal(chip->storage, daemon.fixture.copy, BLOCK);
	stop_daemon(&daemon);
}

static void too_many_changes_are_refused(void **state)
{
	struct daemon daemon;
	struct state_config config = config_for(&daemon);

	(void)state;
	chip_free(chip);
	chip = chip_make(4 * WIDE_BLOCK, WIDE_BLOCK);
	config.store_bytes = 1;
	daemon.steps_left = UINT64_MAX;
	assert_int_equal(state_open(&daemon.state, &config), STATE_NEW);
	start_flash(&daemon);
	start_firmware(&daemon);
	/* All of RAM changes: more than the journal has room for. */
	assert_int_equal(fixture_set(&daemon.fixture, 1, 3, 60000), 0);
	for (uint32_t i = 0; i < FIXTURE_RAM_BYTES; i += CZ_EFI_PAGE_SIZE) {
		daemon.mapping[0][i + 4000] ^= 1;
		daemon.mapping[1][i % SMALL_BYTES] = 77;
	}
	assert_int_equal(state_commit(daemon.state, daemon.mapping, NULL,
				      flash_store(daemon.fixture.flash)),
			 STATE_COMMIT_REFUSED);
	assert_non_null(strstr(state_error(daemon.state), "no room for"));
	flash_drop(daemon.fixture.flash);
	assert_true(state_drop(daemon.state, daemon.mapping));
	assert_int_equal(daemon.mapping[0][4000], 1);
	assert_memory_equal(chip->storage, daemon.fixture.copy, WIDE_BLOCK);
	assert_int_equal(chip->storage[STORE_OFFSET], 0xff);
	stop_daemon(&daemon);
}

/* ---- The machine's RAM, and states of either version ---- */

static int version(void)
{
	uint8_t version = 0;
	int fd = open(path, O_RDONLY);

	assert_int_equal(pread(fd, &version, 1, VERSION_AT), 1);
	(void)close(fd);
	return version;
}

static bool is_ram_as_mapped(const struct daemon *daemon)
{
	for (unsigned i = 0; i < 2; i++) {
		if (memcmp(ram_at(i, 0), daemon->mapping[i],
			   regions[i].size_bytes) != 0) {
			return false;
		}
	}
	return true;
}

static void set(struct daemon *daemon, uint8_t value)
{
	assert_int_equal(fixture_set(&daemon->fixture, 1, value, 300), 0);
	assert_int_equal(state_commit(daemon->state, daemon->mapping, NULL,
				      flash_store(daemon->fixture.flash)),
			 STATE_COMMITTED);
}

static void the_machines_ram_is_kept_equal(void **state)
{
	struct daemon daemon;

	(void)state;
	keeps_ram = true;
	start_daemon(&daemon);
	assert_true(state_keeps_ram(daemon.state));
	set(&daemon, 3);
	assert_true(is_ram_as_mapped(&daemon));
	/* In a page that is committed, a word that somebody else has written
	 * stays. */
	daemon.mapping[1][CZ_EFI_PAGE_SIZE + 8] = 17;
	ram_at(1, CZ_EFI_PAGE_SIZE)[16] = 99;
	set(&daemon, 4);
	assert_int_equal(ram_at(1, CZ_EFI_PAGE_SIZE)[8], 17);
	assert_int_equal(ram_at(1, CZ_EFI_PAGE_SIZE)[16], 99);
	stop_daemon(&daemon);
	assert_int_equal(version(), 2);
}

/* After an upgrade the new daemon continues to use the old daemon's state
 * unchanged. */
static void a_version_1_state_stays_in_use(void **state)
{
	struct daemon daemon;
	struct state_config config;

	(void)state;
	start_daemon(&daemon);
	set(&daemon, 3);
	stop_daemon(&daemon);
	assert_int_equal(version(), 1);
	keeps_ram = true;
	config = config_for(&daemon);
	assert_int_equal(state_open(&daemon.state, &config), STATE_KEPT);
	assert_false(state_keeps_ram(daemon.state));
	state_close(daemon.state);
	start_daemon(&daemon);
	set(&daemon, 4);
	stop_daemon(&daemon);
	assert_int_equal(words_put, 0);
	assert_int_equal(version(), 1);
	/* A state that is made anew has version 2. */
	assert_int_equal(open_state(&daemon), STATE_KEPT);
	assert_int_equal(state_make_anew(daemon.state), STATE_NEW);
	assert_true(state_keeps_ram(daemon.state));
	state_close(daemon.state);
	assert_int_equal(version(), 2);
}

/* Meanwhile a daemon that cannot write the machine's RAM has committed a
 * call. */
static void ram_that_is_no_longer_kept_is_recognised(void **state)
{
	struct daemon daemon;

	(void)state;
	keeps_ram = true;
	start_daemon(&daemon);
	set(&daemon, 3);
	stop_daemon(&daemon);
	keeps_ram = false;
	start_daemon(&daemon);
	set(&daemon, 4);
	stop_daemon(&daemon);
	assert_int_equal(version(), 1);
	keeps_ram = true;
	words_put = 0;
	start_daemon(&daemon);
	set(&daemon, 5);
	stop_daemon(&daemon);
	assert_int_equal(words_put, 0);
}

static void a_state_that_cannot_be_replaced_stays(void **state)
{
	struct daemon daemon = {.steps_left = UINT64_MAX};
	struct state_config config = config_for(&daemon);

	(void)state;
	start_daemon(&daemon);
	daemon.mapping[1][0] = 9;
	set(&daemon, 3);
	stop_daemon(&daemon);
	config.accept = accept_none;
	assert_int_equal(state_open(&daemon.state, &config), STATE_KEPT);
	assert_int_equal(state_make_anew(daemon.state), STATE_FAILED);
	assert_string_equal(state_error(daemon.state), "not today");
	state_close(daemon.state);
	assert_int_equal(open_state(&daemon), STATE_KEPT);
	map_regions(&daemon);
	assert_int_equal(daemon.mapping[1][0], 9);
	state_close(daemon.state);
}

/* ---- Somebody else's writes to the chip ---- */

/* Somebody else's change anywhere in what firmware has read of the chip stops
 * the commit, also in a place that the call does not write. */
static void a_chip_that_has_changed_is_not_written(void **state)
{
	static const uint32_t places[] = {0, 700, BLOCK - 1};

	(void)state;
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint8_t before[BLOCK];
		struct daemon daemon;
		bool was_pending;

		start_daemon(&daemon);
		set(&daemon, 3);
		chip->storage[places[i]] ^= 1;
		memcpy(before, chip->storage, BLOCK);
		assert_int_equal(fixture_set(&daemon.fixture, 2, 4, 300), 0);
		assert_int_equal(
			state_commit(daemon.state, daemon.mapping, NULL,
				     flash_store(daemon.fixture.flash)),
			STATE_COMMIT_FOREIGN);
		assert_non_null(
			strstr(state_error(daemon.state), "somebody else"));
		assert_memory_equal(chip->storage, before, BLOCK);
		assert_true(state_recover(daemon.state,
					  flash_store(daemon.fixture.flash),
					  &was_pending));
		assert_false(was_pending);
		stop_daemon(&daemon);
		chip_free(chip);
		start_machine();
	}
}

static void changes_in_what_was_read_ahead_are_seen(void **state)
{
	struct daemon daemon;

	(void)state;
	start_daemon(&daemon);
	flash_read_ahead(daemon.fixture.flash, BLOCK + 100, BLOCK);
	flash_read_ahead(daemon.fixture.flash, UINT32_MAX, 4);
	assert_true(flash_is_same(daemon.fixture.flash));
	chip->storage[3 * BLOCK] = 0; /* firmware has not read this byte */
	assert_true(flash_is_same(daemon.fixture.flash));
	chip->storage[3 * BLOCK - 1] = 0;
	assert_false(flash_is_same(daemon.fixture.flash));
	stop_daemon(&daemon);
}

/* ---- Kills ---- */

/* Runs a daemon that is killed at step k of setting the variable again. Returns
 * false when the commit ended before step k. */
static bool killed_in_commit(uint64_t k, uint32_t size_bytes)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct daemon daemon;

		start_daemon(&daemon);
		(void)fixture_set(&daemon.fixture, 1, 5, size_bytes);
		daemon.steps_left = k;
		chip->step = kill_at;
		chip->context = &daemon;
		(void)state_commit(daemon.state, daemon.mapping, NULL,
				   flash_store(daemon.fixture.flash));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	chip->step = NULL;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == KILLED;
}

static bool killed_in_recovery(uint64_t k)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct daemon daemon;

		if (open_state(&daemon) == STATE_FAILED) {
			_exit(1);
		}
		daemon.steps_left = k;
		chip->step = kill_at;
		chip->context = &daemon;
		start_flash(&daemon);
		(void)state_recover(daemon.state,
				    flash_store(daemon.fixture.flash), NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	chip->step = NULL;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == KILLED;
}

static void first_daemon(void)
{
	struct daemon daemon;

	start_machine();
	start_daemon(&daemon);
	for (uint32_t name = 1; name < 4; name++) {
		assert_int_equal(
			fixture_set(&daemon.fixture, name, (uint8_t)name, 300),
			0);
		assert_int_equal(
			state_commit(daemon.state, daemon.mapping, NULL,
				     flash_store(daemon.fixture.flash)),
			STATE_COMMITTED);
	}
	stop_daemon(&daemon);
}

/* Starts the next daemon, which must find the old or the new value, in RAM and
 * on the chip alike. Returns whether the value is the new one. */
static bool next_daemon(uint32_t size_bytes)
{
	struct daemon daemon;
	uint32_t found_bytes;
	int value;
	bool is_new;

	start_daemon(&daemon);
	value = store_find(chip->storage, 1, &found_bytes);
	is_new = value == 5;
	assert_int_equal(value, is_new ? 5 : 1);
	assert_int_equal(found_bytes, is_new ? size_bytes : 300);
	assert_int_equal(store_find(chip->storage, 2, &found_bytes), 2);
	assert_int_equal(store_find(chip->storage, 3, &found_bytes), 3);
	assert_true(!keeps_ram || is_ram_as_mapped(&daemon));
	/* Firmware's data are those of the last committed call. */
	assert_int_equal(daemon.mapping[0][FIXTURE_DATA - FIXTURE_RAM],
			 is_new ? 5 : 3);
	assert_int_equal(fixture_set(&daemon.fixture, 1, 6, 700), 0);
	assert_int_equal(state_commit(daemon.state, daemon.mapping, NULL,
				      flash_store(daemon.fixture.flash)),
			 STATE_COMMITTED);
	assert_int_equal(store_find(chip->storage, 1, &found_bytes), 6);
	assert_true(!keeps_ram || is_ram_as_mapped(&daemon));
	stop_daemon(&daemon);
	return is_new;
}

static void a_killed_daemon_leaves_old_or_new(void **state)
{
	static const uint32_t sizes[] = {64, 1024};
	unsigned kills = 0, news = 0;

	(void)state;
	stop_machine();
	for (unsigned i = 0; i < 2; i++) {
		bool was_killed = true, is_new = false;

		for (uint64_t k = 0; was_killed; k += i == 0 ? 1 : 2) {
			first_daemon();
			was_killed = killed_in_commit(k, sizes[i]);
			kills += was_killed;
			/* Once a commit is visible, another start must not lose
			 * it. */
			assert_true(!is_new || next_daemon(sizes[i]));
			if (!is_new) {
				is_new = next_daemon(sizes[i]);
			}
			news += is_new;
			stop_machine();
		}
		assert_true(is_new);
	}
	print_message("%u kills, the new value after %u\n", kills, news);
	start_machine();
}

static void a_killed_daemon_leaves_equal_ram(void **state)
{
	keeps_ram = true;
	a_killed_daemon_leaves_old_or_new(state);
}

static void a_killed_recovery_leaves_old_or_new(void **state)
{
	unsigned kills = 0;

	(void)state;
	stop_machine();
	for (uint64_t k = 3; k < 1000; k += 19) {
		for (uint64_t j = 0; j < 1000; j += 13) {
			bool was_killed;

			first_daemon();
			if (!killed_in_commit(k, 200)) {
				k = 1000;
			}
			was_killed = killed_in_recovery(j);
			kills += was_killed;
			(void)next_daemon(200);
			stop_machine();
			if (!was_killed) {
				break;
			}
		}
	}
	print_message("%u recoveries were killed\n", kills);
	start_machine();
}

static int make_directory(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/caesurad-XXXXXX");
	if (mkdtemp(directory) == NULL) {
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/state", directory);
	machine_ram =
		mmap(NULL, FIXTURE_RAM_BYTES + SMALL_BYTES,
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return machine_ram == MAP_FAILED ? -1 : 0;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_new_state_is_kept),
		FRESH(another_boot_gets_a_new_state),
		FRESH(a_rejected_state_leaves_no_file),
		FRESH(a_kept_descriptor_is_used),
		FRESH(an_invalid_file_is_refused),
		FRESH(a_damaged_journal_is_refused),
		FRESH(lack_of_room_is_reported),
		FRESH(a_commit_includes_changed_pages_only),
		FRESH(a_chip_error_leaves_the_journal_pending),
		FRESH(too_many_changes_are_refused),
		FRESH(the_machines_ram_is_kept_equal),
		FRESH(a_version_1_state_stays_in_use),
		FRESH(ram_that_is_no_longer_kept_is_recognised),
		FRESH(a_state_that_cannot_be_replaced_stays),
		FRESH(a_chip_that_has_changed_is_not_written),
		FRESH(changes_in_what_was_read_ahead_are_seen),
		FRESH(a_killed_daemon_leaves_old_or_new),
		FRESH(a_killed_daemon_leaves_equal_ram),
		FRESH(a_killed_recovery_leaves_old_or_new),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
