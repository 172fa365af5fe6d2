/* SPDX-License-Identifier: MIT */
/*
 * EDK II with its variables in RAM only, as on a Raspberry Pi or with Xen. The
 * firmware volume block protocol below EDK II's own variable driver works on
 * runtime data memory, which starts as a copy of the flash chip. The chip is
 * taken out of the runtime memory map.
 */
#include "attributes.h"
#include "drivers.h"

#include <stdbool.h>

#define ALL_ONES 0xffu
#define LBA_END UINT64_MAX
#define VOLUME_FILE_SYSTEM 16
#define VOLUME_BYTES 32

/* EFI_FIRMWARE_VOLUME_BLOCK2_PROTOCOL */
struct fvb {
	void *get_attributes, *set_attributes;
	uint64_t (*get_physical_address)(const struct fvb *self,
					 uint64_t *address);
	uint64_t (*get_block_size)(const struct fvb *self, uint64_t block,
				   uint64_t *block_bytes, uint64_t *count);
	uint64_t (*read)(const struct fvb *self, uint64_t block,
			 uint64_t offset, uint64_t *size, void *into);
	uint64_t (*write)(const struct fvb *self, uint64_t block,
			  uint64_t offset, uint64_t *size, const void *data);
	/* Variadic in C. With at most three pairs, all of its arguments are in
	 * registers. */
	uint64_t (*erase)(const struct fvb *self, uint64_t block,
			  uint64_t count, uint64_t block2, uint64_t count2,
			  uint64_t block3, uint64_t count3, uint64_t end);
};

static uint8_t *store;
static uint64_t store_bytes, block_bytes;
static efi_convert_pointer *convert_pointer;

static bool is_inside(uint64_t block, uint64_t offset, uint64_t size)
{
	uint64_t at = block * block_bytes + offset;

	return block < store_bytes / block_bytes && offset < block_bytes &&
	       size <= store_bytes - at;
}

static uint64_t read(const struct fvb *self, uint64_t block, uint64_t offset,
		     uint64_t *size, void *into)
{
	(void)self;
	if (!is_inside(block, offset, *size)) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	copy(into, store + block * block_bytes + offset, *size);
	return CZ_EFI_SUCCESS;
}

static uint64_t write(const struct fvb *self, uint64_t block, uint64_t offset,
		      uint64_t *size, const void *data)
{
	(void)self;
	if (!is_inside(block, offset, *size)) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	copy(store + block * block_bytes + offset, data, *size);
	return CZ_EFI_SUCCESS;
}

static bool erase_blocks(uint64_t block, uint64_t count)
{
	volatile uint8_t *at = store + block * block_bytes;

	if (!is_inside(block, 0, count * block_bytes)) {
		return false;
	}
	for (uint64_t i = 0; i < count * block_bytes; i++) {
		at[i] = ALL_ONES;
	}
	return true;
}

static uint64_t erase(const struct fvb *self, uint64_t block, uint64_t count,
		      uint64_t block2, uint64_t count2, uint64_t block3,
		      uint64_t count3, uint64_t end)
{
	const uint64_t pairs[] = {block,  count,  block2, count2,
				  block3, count3, end};

	(void)self;
	for (uint32_t i = 0; i < 6 && pairs[i] != LBA_END; i += 2) {
		if (!erase_blocks(pairs[i], pairs[i + 1])) {
			return CZ_EFI_INVALID_PARAMETER;
		}
	}
	return CZ_EFI_SUCCESS;
}

/* Firmware itself converts the pointers in its protocol structure. */
static void address_changed(void *event, void *context)
{
	(void)event;
	(void)context;
	convert_pointer(0, &store);
}

static void boot_services_end(void *event, void *context)
{
	(void)event;
	(void)context;
	attributes_publish();
}

/* Returns whether the volume holds variables, and sets its address, at which
 * its bytes can be read. */
static bool holds_variables(const struct fvb *fvb, uint64_t *address)
{
	static const struct cz_efi_guid variables = {
		0xfff12b8d,
		0x7696,
		0x4c8b,
		{0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50}};

	return fvb->get_physical_address(fvb, address) == CZ_EFI_SUCCESS &&
	       same_guid((void *)(uintptr_t)(*address + VOLUME_FILE_SYSTEM),
			 &variables);
}

