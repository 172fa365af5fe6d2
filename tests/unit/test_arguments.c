/* SPDX-License-Identifier: MIT */
/* Where the library puts arguments, what is mapped around them, and calls that
 * no cz_prepare_*() function made. */
#include "fixture.h"

#include "core.h"

#include <stdlib.h>
#include <string.h>

/* What look() and check_zero() found when firmware was called. */
static struct {
	uint64_t registers[CZ_MAX_ARGUMENTS];
	uint64_t page_count;
	bool guarded, zeroed;
} seen;

/* Records its arguments, and what is mapped around them. */
static uint64_t look(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	uint64_t first = 0;

	memcpy(seen.registers, r, sizeof(seen.registers));
	for (uint32_t i = 0; i < CZ_MAX_ARGUMENTS && first == 0; i++) {
		if (r[i] >= cz->window_address &&
		    r[i] < cz->window_address + cz->window_pages * SIM_PAGE) {
			first = r[i];
		}
	}
	if (first != 0) {
		const struct sim_mapping *there = sim_mapped(sim, first);
		uint64_t end = there->address + there->page_count * SIM_PAGE;

		seen.page_count = there->page_count;
		seen.guarded =
			sim_mapped(sim, end) == NULL &&
			sim_mapped(sim, there->address - 1) == NULL &&
			there->prot == (CZ_PROT_READ | CZ_PROT_WRITE) &&
			end < cz->window_address + cz->window_pages * SIM_PAGE;
	}
	return CZ_EFI_NOT_FOUND;
}

static void data_ends_at_page_end(void **state)
{
	static const size_t sizes[] = {1,    7,	   8,	 9,    4000,
				       4096, 4097, 8000, 8191, 8192};
	static uint8_t data[8192];
	struct fixture *fixture = *state;

	fixture->sim.hook[CZ_GET_VARIABLE] = look;
	fixture->sim.hook[CZ_SET_VARIABLE] = look;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i];
		uint64_t end;

		cz_get_variable(&fixture->cz, u"Name", &test_guid, NULL, data,
				&size, LATER);
		end = seen.registers[4] + sizes[i];
		assert_true(seen.guarded);
		assert_int_equal(seen.registers[4] % 8, 0);
		assert_true(cz_align_up(end, 8) % SIM_PAGE == 0);
		/* Name, GUID and size take 48 bytes. */
		assert_int_equal(seen.page_count,
				 (48 + cz_align_up(sizes[i], 8) + 4095) / 4096);
		cz_set_variable(&fixture->cz, u"Name", &test_guid, 7, data,
				sizes[i], LATER);
		assert_true(cz_align_up(seen.registers[4] + sizes[i], 8) %
				    SIM_PAGE ==
			    0);
	}
}

static void argument_placement(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time_caps caps;
	struct cz_efi_time time;
	struct cz_efi_guid guid = {0};
	uint16_t name[8] = {0};
	size_t size = sizeof(name);

	fixture->sim.hook[CZ_GET_TIME] = look;
	cz_get_time(&fixture->cz, &time, &caps, LATER);
	assert_int_equal(seen.page_count, 1);
	assert_int_equal(seen.registers[0] % SIM_PAGE, 0);
	assert_int_equal(seen.registers[1] % SIM_PAGE, SIM_PAGE - 16);
	cz_get_time(&fixture->cz, &time, NULL, LATER);
	assert_int_equal(seen.registers[0] % SIM_PAGE, SIM_PAGE - 16);
	/* The name ends at the end of the page, though it is not the last
	 * argument. */
	fixture->sim.hook[CZ_GET_NEXT_VARIABLE_NAME] = look;
	cz_get_next_variable_name(&fixture->cz, &size, name, &guid, LATER);
	assert_int_equal(seen.registers[0] % SIM_PAGE, 0);
	assert_int_equal(seen.registers[2] % SIM_PAGE, 16);
	assert_int_equal(seen.registers[1] % SIM_PAGE, SIM_PAGE - 16);
}

/* The addresses of arguments move through the window. No page is used again
 * before the end of the window was reached. */
