/* SPDX-License-Identifier: MIT */
/* Variables as calls: hostile listings, reads, writes, and limits of time. */
#include "efivars/late.h"
#include "linux_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* ---- Listing ---- */

#define MAX_FOUND 16

struct found {
	uint32_t count;
	int error; /* returned after MAX_FOUND names */
	struct efivars_name names[MAX_FOUND];
};

static int note(void *argument, const struct efivars_name *name)
{
	struct found *found = argument;

	if (found->count < MAX_FOUND) {
		found->names[found->count] = *name;
	}
	found->count++;
	return found->count == MAX_FOUND ? found->error : 0;
}

static int list(struct linux_fixture *fixture, struct found *found)
{
	struct efivars_limit limit = later();

	memset(found, 0, sizeof(*found));
	return efivars_list(&fixture->cz, &limit, note, found);
}

static void variables_are_listed(void **state)
{
	struct linux_fixture *fixture = *state;
	struct found found;

	assert_int_equal(list(fixture, &found), 0);
	assert_int_equal(found.count, 0);
	put_variable(fixture, "One-" OTHER, 7, "1", 1);
	put_variable(fixture, "Seed-1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b", 7,
		     "s", 1);
	put_variable(fixture, "One-" GLOBAL, 7, "1", 1);
	assert_int_equal(list(fixture, &found), 0);
	assert_int_equal(found.count, 2);
	assert_memory_equal(found.names[1].units, u"One", 8);
	assert_true(
		efivars_guid_equal(&found.names[1].guid, &efivars_global_guid));
}

/* The name is longer than the buffer that firmware is offered first. */
static void long_names_are_listed(void **state)
{
	struct linux_fixture *fixture = *state;
	char file_name[512 + 40];
	struct found found;

	memset(file_name, 'n', 500);
	strcpy(file_name + 500, "-" OTHER);
	put_variable(fixture, file_name, 7, "1", 1);
	put_variable(fixture, "After-" OTHER, 7, "1", 1);
	assert_int_equal(list(fixture, &found), 0);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.names[0].units[499], 'n');
}

/* The number of the call, which selects the hostile answer. */
static uint32_t hostile_calls;

static uint64_t give(const uint64_t *r, const uint16_t *name, uint64_t bytes)
{
	memcpy(at(r[1]), name, bytes);
	*(uint64_t *)at(r[0]) = bytes;
	return CZ_EFI_SUCCESS;
}

static uint64_t same_name(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	hostile_calls++;
	return give(r, u"Same", 10);
}

static uint64_t two_in_turn(struct cz_host *sim, struct cz *cz,
			    const uint64_t *r)
{
	(void)sim;
	(void)cz;
	return hostile_calls++ % 2 == 0 ? give(r, u"One", 8)
					: give(r, u"Two", 8);
}

static uint64_t without_end(struct cz_host *sim, struct cz *cz,
			    const uint64_t *r)
{
	uint16_t name[] = {'A', 0, 0, 0};

	(void)sim;
	(void)cz;
	name[1] = (uint16_t)(1 + hostile_calls % 1000);
	name[2] = (uint16_t)(1 + hostile_calls / 1000);
	hostile_calls++;
	return give(r, name, sizeof(name));
}

static uint64_t without_terminator(struct cz_host *sim, struct cz *cz,
				   const uint64_t *r)
{
	(void)sim;
	(void)cz;
	hostile_calls++;
	memset(at(r[1]), 'x', *(uint64_t *)at(r[0]));
	return CZ_EFI_SUCCESS;
}

static uint64_t empty_name(struct cz_host *sim, struct cz *cz,
			   const uint64_t *r)
{
	(void)sim;
	(void)cz;
	hostile_calls++;
	return give(r, u"", 2);
}

static uint64_t always_longer(struct cz_host *sim, struct cz *cz,
			      const uint64_t *r)
{
	(void)sim;
	(void)cz;
	hostile_calls++;
	*(uint64_t *)at(r[0]) += 2;
	return CZ_EFI_BUFFER_TOO_SMALL;
}

static uint64_t never_enough(struct cz_host *sim, struct cz *cz,
			     const uint64_t *r)
{
	(void)sim;
	(void)cz;
	(void)r;
	hostile_calls++;
	return CZ_EFI_BUFFER_TOO_SMALL;
}

