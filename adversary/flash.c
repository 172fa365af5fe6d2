/* SPDX-License-Identifier: MIT */
/* Misbehaves in the middle of a write to the flash; see flash.h. */
#include "flash.h"

#include "hang.h"
#include "touch.h"

#define MAX_VOLUMES 4
#define VICTIM_BYTES 64u

typedef uint64_t fvb_write(const void *self, uint64_t block, uint64_t offset,
			   uint64_t *size, const uint8_t *data);

struct fvb {
	void *before_write[5];
	fvb_write *write;
};

/* Each volume has its own hook, because several drivers may provide them. */
static struct {
	struct fvb *fvb;
	fvb_write *next;
} volumes[MAX_VOLUMES];
static uint32_t volume_count;

static uint64_t writes_made;
static uint64_t writes_left;
static _Bool hangs;

static fvb_write *next_of(const void *self)
{
	for (uint32_t i = 0; i < volume_count; i++) {
		if (volumes[i].fvb == self) {
			return volumes[i].next;
		}
	}
	/* This happens while SetVirtualAddressMap runs: firmware has converted
	 * its pointer to the protocol, but fvb is not converted yet. */
	return volumes[0].next;
}

static uint64_t write(const void *self, uint64_t block, uint64_t offset,
		      uint64_t *size, const uint8_t *data)
{
	fvb_write *next = next_of(self);
	uint64_t half = *size / 2;

	writes_made++;
	if (writes_left == 0 || --writes_left != 0) {
		return next(self, block, offset, size, data);
	}
	if (half != 0) {
		(void)next(self, block, offset, &half, data);
	}
	if (hangs) {
		hang(0);
	}
	touch_read(0);
	return CZ_EFI_DEVICE_ERROR;
}

void flash_hook(const struct efi_boot_services *boot)
{
	static const struct cz_efi_guid protocol = {
		0x8f644fa9,
		0xe850,
		0x4db1,
		{0x9c, 0xe2, 0x0b, 0x44, 0x69, 0x8e, 0x8d, 0xa4}};
	void **handles;
	uint64_t count;

	if (boot->locate_handle_buffer(EFI_BY_PROTOCOL, &protocol, NULL, &count,
				       &handles) != CZ_EFI_SUCCESS) {
		return;
	}
	for (uint64_t i = 0; i < count && volume_count < MAX_VOLUMES; i++) {
		void *interface;

		if (boot->handle_protocol(handles[i], &protocol, &interface) !=
		    CZ_EFI_SUCCESS) {
			continue;
		}
		volumes[volume_count].fvb = interface;
		volumes[volume_count].next = volumes[volume_count].fvb->write;
		volumes[volume_count].fvb->write = write;
		volume_count++;
	}
	boot->free_pool(handles);
}

void flash_convert(efi_convert_pointer *convert)
{
	for (uint32_t i = 0; i < volume_count; i++) {
		convert(0, &volumes[i].fvb);
		convert(0, &volumes[i].next);
	}
}

/* Has firmware write a variable of the driver's GUID, or delete it if `size` is
 * 0. */
static uint64_t set_victim(efi_set_variable *set, uint64_t size)
{
	static const struct cz_efi_guid own = ADVERSARY_GUID;
	static const uint8_t pattern[VICTIM_BYTES] = {1, 2, 3};

	return set(ADVERSARY_VICTIM, &own,
		   CZ_EFI_VARIABLE_NON_VOLATILE |
			   CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS |
			   CZ_EFI_VARIABLE_RUNTIME_ACCESS,
		   size, pattern);
}

/* Returns how many Writes firmware makes to create the variable. To count them,
 * it creates the variable and deletes it again; the next creation should take
 * as many. */
static uint64_t count_writes(efi_set_variable *set)
{
	uint64_t count;

	writes_made = 0;
	if (set_victim(set, VICTIM_BYTES) != CZ_EFI_SUCCESS) {
		return 0;
	}
	count = writes_made;
	return set_victim(set, 0) == CZ_EFI_SUCCESS ? count : 0;
}

uint64_t flash_go_wrong(efi_set_variable *set, uint64_t number,
			_Bool hang_there)
{
	uint64_t status;

	if (volume_count == 0) {
		return CZ_EFI_UNSUPPORTED;
	}
	if (number == FLASH_LAST) {
		number = count_writes(set);
		if (number == 0) {
			return CZ_EFI_UNSUPPORTED;
		}
	}
	hangs = hang_there;
	writes_left = number;
	status = set_victim(set, VICTIM_BYTES);
	if (writes_left != 0 && status == CZ_EFI_SUCCESS) {
		status = CZ_EFI_INVALID_PARAMETER;
	}
	writes_left = 0;
	return status;
}