static void addresses_rotate(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	uint64_t last = 0;
	int rounds = 0;

	fixture->sim.hook[CZ_GET_TIME] = look;
	for (int i = 0; i < 1100; i++) {
		uint64_t page;

		cz_get_time(&fixture->cz, &time, NULL, LATER);
		page = seen.registers[0] & ~(SIM_PAGE - 1);
		assert_true(seen.guarded);
		assert_true(page >=
			    SIM_WINDOW + CZ_WINDOW_ARGUMENT_PAGE * SIM_PAGE);
		if (page < last) {
			rounds++;
		} else if (last != 0) {
			assert_int_equal(page, last + 2 * SIM_PAGE);
		}
		last = page;
	}
	/* The window has 1013 pages for arguments, and each call takes two. */
	assert_int_equal(rounds, 2);
}

/* ---- What firmware finds in its buffers ---- */

static uint64_t check_zero(struct cz_host *sim, struct cz *cz,
			   const uint64_t *r)
{
	const uint8_t *data = (const uint8_t *)r[4];
	uint64_t size = *(const uint64_t *)r[3];

	(void)sim;
	(void)cz;
	seen.zeroed = *(const uint32_t *)r[2] == 0;
	for (uint64_t i = 0; i < size; i++) {
		seen.zeroed = seen.zeroed && data[i] == 0;
	}
	return CZ_EFI_NOT_FOUND;
}

static void outputs_are_zeroed(void **state)
{
	static uint8_t data[8192];
	struct fixture *fixture = *state;
	uint32_t attributes;
	size_t size;

	memset(data, 0x77, sizeof(data));
	fixture->sim.hook[CZ_GET_VARIABLE] = check_zero;
	for (size_t i = 1; i <= sizeof(data); i = i * 3 + 1) {
		cz_set_variable(&fixture->cz, u"A", &test_guid, 7, data,
				sizeof(data), LATER);
		size = i;
		cz_get_variable(&fixture->cz, u"A", &test_guid, &attributes,
				data, &size, LATER);
		assert_true(seen.zeroed);
	}
}

/* Firmware reports that it has filled its buffer, but has written nothing. */
static uint64_t claim_all(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	(void)r;
	return CZ_EFI_SUCCESS;
}

static void unwritten_outputs_are_zero(void **state)
{
	struct fixture *fixture = *state;
	uint8_t data[100];
	size_t size = sizeof(data);

	memset(data, 0x77, sizeof(data));
	cz_set_variable(&fixture->cz, u"Secret", &test_guid, 7, data, 100,
			LATER);
	fixture->sim.hook[CZ_GET_VARIABLE] = claim_all;
	assert_status(cz_get_variable(&fixture->cz, u"A", &test_guid, NULL,
				      data, &size, LATER),
		      CZ_OK);
	assert_int_equal(size, 100);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(data[i], 0);
	}
}

/* ---- Sizes that firmware returns ---- */

static uint64_t answer_size;
static const uint16_t *answer_name;

static uint64_t answer(struct cz_host *sim, struct cz *cz, const uint64_t *r)
{
	(void)sim;
	(void)cz;
	*(uint64_t *)r[3] = answer_size;
	return CZ_EFI_SUCCESS;
}

static uint64_t name_answer(struct cz_host *sim, struct cz *cz,
			    const uint64_t *r)
{
	(void)sim;
	(void)cz;
	*(uint64_t *)r[0] = answer_size;
	memcpy((void *)r[1], answer_name, 8);
	return CZ_EFI_SUCCESS;
}

static void bad_sizes(void **state)
{
	static const uint64_t wrong[] = {9, 4097, 1ull << 32, UINT64_MAX};
	struct fixture *fixture = *state;
	uint8_t data[16];
	struct cz_stats stats;
	uint32_t attributes = 0x1234;

	memset(data, 0x77, sizeof(data));
	fixture->sim.hook[CZ_GET_VARIABLE] = answer;
	for (size_t i = 0; i < 4; i++) {
		size_t size = 8;

		answer_size = wrong[i];
		assert_status(cz_get_variable(&fixture->cz, u"A", &test_guid,
					      &attributes, data, &size, LATER),
			      CZ_E_BAD_SIZE);
		assert_int_equal(size, 8);
		assert_int_equal(data[0], 0x77);
		assert_int_equal(attributes, 0x1234);
	}
	cz_get_stats(&fixture->cz, &stats);
	assert_int_equal(stats.bad_sizes, 4);
	assert_true(sim_logged(&fixture->sim,
			       "1 GetVariable (RuntimeDxe) returned "
			       "an invalid size"));
	/* The caller gives no room, and firmware reports that it used some. */
	answer_size = 1;
	for (int i = 0; i < 2; i++) {
		size_t size = 0;

		assert_status(cz_get_variable(&fixture->cz, u"A", &test_guid,
					      NULL, i == 0 ? NULL : data, &size,
					      LATER),
			      CZ_E_BAD_SIZE);
	}
	assert_int_equal(data[8], 0x77);
}