static uint64_t no_list(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	(void)r;
	return CZ_EFI_UNSUPPORTED;
}

static uint64_t one_then_error(struct cz_host *sim, struct cz *cz,
			       const uint64_t *r)
{
	(void)sim;
	(void)cz;
	return hostile_calls++ == 0 ? give(r, u"One", 8) : CZ_EFI_DEVICE_ERROR;
}

static void hostile_listings_end(void **state)
{
	static const struct {
		sim_service service;
		int error;
		uint32_t count, most_calls;
	} cases[] = {
		{same_name, 0, 1, 2},
		{two_in_turn, 0, 2, 3},
		{without_end, 0, EFIVARS_MAX_VARIABLES - 1,
		 EFIVARS_MAX_VARIABLES},
		{without_terminator, EIO, 0, 1},
		{empty_name, EIO, 0, 1},
		{always_longer, EINVAL, 0, 2},
		{never_enough, EINVAL, 0, 2},
		{no_list, EOPNOTSUPP, 0, 1},
		{one_then_error, 0, 1, 2},
	};
	struct linux_fixture *fixture = *state;
	struct found found;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hostile_calls = 0;
		sim_forget_log(&fixture->sim);
		fixture->sim.hook[CZ_GET_NEXT_VARIABLE_NAME] = cases[i].service;
		assert_int_equal(list(fixture, &found), cases[i].error);
		assert_int_equal(found.count, cases[i].count);
		assert_in_range(hostile_calls, 0, cases[i].most_calls);
		assert_true(sim_logged(&fixture->sim, "the list of variables"));
	}
}

static void the_caller_can_end_a_listing(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_limit limit = later();
	struct found found = {.error = ENOMEM};

	fixture->sim.hook[CZ_GET_NEXT_VARIABLE_NAME] = without_end;
	assert_int_equal(efivars_list(&fixture->cz, &limit, note, &found),
			 ENOMEM);
	assert_int_equal(found.count, MAX_FOUND);
}

/* ---- Reading ---- */

static int read_all(struct linux_fixture *fixture, const char *file_name,
		    size_t hint, struct efivars_contents *contents)
{
	struct efivars_limit limit = later();
	struct efivars_name name = named(file_name);

	return efivars_read(&fixture->cz, &name, hint, &limit, contents);
}

static void variables_are_read(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_contents contents;
	uint8_t value[4000];

	memset(value, 'v', sizeof(value));
	put_variable(fixture, "Short-" OTHER, 6, "abc", 3);
	put_variable(fixture, "Long-" OTHER, 7, value, sizeof(value));
	assert_int_equal(read_all(fixture, "Short-" OTHER, 0, &contents), 0);
	assert_int_equal(contents.size_bytes, 7);
	assert_memory_equal(contents.bytes, "\6\0\0\0abc", 7);
	free(contents.bytes);
	for (size_t hint = 0; hint <= 1000000; hint += 100000) {
		assert_int_equal(
			read_all(fixture, "Long-" OTHER, hint, &contents), 0);
		assert_int_equal(contents.size_bytes, 4004);
		assert_memory_equal(contents.bytes + 4, value, sizeof(value));
		free(contents.bytes);
	}
	assert_int_equal(read_all(fixture, "None-" OTHER, 0, &contents),
			 ENOENT);
}

static uint64_t grows(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	*(uint64_t *)at(r[3]) += 1;
	return CZ_EFI_BUFFER_TOO_SMALL;
}

static uint64_t huge(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	*(uint64_t *)at(r[3]) = 1ull << 40;
	return CZ_EFI_BUFFER_TOO_SMALL;
}

static uint64_t too_small(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	(void)r;
	return CZ_EFI_BUFFER_TOO_SMALL;
}

static void hostile_reads_fail(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_contents contents;

	fixture->sim.hook[CZ_GET_VARIABLE] = grows;
	assert_int_equal(read_all(fixture, "A-" OTHER, 0, &contents), EIO);
	fixture->sim.hook[CZ_GET_VARIABLE] = huge;
	assert_int_equal(read_all(fixture, "A-" OTHER, 0, &contents), EFBIG);
	fixture->sim.hook[CZ_GET_VARIABLE] = too_small;
	assert_int_equal(read_all(fixture, "A-" OTHER, 0, &contents), EIO);
}

