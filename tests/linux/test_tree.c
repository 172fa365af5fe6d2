/* SPDX-License-Identifier: MIT */
/* The operations of the tree of files, called as functions. */
#include "efivars/late.h"
#include "efivars/tree.h"
#include "linux_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tree *filled(struct linux_fixture *fixture)
{
	struct tree *tree = tree_new(&fixture->cz);
	struct efivars_limit limit = later();

	assert_non_null(tree);
	assert_int_equal(tree_fill(tree, &limit), 0);
	return tree;
}

static int lookup(struct tree *tree, const char *name, tree_id *id)
{
	struct efivars_limit limit = later();

	return tree_lookup(tree, name, true, &limit, id);
}

static tree_id found(struct tree *tree, const char *name)
{
	tree_id id;

	assert_int_equal(lookup(tree, name, &id), 0);
	return id;
}

static int create(struct tree *tree, const char *name, int flags, tree_id *id)
{
	struct efivars_limit limit = later();

	return tree_create(tree, name, 0644, flags, &limit, id);
}

static ssize_t write_to(struct tree *tree, tree_id id, const void *bytes,
			size_t size)
{
	struct efivars_limit limit = later();

	return tree_write(tree, id, bytes, size, &limit);
}

static ssize_t read_from(struct tree *tree, tree_id id, void *to, size_t size,
			 off_t offset)
{
	struct efivars_limit limit = later();
	const uint8_t *part;
	uint8_t *bytes;
	ssize_t count =
		tree_read(tree, id, size, offset, &limit, &bytes, &part);

	if (count > 0) {
		memcpy(to, part, (size_t)count);
	}
	free(bytes);
	return count;
}

static int unlink_file(struct tree *tree, const char *name)
{
	struct efivars_limit limit = later();

	return tree_unlink(tree, name, &limit);
}

static off_t size_of(struct tree *tree, tree_id id)
{
	struct stat stat;

	assert_int_equal(tree_getattr(tree, id, &stat), 0);
	return stat.st_size;
}

static uint32_t flags_of(struct tree *tree, tree_id id)
{
	uint32_t flags;

	assert_int_equal(tree_get_flags(tree, id, &flags), 0);
	return flags;
}

/* ---- What is shown ---- */

static void shows_variables(void **state)
{
	struct linux_fixture *fixture = *state;
	char name[EFIVARS_FILE_NAME_BYTES];
	struct tree *tree;
	struct stat stat;
	uint64_t cookie = 0;
	tree_id id;

	put_variable(fixture, "BootOrder-" GLOBAL, 7, "\0\0", 2);
	put_variable(fixture, "Mine-" OTHER, 7, "abc", 3);
	tree = filled(fixture);
	assert_int_equal(tree_next(tree, &cookie, name, &id), 1);
	assert_string_equal(name, ".");
	assert_int_equal(tree_next(tree, &cookie, name, &id), 1);
	assert_string_equal(name, "..");
	assert_int_equal(tree_next(tree, &cookie, name, &id), 1);
	assert_string_equal(name, "BootOrder-" GLOBAL);
	assert_int_equal(tree_next(tree, &cookie, name, &id), 1);
	assert_string_equal(name, "Mine-" OTHER);
	assert_int_equal(tree_getattr(tree, id, &stat), 0);
	assert_int_equal(stat.st_mode, S_IFREG | 0644);
	assert_int_equal(stat.st_size, 7);
	assert_int_equal(stat.st_nlink, 1);
	assert_int_equal(stat.st_uid, 0);
	assert_int_equal(tree_next(tree, &cookie, name, &id), 0);
	assert_int_equal(tree_getattr(tree, TREE_ROOT, &stat), 0);
	assert_int_equal(stat.st_mode, S_IFDIR | 0755);
	assert_int_equal(stat.st_nlink, 2);
	assert_int_equal(tree_getattr(tree, 99, &stat), -ENOENT);
	tree_free(tree);
}