static void bad_names(void **state)
{
	static const struct {
		uint64_t size;
		const uint16_t *name;
		cz_status due;
	} cases[] = {
		{8, u"abc", CZ_OK},
		{10, u"abc", CZ_OK}, /* more than the name needs */
		{8, u"ab\0d", CZ_OK},
		{8, u"abcd", CZ_E_BAD_SIZE}, /* not terminated */
		{6, u"abc", CZ_E_BAD_SIZE}, /* terminator past the size */
		{0, u"abc", CZ_E_BAD_SIZE},
		{18, u"abc", CZ_E_BAD_SIZE},
		{UINT64_MAX, u"abc", CZ_E_BAD_SIZE},
	};
	struct fixture *fixture = *state;

	fixture->sim.hook[CZ_GET_NEXT_VARIABLE_NAME] = name_answer;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cz_efi_guid guid = test_guid;
		uint16_t name[8] = {0};
		size_t size = sizeof(name);

		answer_size = cases[i].size;
		answer_name = cases[i].name;
		assert_status(cz_get_next_variable_name(&fixture->cz, &size,
							name, &guid, LATER),
			      cases[i].due);
		assert_int_equal(name[0], cases[i].due == CZ_OK ? 'a' : 0);
	}
}

/* The caller's size changes between cz_prepare_get_variable() and
 * cz_submit(). */
static void size_is_read_once(void **state)
{
	struct fixture *fixture = *state;
	struct cz_call call;
	cz_request_id id;
	uint8_t data[8];
	size_t size = sizeof(data);

	fixture->sim.hook[CZ_GET_VARIABLE] = claim_all;
	cz_prepare_get_variable(&call, u"A", &test_guid, NULL, data, &size);
	size = 4096;
	assert_status(cz_submit(&fixture->cz, &call, &id), CZ_OK);
	assert_status(cz_wait(&fixture->cz, id, &call, LATER), CZ_OK);
	assert_int_equal(size, 8);
}

/* ---- Firmware that writes outside its buffers ---- */

static int64_t stray_offset;

static uint64_t write_astray(struct cz_host *sim, struct cz *cz,
			     const uint64_t *r)
{
	(void)sim;
	(void)cz;
	((volatile uint8_t *)r[4])[stray_offset] = 1;
	return CZ_EFI_SUCCESS;
}

static void writes_past_the_end(void **state)
{
	static const int64_t offsets[] = {8, 4096, -4096, 1 << 20};
	struct fixture *fixture = *state;
	uint8_t data[8];

	fixture->sim.hook[CZ_GET_VARIABLE] = write_astray;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		size_t size = sizeof(data);

		stray_offset = offsets[i];
		assert_status(cz_get_variable(&fixture->cz, u"A", &test_guid,
					      NULL, data, &size, LATER),
			      CZ_E_FAULT);
		for (uint32_t j = 0; j < CZ_NULL_SERVICE; j++) {
			cz_restore(&fixture->cz, (enum cz_service)j);
		}
	}
	assert_true(sim_logged(&fixture->sim, "GetVariable: data abort at "
					      "RuntimeDxe+0x1010"));
}

/* Firmware writes to an argument of a call that has already returned. */
static uint64_t stale_address;

static uint64_t keep_address(struct cz_host *sim, struct cz *cz,
			     const uint64_t *r)
{
	(void)sim;
	(void)cz;
	stale_address = r[0];
	return CZ_EFI_SUCCESS;
}

static uint64_t write_stale(struct cz_host *sim, struct cz *cz,
			    const uint64_t *r)
{
	(void)sim;
	(void)cz;
	(void)r;
	*(volatile uint8_t *)stale_address = 1;
	return CZ_EFI_SUCCESS;
}

static void writes_after_the_return(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;

	fixture->sim.hook[CZ_GET_TIME] = keep_address;
	fixture->sim.hook[CZ_SET_TIME] = write_stale;
	assert_status(cz_get_time(&fixture->cz, &time, NULL, LATER), CZ_OK);
	assert_status(cz_set_time(&fixture->cz, &time, LATER), CZ_E_FAULT);
}

/* ---- Calls that no cz_prepare_*() made ---- */

