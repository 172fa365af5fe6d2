/* SPDX-License-Identifier: MIT */
/*
 * Tests the adversary's FlashFault and FlashHang on simulated firmware that
 * makes different numbers of writes to the flash: which write goes wrong, and
 * which status is returned if there is no such write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flash.h"
#include "hang.h"
#include "touch.h"

#define MAX_WRITES 16
#define WRITE_BYTES 32

/* The firmware volume block protocol, as the driver finds it. */
struct volume {
	void *before_write[5];
	uint64_t (*write)(const void *self, uint64_t block, uint64_t offset,
			  uint64_t *size, const uint8_t *data);
};

/* Simulated firmware. It makes writes_each writes for a new variable, and one
 * for a deletion. */
static struct {
	struct volume volume;
	uint64_t writes_each;
	uint64_t sizes[MAX_WRITES]; /* of the writes of all calls, in bytes */
	uint64_t writes;
	bool exists; /* whether the variable does */
	uint64_t wrong_at; /* the number, from 1, of the wrong write; 0: none */
	bool hung;
} machine;

/* A hang returns here, and a read of address 0 does not fault. */
uint64_t hang(uint64_t unused)
{
	machine.hung = true;
	return unused;
}

void touch_read(uint64_t address)
{
	assert_int_equal(address, 0);
	machine.wrong_at = machine.writes;
}

static uint64_t write(const void *self, uint64_t block, uint64_t offset,
		      uint64_t *size, const uint8_t *data)
{
	(void)block;
	(void)offset;
	(void)data;
	assert_ptr_equal(self, &machine.volume);
	assert_true(machine.writes < MAX_WRITES);
	machine.sizes[machine.writes++] = *size;
	return CZ_EFI_SUCCESS;
}

static uint64_t set_variable(const uint16_t *name,
			     const struct cz_efi_guid *guid,
			     uint32_t attributes, uint64_t size,
			     const void *data)
{
	static const uint8_t bytes[WRITE_BYTES];
	uint64_t count = size == 0 ? 1 : machine.writes_each;

	assert_int_equal(name[0], 'V');
	assert_non_null(guid);
	assert_int_equal(attributes, 7);
	assert_non_null(data);
	assert_int_equal(machine.exists, size == 0);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t length = sizeof(bytes);
		uint64_t status = machine.volume.write(&machine.volume, 0, i,
						       &length, bytes);

		if (status != CZ_EFI_SUCCESS) {
			return status;
		}
	}
	machine.exists = size != 0;
	return CZ_EFI_SUCCESS;
}

static uint64_t locate_handle_buffer(uint32_t how,
				     const struct cz_efi_guid *protocol,
				     void *key, uint64_t *count,
				     void ***handles)
{
	static void *one[1] = {&machine};

	(void)protocol;
	assert_int_equal(how, EFI_BY_PROTOCOL);
	assert_null(key);
	*count = 1;
	*handles = one;
	return CZ_EFI_SUCCESS;
}

static uint64_t handle_protocol(void *handle,
				const struct cz_efi_guid *protocol,
				void **interface)
{
	(void)protocol;
	assert_ptr_equal(handle, &machine);
	*interface = &machine.volume;
	return CZ_EFI_SUCCESS;
}

static uint64_t free_pool(void *pool)
{
	assert_non_null(pool);
	return CZ_EFI_SUCCESS;
}

/* The driver is loaded once, as in a boot. */
static void load(uint64_t writes_each)
{
	static bool loaded;
	static const struct efi_boot_services boot = {
		.locate_handle_buffer = locate_handle_buffer,
		.handle_protocol = handle_protocol,
		.free_pool = free_pool,
	};

	if (!loaded) {
		assert_int_equal(flash_go_wrong(set_variable, 1, false),
				 CZ_EFI_UNSUPPORTED);
		machine.volume.write = write;
		flash_hook(&boot);
		loaded = true;
	}
	machine.writes_each = writes_each;
	machine.writes = 0;
	machine.wrong_at = 0;
	machine.exists = false;
	machine.hung = false;
}

/* AAVMF 2022 makes four writes, AAVMF 2025 makes two. */
static void the_last_write_goes_wrong_for_any_number_of_writes(void **state)
{
	(void)state;
	for (uint64_t writes = 1; writes <= 4; writes++) {
		load(writes);
		assert_int_equal(
			flash_go_wrong(set_variable, FLASH_LAST, false),
			CZ_EFI_DEVICE_ERROR);
		/* One call counts the writes, one deletes the variable, and the
		 * third one goes wrong. */
		assert_int_equal(machine.wrong_at, writes + 1 + writes);
		assert_int_equal(machine.sizes[machine.wrong_at - 1],
				 WRITE_BYTES / 2);
		assert_false(machine.hung);
		load(writes);
		flash_go_wrong(set_variable, FLASH_LAST, true);
		assert_true(machine.hung);
	}
}

static void a_write_is_selected_by_its_number(void **state)
{
	(void)state;
	load(4);
	assert_int_equal(flash_go_wrong(set_variable, 3, false),
			 CZ_EFI_DEVICE_ERROR);
	assert_int_equal(machine.wrong_at, 3);
	assert_int_equal(machine.sizes[0], WRITE_BYTES);
	assert_int_equal(machine.sizes[2], WRITE_BYTES / 2);
}

static void a_number_without_a_write_is_refused(void **state)
{
	(void)state;
	load(2);
	assert_int_equal(flash_go_wrong(set_variable, 4, false),
			 CZ_EFI_INVALID_PARAMETER);
	assert_int_equal(machine.wrong_at, 0);
	/* The next calls do not go wrong either. */
	assert_int_equal(set_variable(ADVERSARY_VICTIM,
				      &(struct cz_efi_guid)ADVERSARY_GUID, 7, 0,
				      ""),
			 CZ_EFI_SUCCESS);
	assert_int_equal(set_variable(ADVERSARY_VICTIM,
				      &(struct cz_efi_guid)ADVERSARY_GUID, 7, 1,
				      ""),
			 CZ_EFI_SUCCESS);
	assert_int_equal(machine.wrong_at, 0);
	load(0);
	assert_int_equal(flash_go_wrong(set_variable, FLASH_LAST, false),
			 CZ_EFI_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_last_write_goes_wrong_for_any_number_of_writes),
		cmocka_unit_test(a_write_is_selected_by_its_number),
		cmocka_unit_test(a_number_without_a_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