/* Reading names and attributes of known variables calls no firmware. */
static void stat_makes_no_call(void **state)
{
	struct linux_fixture *fixture = *state;
	char name[EFIVARS_FILE_NAME_BYTES];
	struct tree *tree;
	uint64_t cookie = 0;
	tree_id id;

	put_variable(fixture, "Mine-" OTHER, 7, "abc", 3);
	tree = filled(fixture);
	fixture->sim.order_count = 0;
	while (tree_next(tree, &cookie, name, &id) == 1) {
	}
	id = found(tree, "Mine-" OTHER);
	assert_int_equal(size_of(tree, id), 7);
	assert_int_equal(tree_open(tree, id, O_RDONLY), 0);
	tree_close(tree, id);
	assert_int_equal(fixture->sim.order_count, 0);
	tree_free(tree);
}

static void lookups(void **state)
{
	struct linux_fixture *fixture = *state;
	struct tree *tree;
	tree_id id;

	put_variable(fixture, "Mine-" OTHER, 7, "abc", 3);
	tree = filled(fixture);
	id = found(tree, "Mine-" OTHER);
	assert_int_equal(
		found(tree, "Mine-CA35E17C-0de5-4ab7-9d3c-010203040506"), id);
	assert_int_equal(lookup(tree, "mine-" OTHER, &id), -ENOENT);
	assert_int_equal(lookup(tree, "Mine", &id), -EINVAL);
	assert_int_equal(lookup(tree, "-" OTHER, &id), -EINVAL);
	/* This variable has appeared since the listing. */
	put_variable(fixture, "New-" OTHER, 7, "abcd", 4);
	id = found(tree, "New-" OTHER);
	assert_int_equal(size_of(tree, id), 8);
	put_variable(fixture, "Seed-1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b", 7,
		     "s", 1);
	assert_int_equal(
		lookup(tree, "Seed-1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b", &id),
		-ENOENT);
	tree_free(tree);
}

/* A lookup by a user who may not write makes no call, and finds only known
 * variables. */
static void only_privileged_lookups_call_firmware(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_limit limit = later();
	struct tree *tree = filled(fixture);
	char name[64];
	tree_id id;

	put_variable(fixture, "New-" OTHER, 7, "abcd", 4);
	fixture->sim.order_count = 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "N%d-" OTHER, i);
		assert_int_equal(tree_lookup(tree, name, false, &limit, &id),
				 -ENOENT);
	}
	assert_int_equal(tree_lookup(tree, "N", false, &limit, &id), -EINVAL);
	assert_int_equal(tree_lookup(tree, "New-" OTHER, false, &limit, &id),
			 -ENOENT);
	assert_int_equal(fixture->sim.order_count, 0);
	assert_int_equal(tree_lookup(tree, "New-" OTHER, true, &limit, &id), 0);
	assert_int_equal(fixture->sim.order_count, 1);
	assert_int_equal(tree_lookup(tree, "New-" OTHER, false, &limit, &id),
			 0);
	assert_int_equal(fixture->sim.order_count, 1);
	tree_free(tree);
}

/* A write of another variable changes the size of a generated one, as with
 * U-Boot's VarToFile. */
static void volatile_sizes(void **state)
{
	struct linux_fixture *fixture = *state;
	uint8_t bytes[16];
	struct tree *tree;
	tree_id made_up, id;

	put_variable(fixture, "VarToFile-" OTHER, 6, "abc", 3);
	put_variable(fixture, "Lang-" GLOBAL, 7, "en", 2);
	tree = filled(fixture);
	fixture->sim.order_count = 0;
	made_up = found(tree, "VarToFile-" OTHER);
	id = found(tree, "Lang-" GLOBAL);
	assert_int_equal(fixture->sim.order_count, 0);
	assert_int_equal(size_of(tree, made_up), 7);
	assert_int_equal(write_to(tree, id, "\7\0\0\0fr", 6), 6);
	put_variable(fixture, "VarToFile-" OTHER, 6, "abcdef", 6);
	fixture->sim.order_count = 0;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(found(tree, "VarToFile-" OTHER), made_up);
		assert_int_equal(found(tree, "Lang-" GLOBAL), id);
	}
	assert_int_equal(fixture->sim.order_count, 1);
	assert_int_equal(size_of(tree, made_up), 10);
	/* A read also updates the size. */
	assert_int_equal(write_to(tree, id, "\7\0\0\0de", 6), 6);
	put_variable(fixture, "VarToFile-" OTHER, 6, "abcd", 4);
	assert_int_equal(read_from(tree, made_up, bytes, 16, 0), 8);
	fixture->sim.order_count = 0;
	assert_int_equal(found(tree, "VarToFile-" OTHER), made_up);
	assert_int_equal(fixture->sim.order_count, 0);
	assert_int_equal(size_of(tree, made_up), 8);
	/* A generated variable that has disappeared keeps its last known
	 * size. */
	assert_int_equal(unlink_file(tree, "Lang-" GLOBAL), 0);
	fixture->sim.variables[0].size = 0;
	fixture->sim.order_count = 0;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(found(tree, "VarToFile-" OTHER), made_up);
	}
	assert_int_equal(fixture->sim.order_count, 1);
	assert_int_equal(size_of(tree, made_up), 8);
	tree_free(tree);
}