/* ---- Writing ---- */

static size_t size_after;
static bool exists_after;

static int write_all(struct linux_fixture *fixture, const char *file_name,
		     const void *contents, size_t size)
{
	struct efivars_limit limit = later();
	struct efivars_name name = named(file_name);

	return efivars_write(&fixture->cz, &name, contents, size, &limit,
			     &size_after, &exists_after);
}

static void variables_are_written(void **state)
{
	struct linux_fixture *fixture = *state;
	const struct sim_variable *variable;

	assert_int_equal(write_all(fixture, "A-" OTHER, "\7\0\0\0abc", 7), 0);
	assert_int_equal(size_after, 3);
	assert_true(exists_after);
	variable = get_variable(fixture, "A-" OTHER);
	assert_non_null(variable);
	assert_int_equal(variable->attributes, 7);
	assert_int_equal(variable->size, 3);
	assert_memory_equal(variable->data, "abc", 3);
	/* A write of attributes alone deletes the variable. */
	assert_int_equal(write_all(fixture, "A-" OTHER, "\7\0\0\0", 4), 0);
	assert_false(exists_after);
	assert_null(get_variable(fixture, "A-" OTHER));
	assert_int_equal(write_all(fixture, "A-" OTHER, "\7\0\0\0", 4), EIO);
}

/* Firmware that accepts values of any size, and returns a value of the size
 * that it accepted last. */
static uint64_t size_taken;

static uint64_t takes_all(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	size_taken = r[3];
	return CZ_EFI_SUCCESS;
}

static uint64_t gives_all(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	uint64_t room = *(uint64_t *)at(r[3]);

	(void)sim;
	(void)cz;
	*(uint64_t *)at(r[3]) = size_taken;
	if (room < size_taken) {
		return CZ_EFI_BUFFER_TOO_SMALL;
	}
	memset(at(r[4]), 'l', size_taken);
	return CZ_EFI_SUCCESS;
}

/* Sizes that the kernel's efivarfs passes to firmware are also passed to
 * firmware here. */
static void large_values_reach_firmware(void **state)
{
	struct linux_fixture *fixture = *state;
	static uint8_t large[EFIVARS_MAX_BYTES] = {7};
	struct efivars_contents contents;

	fixture->sim.hook[CZ_SET_VARIABLE] = takes_all;
	fixture->sim.hook[CZ_GET_VARIABLE] = gives_all;
	for (size_t size = 30000; size < 65536; size += 5000) {
		assert_int_equal(
			write_all(fixture, "A-" OTHER, large, size + 4), 0);
		assert_int_equal(size_taken, size);
		assert_int_equal(read_all(fixture, "A-" OTHER, 0, &contents),
				 0);
		assert_int_equal(contents.size_bytes, size + 4);
		free(contents.bytes);
	}
	size_taken = EFIVARS_MAX_READ_BYTES;
	assert_int_equal(read_all(fixture, "A-" OTHER, 0, &contents), 0);
	assert_int_equal(contents.size_bytes, size_taken + 4);
	free(contents.bytes);
	size_taken++;
	assert_int_equal(read_all(fixture, "A-" OTHER, 0, &contents), EFBIG);
}

static void invalid_writes_are_refused(void **state)
{
	struct linux_fixture *fixture = *state;
	static uint8_t large[70000] = {7};

	assert_int_equal(write_all(fixture, "A-" OTHER, "\7\0\0", 3), EINVAL);
	assert_int_equal(write_all(fixture, "A-" OTHER, "", 0), EINVAL);
	assert_int_equal(write_all(fixture, "A-" OTHER, "\x87\0\0\0a", 5),
			 EINVAL);
	assert_int_equal(write_all(fixture, "A-" OTHER,
				   "\7\0\0\x80"
				   "a",
				   5),
			 EINVAL);
	assert_int_equal(write_all(fixture, "Boot0001-" GLOBAL, "\7\0\0\0a", 5),
			 EINVAL);
	assert_int_equal(write_all(fixture, "A-" OTHER, large, 65536 + 4),
			 ENOSPC);
	assert_int_equal(fixture->sim.order_count, 0);
	/* Firmware itself refuses this size. */
	assert_int_equal(write_all(fixture, "A-" OTHER, large, 4097 + 4),
			 ENOSPC);
}