static struct fvb *find_volume(const struct efi_boot_services *boot,
			       uint64_t *address)
{
	static const struct cz_efi_guid protocol = {
		0x8f644fa9,
		0xe850,
		0x4db1,
		{0x9c, 0xe2, 0x0b, 0x44, 0x69, 0x8e, 0x8d, 0xa4}};
	struct fvb *found = NULL;
	void **handles;
	uint64_t count;

	if (boot->locate_handle_buffer(EFI_BY_PROTOCOL, &protocol, NULL, &count,
				       &handles) != CZ_EFI_SUCCESS) {
		return NULL;
	}
	for (uint64_t i = 0; i < count && found == NULL; i++) {
		void *interface;

		if (boot->handle_protocol(handles[i], &protocol, &interface) ==
			    CZ_EFI_SUCCESS &&
		    holds_variables(interface, address)) {
			found = interface;
		}
	}
	boot->free_pool(handles);
	return found;
}

static bool copy_volume(const struct efi_boot_services *boot,
			const struct fvb *fvb, uint64_t address)
{
	uint64_t count, room;

	copy(&store_bytes, (void *)(uintptr_t)(address + VOLUME_BYTES),
	     sizeof(store_bytes));
	if (fvb->get_block_size(fvb, 0, &block_bytes, &count) !=
		    CZ_EFI_SUCCESS ||
	    boot->allocate_pages(
		    EFI_ALLOCATE_ANY_PAGES, CZ_EFI_RUNTIME_SERVICES_DATA,
		    store_bytes / CZ_EFI_PAGE_SIZE, &room) != CZ_EFI_SUCCESS) {
		return false;
	}
	store = (uint8_t *)(uintptr_t)room;
	copy(store, (void *)(uintptr_t)address, store_bytes);
	return true;
}

static const struct dxe_services *
find_dxe_services(const struct cz_efi_system_table *table)
{
	static const struct cz_efi_guid guid = {
		0x05ad34ba,
		0x6f02,
		0x4214,
		{0x95, 0x2e, 0x4d, 0xa0, 0x39, 0x8e, 0x2b, 0xb9}};
	const struct cz_efi_configuration_table *entry =
		(void *)(uintptr_t)table->configuration_table;

	for (uint64_t i = 0; i < table->number_of_table_entries; i++) {
		if (same_guid(&entry[i].guid, &guid)) {
			return (void *)(uintptr_t)entry[i].table;
		}
	}
	return NULL;
}

/* Removes the runtime attribute from the chip, so that the kernel does not see
 * the chip in the runtime memory map. */
static uint64_t hide_chip(const struct cz_efi_system_table *table,
			  uint64_t address)
{
	const struct dxe_services *dxe = find_dxe_services(table);
	struct dxe_descriptor chip;
	uint64_t status = CZ_EFI_NOT_FOUND;

	if (dxe != NULL) {
		status = dxe->get_memory_space_descriptor(address, &chip);
	}
	return status != CZ_EFI_SUCCESS
		       ? status
		       : dxe->set_memory_space_attributes(
				 chip.base, chip.size_bytes,
				 chip.attributes & ~CZ_EFI_MEMORY_RUNTIME);
}

static uint64_t create_events(const struct cz_efi_system_table *table)
{
	const struct efi_boot_services *boot =
		(void *)(uintptr_t)table->boot_services;
	const struct cz_efi_runtime_services *runtime =
		(void *)(uintptr_t)table->runtime_services;
	void *event;
	uint64_t status;

	convert_pointer = (efi_convert_pointer *)runtime->convert_pointer;
	status = boot->create_event(EFI_EVENT_VIRTUAL_ADDRESS_CHANGE,
				    EFI_TPL_NOTIFY, address_changed, NULL,
				    &event);
	return status != CZ_EFI_SUCCESS
		       ? status
		       : boot->create_event(EFI_EVENT_EXIT_BOOT_SERVICES,
					    EFI_TPL_CALLBACK, boot_services_end,
					    NULL, &event);
}

uint64_t keep_in_ram(struct cz_efi_system_table *table)
{
	const struct efi_boot_services *boot =
		(void *)(uintptr_t)table->boot_services;
	uint64_t address, status;
	struct fvb *fvb = find_volume(boot, &address);

	if (fvb == NULL || !copy_volume(boot, fvb, address)) {
		return CZ_EFI_NOT_FOUND;
	}
	status = create_events(table);
	if (status != CZ_EFI_SUCCESS) {
		return status;
	}
	fvb->read = read;
	fvb->write = write;
	fvb->erase = erase;
	attributes_reserve(table);
	return hide_chip(table, address);
}