static uint64_t give_slashes(struct cz_host *sim, struct cz *cz,
			     const uint64_t *r)
{
	static const uint16_t names[][4] = {u"a/b", u"a!b"};
	const uint16_t *last = (const void *)(uintptr_t)r[1];
	size_t next = last[0] == 0 ? 0 : last[1] == '/' ? 1 : 2;

	(void)sim;
	(void)cz;
	if (next == 2) {
		return CZ_EFI_NOT_FOUND;
	}
	memcpy((void *)(uintptr_t)r[1], names[next], 8);
	memcpy((void *)(uintptr_t)r[2], &test_guid, sizeof(test_guid));
	*(uint64_t *)(uintptr_t)r[0] = 8;
	return CZ_EFI_SUCCESS;
}

/* Two variables would have the same file name: only the first is shown. */
static void slashes(void **state)
{
	struct linux_fixture *fixture = *state;
	struct tree *tree;
	char name[EFIVARS_FILE_NAME_BYTES];
	uint64_t cookie = 2;
	tree_id id;

	fixture->sim.hook[CZ_GET_NEXT_VARIABLE_NAME] = give_slashes;
	tree = filled(fixture);
	assert_int_equal(tree_next(tree, &cookie, name, &id), 1);
	assert_memory_equal(name, "a!b-", 4);
	assert_int_equal(tree_next(tree, &cookie, name, &id), 0);
	assert_true(sim_logged(&fixture->sim, "two variables are called a!b-"));
	assert_int_equal(write_to(tree, found(tree, name), "\7\0\0\0x", 5), 5);
	assert_memory_equal(fixture->sim.variables[0].name, u"a/b", 8);
	tree_free(tree);
}

static void long_names_are_left_out(void **state)
{
	struct linux_fixture *fixture = *state;
	struct tree *tree;
	char name[EFIVARS_FILE_NAME_BYTES];
	uint64_t cookie = 2;
	tree_id id;

	for (int i = 0; i < 400; i++) {
		memcpy(name + 3 * i, "\xe2\x82\xac", 3);
	}
	strcpy(name + 1200, "-" OTHER);
	put_variable(fixture, name, 7, "x", 1);
	tree = filled(fixture);
	assert_int_equal(tree_next(tree, &cookie, name, &id), 0);
	assert_true(sim_logged(&fixture->sim, "for its length"));
	tree_free(tree);
}

/* ---- The immutable flag ---- */