static uint64_t append(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	struct sim_variable *variable = &sim->variables[0];

	(void)cz;
	if ((r[2] & CZ_EFI_VARIABLE_APPEND_WRITE) == 0) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	memcpy(variable->data + variable->size, at(r[4]), r[3]);
	variable->size += (uint32_t)r[3];
	return CZ_EFI_SUCCESS;
}

static void appends_extend_a_variable(void **state)
{
	struct linux_fixture *fixture = *state;

	put_variable(fixture, "A-" OTHER, 7, "abc", 3);
	fixture->sim.hook[CZ_SET_VARIABLE] = append;
	assert_int_equal(write_all(fixture, "A-" OTHER, "\x47\0\0\0de", 6), 0);
	assert_int_equal(size_after, 5);
	assert_memory_equal(get_variable(fixture, "A-" OTHER)->data, "abcde",
			    5);
}

static cz_status answer;

static uint64_t answers(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	(void)r;
	return answer;
}

static void statuses_become_errno(void **state)
{
	static const struct {
		cz_status status;
		int written, deleted;
	} cases[] = {
		{CZ_EFI_NOT_FOUND, EIO, 0},
		{CZ_EFI_SECURITY_VIOLATION, EACCES, EINVAL},
		{CZ_EFI_WRITE_PROTECTED, EROFS, EINVAL},
		{CZ_EFI_OUT_OF_RESOURCES, ENOSPC, EINVAL},
		{CZ_EFI_DEVICE_ERROR, EIO, EINVAL},
		{CZ_EFI_ACCESS_DENIED, EINVAL, EINVAL},
		{0x1234, EIO, EIO}, /* an invalid status */
	};
	struct linux_fixture *fixture = *state;
	struct efivars_limit limit = later();
	struct efivars_name name = named("A-" OTHER);

	fixture->sim.hook[CZ_SET_VARIABLE] = answers;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int written, deleted;

		answer = cases[i].status;
		written = write_all(fixture, "A-" OTHER, "\7\0\0\0a", 5);
		deleted = efivars_delete(&fixture->cz, &name, &limit);
		if (answer == 0x1234 && written == EINVAL) {
			/* The library accepts warnings. */
			continue;
		}
		assert_int_equal(written, cases[i].written);
		assert_int_equal(deleted, cases[i].deleted);
	}
}

static void a_withdrawn_service_is_unsupported(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_limit limit = later();
	struct efivars_name name = named("A-" OTHER);
	struct efivars_contents contents;

	put_variable(fixture, "A-" OTHER, 7, "abc", 3);
	cz_withdraw(&fixture->cz, CZ_SET_VARIABLE);
	assert_int_equal(write_all(fixture, "A-" OTHER, "\7\0\0\0a", 5),
			 EOPNOTSUPP);
	assert_int_equal(efivars_delete(&fixture->cz, &name, &limit),
			 EOPNOTSUPP);
	assert_int_equal(read_all(fixture, "A-" OTHER, 0, &contents), 0);
	free(contents.bytes);
}

static void variables_are_deleted(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_limit limit = later();
	struct efivars_name name = named("A-" OTHER);

	put_variable(fixture, "A-" OTHER, 7, "abc", 3);
	assert_int_equal(efivars_delete(&fixture->cz, &name, &limit), 0);
	assert_null(get_variable(fixture, "A-" OTHER));
	assert_int_equal(efivars_delete(&fixture->cz, &name, &limit), 0);
}

/* ---- Space ---- */

static void space_is_reported(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_limit limit = later();
	struct efivars_space space;

	assert_int_equal(efivars_space(&fixture->cz, &limit, &space), 0);
	assert_int_equal(space.total_bytes, 65536);
	assert_int_equal(space.free_bytes, 32768);
	answer = CZ_EFI_UNSUPPORTED;
	fixture->sim.hook[CZ_QUERY_VARIABLE_INFO] = answers;
	assert_int_equal(efivars_space(&fixture->cz, &limit, &space), 0);
	assert_int_equal(space.total_bytes, 0);
	assert_int_equal(space.free_bytes, 0);
}

/* ---- Limits of time ---- */

static bool told;

static bool is_told(void *argument)
{
	(void)argument;
	return __atomic_load_n(&told, __ATOMIC_SEQ_CST);
}