static cz_status submit_and_release(struct fixture *fixture,
				    const struct cz_call *call)
{
	cz_request_id id;
	cz_status status = cz_submit(&fixture->cz, call, &id);

	if (status == CZ_OK) {
		cz_release(&fixture->cz, id);
	}
	return status;
}

static void hand_made_calls(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_time time;
	struct cz_call sound;
	struct cz_call call;

	cz_prepare_get_time(&sound, &time, NULL);
	call = sound;
	call.service = CZ_SERVICE_COUNT;
	assert_status(submit_and_release(fixture, &call), CZ_E_ARGUMENT);
	call.service = (enum cz_service)(-1);
	assert_status(submit_and_release(fixture, &call), CZ_E_ARGUMENT);
	call = sound;
	call.argument_count = CZ_MAX_ARGUMENTS + 1;
	assert_status(submit_and_release(fixture, &call), CZ_E_ARGUMENT);
	call = sound;
	call.argument[0].kind = 99;
	assert_status(submit_and_release(fixture, &call), CZ_E_ARGUMENT);
	call = sound;
	call.argument[0].pointer = NULL;
	assert_status(submit_and_release(fixture, &call), CZ_E_ARGUMENT);
	/* The data has no size before it, or the size is no 8-byte input and
	 * output. */
	call = sound;
	call.argument[0].kind = CZ_ARGUMENT_DATA;
	assert_status(submit_and_release(fixture, &call), CZ_E_ARGUMENT);
	call.argument[1] = call.argument[0];
	call.argument[0].kind = CZ_ARGUMENT_INOUT;
	call.argument[0].size_bytes = 4;
	assert_status(submit_and_release(fixture, &call), CZ_E_ARGUMENT);
	call.argument[0].kind = CZ_ARGUMENT_OUT;
	call.argument[0].size_bytes = 8;
	assert_status(submit_and_release(fixture, &call), CZ_E_ARGUMENT);
	call = sound;
	call.argument[0].size_bytes = UINT32_MAX;
	assert_status(submit_and_release(fixture, &call), CZ_E_TOO_LARGE);
	/* The arguments together are too large, though each alone is not. */
	call.argument_count = CZ_MAX_ARGUMENTS;
	for (int i = 0; i < CZ_MAX_ARGUMENTS; i++) {
		call.argument[i] = sound.argument[0];
		call.argument[i].size_bytes = 8192;
	}
	assert_status(submit_and_release(fixture, &call), CZ_E_TOO_LARGE);
}

/* Changes a capsule's header after the library has measured the arguments and
 * before it copies them. */
static void check_change(struct fixture *fixture, const struct cz_call *call,
			 struct cz_efi_capsule_header *header,
			 uint32_t header_size)
{
	struct cz_request *request = &fixture->cz.requests[0];
	struct cz_efi_capsule_header sound = *header;
	struct cz_layout layout;

	assert_status(cz_arguments_measure(&fixture->cz, call, &layout), CZ_OK);
	header->header_size = header_size;
	header->capsule_image_size = header_size;
	assert_status(cz_arguments_in(request, call, &layout), CZ_E_ARGUMENT);
	*header = sound;
	assert_status(cz_arguments_in(request, call, &layout), CZ_OK);
	assert_int_equal(request->pages.alias[SIM_PAGE], 0);
}

static void capsules_that_change(void **state)
{
	struct fixture *fixture = *state;
	struct cz_efi_capsule_header header = {
		.guid = test_guid,
		.header_size = sizeof(header),
		.flags = CZ_EFI_CAPSULE_PERSIST_ACROSS_RESET,
		.capsule_image_size = 100,
	};
	const struct cz_efi_capsule_header *list[] = {&header};
	enum cz_efi_reset_type type;
	struct cz_call call;
	uint64_t size;

	cz_prepare_update_capsule(&call, list, 1, 0);
	check_change(fixture, &call, &header, 8000);
	check_change(fixture, &call, &header, 10);
	cz_prepare_query_capsule_capabilities(&call, list, 1, &size, &type);
	check_change(fixture, &call, &header, 8000);
	check_change(fixture, &call, &header, 10);
}

int group_arguments(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(data_ends_at_page_end),
		STARTED(argument_placement),
		STARTED(addresses_rotate),
		STARTED(outputs_are_zeroed),
		STARTED(unwritten_outputs_are_zero),
		STARTED(bad_sizes),
		STARTED(bad_names),
		STARTED(size_is_read_once),
		STARTED(writes_past_the_end),
		STARTED(writes_after_the_return),
		STARTED(hand_made_calls),
		STARTED(capsules_that_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