static void immutable_files(void **state)
{
	struct linux_fixture *fixture = *state;
	struct stat to = {.st_mode = 0600};
	struct tree *tree;
	tree_id id;

	put_variable(fixture, "Mine-" OTHER, 7, "abc", 3);
	tree = filled(fixture);
	id = found(tree, "Mine-" OTHER);
	assert_int_equal(flags_of(tree, id), FS_IMMUTABLE_FL);
	assert_int_equal(tree_open(tree, id, O_RDONLY), 0);
	tree_close(tree, id);
	assert_int_equal(tree_open(tree, id, O_WRONLY), -EPERM);
	assert_int_equal(tree_open(tree, id, O_RDWR), -EPERM);
	assert_int_equal(tree_open(tree, id, O_RDONLY | O_TRUNC), -EPERM);
	assert_int_equal(create(tree, "Mine-" OTHER, O_WRONLY, &id), -EPERM);
	assert_int_equal(unlink_file(tree, "Mine-" OTHER), -EPERM);
	assert_int_equal(tree_setattr(tree, id, &to, TREE_MODE), -EPERM);
	assert_int_equal(tree_setattr(tree, id, &to, TREE_SIZE), -EPERM);

	assert_int_equal(tree_set_flags(tree, id, FS_NODUMP_FL), -EOPNOTSUPP);
	assert_int_equal(tree_set_flags(tree, id, 0), 0);
	assert_int_equal(flags_of(tree, id), 0);
	assert_int_equal(tree_open(tree, id, O_WRONLY | O_TRUNC), 0);
	assert_int_equal(write_to(tree, id, "\7\0\0\0x", 5), 5);
	assert_int_equal(tree_set_flags(tree, id, FS_IMMUTABLE_FL), 0);
	/* As on any file system, a descriptor that was opened before can still
	 * write. */
	assert_int_equal(write_to(tree, id, "\7\0\0\0xy", 6), 6);
	tree_close(tree, id);
	assert_int_equal(tree_open(tree, id, O_WRONLY), -EPERM);
	assert_int_equal(tree_set_flags(tree, TREE_ROOT, 0), -ENOTTY);
	tree_free(tree);
}

/* ---- Making and removing ---- */

static void created(void **state)
{
	struct linux_fixture *fixture = *state;
	struct tree *tree = filled(fixture);
	uint8_t bytes[16];
	tree_id id, again;

	assert_int_equal(create(tree, "New-" OTHER, O_WRONLY | O_EXCL, &id), 0);
	assert_int_equal(size_of(tree, id), 0);
	assert_int_equal(flags_of(tree, id), FS_IMMUTABLE_FL);
	assert_int_equal(read_from(tree, id, bytes, sizeof(bytes), 0), 0);
	assert_null(get_variable(fixture, "New-" OTHER));
	assert_int_equal(create(tree, "New-" OTHER, O_WRONLY | O_EXCL, &again),
			 -EEXIST);
	assert_int_equal(write_to(tree, id, "\7\0\0\0abc", 7), 7);
	assert_int_equal(size_of(tree, id), 7);
	assert_non_null(get_variable(fixture, "New-" OTHER));
	assert_int_equal(read_from(tree, id, bytes, sizeof(bytes), 0), 7);
	assert_memory_equal(bytes, "\7\0\0\0abc", 7);
	tree_close(tree, id);

	assert_int_equal(create(tree, "Boot0001-" GLOBAL, O_WRONLY, &id), 0);
	assert_int_equal(flags_of(tree, id), 0);
	tree_close(tree, id);
	/* A file that was never written is still found after its close. */
	assert_int_equal(found(tree, "Boot0001-" GLOBAL), id);
	assert_int_equal(unlink_file(tree, "Boot0001-" GLOBAL), 0);
	assert_int_equal(lookup(tree, "Boot0001-" GLOBAL, &id), -ENOENT);
	tree_free(tree);
}

static void not_created(void **state)
{
	struct linux_fixture *fixture = *state;
	struct tree *tree = filled(fixture);
	char name[300];
	tree_id id;

	assert_int_equal(create(tree, "New", O_WRONLY, &id), -EINVAL);
	assert_int_equal(create(tree, "R-1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b",
				O_WRONLY, &id),
			 -EPERM);
	memset(name, 'n', 219);
	strcpy(name + 219, "-" OTHER);
	assert_int_equal(create(tree, name, O_WRONLY, &id), -ENAMETOOLONG);
	assert_int_equal(create(tree, name + 1, O_WRONLY, &id), 0);
	tree_free(tree);
}