static bool has_entered(void *argument)
{
	struct linux_fixture *fixture = argument;

	return __atomic_load_n(&fixture->sim.entered_hold, __ATOMIC_SEQ_CST);
}

static void reads_end_at_their_deadline(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_limit limit = later();
	struct efivars_name name = named("A-" OTHER);
	size_t size;

	fixture->sim.held = true;
	fixture->sim.hook[CZ_GET_VARIABLE] = sim_hold;
	for (int i = 0; i < 2; i++) {
		limit.deadline_ns = cz_host_now_ns(NULL) + 60000000;
		assert_int_equal(
			efivars_size(&fixture->cz, &name, &limit, &size, NULL),
			ETIMEDOUT);
		assert_true(cz_host_now_ns(NULL) >= limit.deadline_ns);
		limit.interrupted = is_told;
		told = false;
	}
}

/* The caller of a read gives up while firmware holds the call. */
static void a_read_can_be_interrupted(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_limit limit = later();
	struct efivars_name name = named("A-" OTHER);
	size_t size;

	limit.interrupted = is_told;
	told = true;
	fixture->sim.held = true;
	fixture->sim.hook[CZ_GET_VARIABLE] = sim_hold;
	assert_int_equal(efivars_size(&fixture->cz, &name, &limit, &size, NULL),
			 EINTR);
}

struct writer {
	struct linux_fixture *fixture;
	int error;
	uint32_t done; /* atomic */
};

static void write_interruptibly(void *argument)
{
	struct writer *writer = argument;
	struct efivars_limit limit = later();
	struct efivars_name name = named("A-" OTHER);
	size_t size;
	bool exists;

	limit.interrupted = is_told;
	writer->error = efivars_write(&writer->fixture->cz, &name, "\7\0\0\0a",
				      5, &limit, &size, &exists);
	__atomic_store_n(&writer->done, 1, __ATOMIC_SEQ_CST);
}

static bool is_done(void *argument)
{
	struct writer *writer = argument;

	return __atomic_load_n(&writer->done, __ATOMIC_SEQ_CST) == 1;
}

/* A write that firmware has begun is waited for; a write that is still queued
 * is cancelled. */
static void only_queued_writes_are_cancelled(void **state)
{
	struct linux_fixture *fixture = *state;
	struct writer first = {.fixture = fixture},
		      second = {.fixture = fixture};
	struct sim_thread *threads[2];

	told = false;
	fixture->sim.held = true;
	fixture->sim.hook[CZ_SET_VARIABLE] = sim_hold;
	threads[0] = sim_spawn(&fixture->sim, 10, write_interruptibly, &first);
	assert_true(sim_until(has_entered, fixture));
	threads[1] = sim_spawn(&fixture->sim, 10, write_interruptibly, &second);
	__atomic_store_n(&told, true, __ATOMIC_SEQ_CST);
	assert_true(sim_until(is_done, &second));
	assert_int_equal(second.error, EINTR);
	assert_false(is_done(&first));
	sim_release_hold(&fixture->sim);
	sim_join(&fixture->sim, threads[0]);
	sim_join(&fixture->sim, threads[1]);
	assert_int_equal(first.error, 0);
	assert_non_null(get_variable(fixture, "A-" OTHER));
}

/* ---- Writes that outlast their callers ---- */

static uint64_t hold_and_fail(struct cz_host *sim, struct cz *cz,
			      const uint64_t *r)
{
	(void)sim_hold(sim, cz, r);
	return CZ_EFI_DEVICE_ERROR;
}

static bool none_is_open(void *argument)
{
	(void)argument;
	return late_counts().open == 0;
}

static int write_until(struct linux_fixture *fixture, const char *file_name,
		       const struct efivars_limit *limit)
{
	struct efivars_name name = named(file_name);
	size_t size;
	bool exists;

	return efivars_write(&fixture->cz, &name, "\7\0\0\0a", 5, limit, &size,
			     &exists);
}

/* Two writes reach their deadlines: one that firmware has begun, and one that
 * is queued behind it. The log reports the outcome of the first; the second is
 * not made. */