static void unlinked(void **state)
{
	struct linux_fixture *fixture = *state;
	struct tree *tree;
	struct stat stat;
	uint8_t bytes[8];
	tree_id id;

	put_variable(fixture, "Boot0001-" GLOBAL, 7, "abc", 3);
	tree = filled(fixture);
	id = found(tree, "Boot0001-" GLOBAL);
	assert_int_equal(tree_open(tree, id, O_RDWR), 0);
	assert_int_equal(unlink_file(tree, "Boot0001-" GLOBAL), 0);
	assert_null(get_variable(fixture, "Boot0001-" GLOBAL));
	assert_int_equal(unlink_file(tree, "Boot0001-" GLOBAL), -ENOENT);
	/* A process that has the file open keeps a file without a variable. */
	assert_int_equal(tree_getattr(tree, id, &stat), 0);
	assert_int_equal(stat.st_nlink, 0);
	assert_int_equal(read_from(tree, id, bytes, 8, 0), 0);
	assert_int_equal(write_to(tree, id, "\7\0\0\0abc", 7), -EIO);
	tree_close(tree, id);
	tree_forget(tree, id, 1);
	assert_int_equal(tree_getattr(tree, id, &stat), -ENOENT);
	tree_free(tree);
}

static void deleted_by_writing(void **state)
{
	struct linux_fixture *fixture = *state;
	struct tree *tree;
	tree_id id;

	put_variable(fixture, "Timeout-" GLOBAL, 7, "ab", 2);
	tree = filled(fixture);
	id = found(tree, "Timeout-" GLOBAL);
	assert_int_equal(tree_open(tree, id, O_WRONLY | O_TRUNC), 0);
	assert_int_equal(write_to(tree, id, "\7\0\0\0", 4), 4);
	assert_int_equal(write_to(tree, id, "\7\0\0\0ab", 6), -EIO);
	tree_close(tree, id);
	assert_int_equal(lookup(tree, "Timeout-" GLOBAL, &id), -ENOENT);
	assert_null(get_variable(fixture, "Timeout-" GLOBAL));
	tree_free(tree);
}

static uint64_t refuse(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	(void)r;
	return CZ_EFI_SECURITY_VIOLATION;
}

static void firmware_refuses(void **state)
{
	struct linux_fixture *fixture = *state;
	struct tree *tree;
	tree_id id;

	put_variable(fixture, "Boot0001-" GLOBAL, 7, "abc", 3);
	tree = filled(fixture);
	id = found(tree, "Boot0001-" GLOBAL);
	fixture->sim.hook[CZ_SET_VARIABLE] = refuse;
	assert_int_equal(unlink_file(tree, "Boot0001-" GLOBAL), -EINVAL);
	assert_int_equal(found(tree, "Boot0001-" GLOBAL), id);
	assert_int_equal(create(tree, "Lang-" GLOBAL, O_WRONLY, &id), 0);
	assert_int_equal(write_to(tree, id, "\7\0\0\0a", 5), -EACCES);
	assert_int_equal(size_of(tree, id), 0);
	tree_free(tree);
}

/* ---- Contents and attributes ---- */

static bool late_writes_have_ended(void *argument)
{
	(void)argument;
	return late_counts().open == 0;
}

/* A write and a removal outlast their callers. The file shows their result
 * afterwards. */
static void late_changes(void **state)
{
	struct linux_fixture *fixture = *state;
	struct tree *tree = filled(fixture);
	struct outlasted first;
	tree_id id;

	assert_int_equal(create(tree, "Late-" OTHER, O_WRONLY, &id), 0);
	fixture->sim.hook[CZ_SET_VARIABLE] = sim_hold;
	fixture->sim.held = true;
	be_outlasted(&first, fixture);
	assert_int_equal(tree_write(tree, id, "\7\0\0\0four", 8, &first.limit),
			 -EINPROGRESS);
	assert_int_equal(size_of(tree, id), 0);
	sim_release_hold(&fixture->sim);
	assert_int_equal(found(tree, "Late-" OTHER), id);
	assert_int_equal(size_of(tree, id), 8);
	assert_true(sim_until(late_writes_have_ended, NULL));

	assert_int_equal(tree_set_flags(tree, id, 0), 0);
	fixture->sim.held = true;
	fixture->sim.entered_hold = false;
	be_outlasted(&first, fixture);
	assert_int_equal(tree_unlink(tree, "Late-" OTHER, &first.limit),
			 -EINPROGRESS);
	sim_release_hold(&fixture->sim);
	assert_int_equal(lookup(tree, "Late-" OTHER, &id), -ENOENT);
	assert_true(sim_until(late_writes_have_ended, NULL));
	tree_free(tree);
}

static void parts(void **state)
{
	struct linux_fixture *fixture = *state;
	struct tree *tree;
	uint8_t bytes[16];
	tree_id id;

	put_variable(fixture, "Lang-" GLOBAL, 7, "abcdef", 6);
	tree = filled(fixture);
	id = found(tree, "Lang-" GLOBAL);
	assert_int_equal(read_from(tree, id, bytes, 4, 0), 4);
	assert_memory_equal(bytes, "\7\0\0\0", 4);
	assert_int_equal(read_from(tree, id, bytes, 4, 4), 4);
	assert_memory_equal(bytes, "abcd", 4);
	assert_int_equal(read_from(tree, id, bytes, 16, 8), 2);
	assert_memory_equal(bytes, "ef", 2);
	assert_int_equal(read_from(tree, id, bytes, 16, 10), 0);
	assert_int_equal(read_from(tree, id, bytes, 16, 1 << 30), 0);
	/* A read sees a change that firmware made by itself. */
	put_variable(fixture, "Lang-" GLOBAL, 7, "abcdefgh", 8);
	assert_int_equal(read_from(tree, id, bytes, 16, 0), 12);
	assert_int_equal(size_of(tree, id), 12);
	fixture->sim.variables[0].size = 0;
	assert_int_equal(read_from(tree, id, bytes, 16, 0), 0);
	tree_free(tree);
}

static void attributes(void **state)
{
	struct linux_fixture *fixture = *state;
	struct stat to = {.st_mode = 04600, .st_uid = 1, .st_gid = 2};
	struct tree *tree;
	struct stat stat;
	tree_id id;

	put_variable(fixture, "Lang-" GLOBAL, 7, "abcdef", 6);
	tree = filled(fixture);
	id = found(tree, "Lang-" GLOBAL);
	to.st_mtim.tv_sec = 77;
	assert_int_equal(tree_setattr(tree, id, &to,
				      TREE_MODE | TREE_UID | TREE_GID |
					      TREE_MTIME | TREE_SIZE),
			 0);
	assert_int_equal(tree_getattr(tree, id, &stat), 0);
	assert_int_equal(stat.st_mode, S_IFREG | 04600);
	assert_int_equal(stat.st_uid, 1);
	assert_int_equal(stat.st_gid, 2);
	assert_int_equal(stat.st_mtim.tv_sec, 77);
	/* Truncation has no effect before the write that follows it. */
	assert_int_equal(stat.st_size, 10);
	assert_int_equal(write_to(tree, id, "\7\0\0\0a", 5), 5);
	assert_int_equal(tree_getattr(tree, id, &stat), 0);
	assert_int_equal(stat.st_size, 5);
	assert_true(stat.st_mtim.tv_sec > 77);
	tree_free(tree);
}

static void space(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_limit limit = later();
	struct tree *tree = filled(fixture);
	struct statvfs statfs;

	assert_int_equal(tree_statfs(tree, &limit, &statfs), 0);
	assert_int_equal(statfs.f_bsize, 1);
	assert_int_equal(statfs.f_blocks, 65536);
	assert_int_equal(statfs.f_bavail, 32768);
	assert_int_equal(statfs.f_namemax, 255);
	tree_free(tree);
}

int group_tree(void)
{
	const struct CMUnitTest tests[] = {
		LINUX(shows_variables),
		LINUX(stat_makes_no_call),
		LINUX(lookups),
		LINUX(only_privileged_lookups_call_firmware),
		LINUX(volatile_sizes),
		LINUX(slashes),
		LINUX(long_names_are_left_out),
		LINUX(immutable_files),
		LINUX(created),
		LINUX(not_created),
		LINUX(unlinked),
		LINUX(deleted_by_writing),
		LINUX(firmware_refuses),
		LINUX(late_changes),
		LINUX(parts),
		LINUX(attributes),
		LINUX(space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