static void late_write(struct linux_fixture *fixture, sim_service service)
{
	struct outlasted first;
	struct cz_stats before, after;
	struct efivars_limit second = {0};

	be_outlasted(&first, fixture);
	fixture->sim.held = true;
	fixture->sim.hook[CZ_SET_VARIABLE] = service;
	assert_int_equal(write_until(fixture, "A-" OTHER, &first.limit),
			 EINPROGRESS);
	assert_true(
		sim_logged(&fixture->sim, "the write of A-" OTHER " is late"));
	cz_get_stats(&fixture->cz, &before);
	second.deadline_ns = cz_host_now_ns(NULL) + 60000000;
	assert_int_equal(write_until(fixture, "B-" OTHER, &second), ETIMEDOUT);
	/* A write that nobody can interrupt waits only once. */
	cz_get_stats(&fixture->cz, &after);
	assert_int_equal(after.deadlines, before.deadlines + 1);
	assert_int_equal(late_counts().open, 1);
	sim_release_hold(&fixture->sim);
	assert_true(sim_until(none_is_open, NULL));
	assert_null(get_variable(fixture, "B-" OTHER));
}

static void a_late_success_is_logged(void **state)
{
	struct linux_fixture *fixture = *state;
	struct late_counts before = late_counts();

	late_write(fixture, sim_hold);
	assert_int_equal(late_counts().made, before.made + 1);
	assert_int_equal(late_counts().not_made, before.not_made);
	assert_true(sim_logged(&fixture->sim, "A-" OTHER " has been made"));
	assert_non_null(get_variable(fixture, "A-" OTHER));
}

static void a_late_failure_is_logged(void **state)
{
	struct linux_fixture *fixture = *state;
	struct late_counts before = late_counts();

	late_write(fixture, hold_and_fail);
	assert_int_equal(late_counts().made, before.made);
	assert_int_equal(late_counts().not_made, before.not_made + 1);
	assert_true(sim_logged(&fixture->sim, "A-" OTHER " has not been made: "
					      "EFI_DEVICE_ERROR"));
}

/* All requests are in use: the caller waits for a free one, within its
 * limit. */
static void a_free_request_is_waited_for(void **state)
{
	struct linux_fixture *fixture = *state;
	struct efivars_limit limit = later();
	struct efivars_name name = named("A-" OTHER);
	cz_request_id ids[8];
	struct cz_call call;
	size_t size;

	fixture->sim.held = true;
	fixture->sim.hook[CZ_NULL_SERVICE] = sim_hold;
	fixture->sim.hook[CZ_GET_VARIABLE] = sim_hold;
	size = 0;
	assert_true(cz_prepare_get_variable(&call, name.units, &name.guid, NULL,
					    NULL, &size) == CZ_OK);
	for (int i = 0; i < 8; i++) {
		assert_true(cz_submit(&fixture->cz, &call, &ids[i]) == CZ_OK);
	}
	limit.deadline_ns = cz_host_now_ns(NULL) + 30000000;
	limit.interrupted = is_told;
	told = false;
	assert_int_equal(efivars_size(&fixture->cz, &name, &limit, &size, NULL),
			 ETIMEDOUT);
	told = true;
	limit = later();
	limit.interrupted = is_told;
	assert_int_equal(efivars_size(&fixture->cz, &name, &limit, &size, NULL),
			 EINTR);
	for (int i = 0; i < 8; i++) {
		cz_release(&fixture->cz, ids[i]);
	}
}

int group_efivars(void)
{
	const struct CMUnitTest tests[] = {
		LINUX(variables_are_listed),
		LINUX(long_names_are_listed),
		LINUX(hostile_listings_end),
		LINUX(the_caller_can_end_a_listing),
		LINUX(variables_are_read),
		LINUX(hostile_reads_fail),
		LINUX(variables_are_written),
		LINUX(large_values_reach_firmware),
		LINUX(invalid_writes_are_refused),
		LINUX(appends_extend_a_variable),
		LINUX(statuses_become_errno),
		LINUX(a_withdrawn_service_is_unsupported),
		LINUX(variables_are_deleted),
		LINUX(space_is_reported),
		LINUX(reads_end_at_their_deadline),
		LINUX(a_read_can_be_interrupted),
		LINUX(only_queued_writes_are_cancelled),
		LINUX(a_late_success_is_logged),
		LINUX(a_late_failure_is_logged),
		LINUX(a_free_request_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
