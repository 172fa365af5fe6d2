/* SPDX-License-Identifier: MIT */
/*
 * The driver hooks GetVariable and SetVariable in the runtime services table.
 * It handles the variables of its own GUID and passes all other calls on to
 * firmware. It works before and after SetVirtualAddressMap.
 */
#include "affinity.h"
#include "attributes.h"
#include "flash.h"
#include "leave.h"
#include "misbehave.h"
#include "registers.h"
#include "touch.h"
#include <stdbool.h>

/* The addresses in it are physical until SetVirtualAddressMap converts them. */
struct driver driver;
static efi_convert_pointer *convert_pointer;
/* The exception level at SetVirtualAddressMap. Only the read matters; see
 * address_changed(). */
static uint64_t exception_level;

struct adversary_registers_record registers_record;
struct adversary_affinity_record affinity_record;
static struct adversary_touch_record touched;
struct adversary_leave_order leave_order;

/* A variable: the function that a write calls, and the data that a read
 * returns. */
struct variable {
	const uint16_t *name;
	uint64_t data_size;
	uint64_t (*set)(const uint8_t *data);
	const void *answer;
	uint64_t answer_size;
};

static uint64_t set_registers(const uint8_t *data)
{
	struct adversary_registers_order order;

	copy(&order, data, sizeof(order));
	registers_record.calls++;
	registers_run(&order, &registers_record);
	return registers_record.kind == ADVERSARY_NONE ? CZ_EFI_SUCCESS
						       : CZ_EFI_ABORTED;
}

static uint64_t set_spin(const uint8_t *data)
{
	uint64_t iterations;

	copy(&iterations, data, sizeof(iterations));
	spin_loop(iterations);
	return CZ_EFI_SUCCESS;
}

static uint64_t set_mask_irq(const uint8_t *data)
{
	uint64_t instructions;

	copy(&instructions, data, sizeof(instructions));
	mask_loop(instructions / 2);
	return CZ_EFI_SUCCESS;
}

static uint64_t set_affinity(const uint8_t *data)
{
	uint64_t instructions;

	copy(&instructions, data, sizeof(instructions));
	return affinity_run(instructions, &affinity_record);
}

/* Stores the order. set_variable_entry() does the damage on its way out, except
 * for the word on the stack. */
static uint64_t set_leave(const uint8_t *data)
{
	copy(&leave_order, data, sizeof(leave_order));
	if ((leave_order.what >> ADVERSARY_LEAVE_STACK & 1) != 0) {
		*(volatile uint64_t *)(uintptr_t)leave_order.stack = 0;
	}
	return CZ_EFI_SUCCESS;
}

static uint64_t set_touch(const uint8_t *data)
{
	struct adversary_touch_order order;

	copy(&order, data, sizeof(order));
	return touch_run(&order, (uintptr_t)data, &touched)
		       ? CZ_EFI_SUCCESS
		       : CZ_EFI_INVALID_PARAMETER;
}

/* Firmware does not load a runtime driver without relocations. The pointers in
 * this table make the linker write some. */
static const struct variable variables[] = {
	{ADVERSARY_REGISTERS, sizeof(struct adversary_registers_order),
	 set_registers, &registers_record, sizeof(registers_record)},
	{ADVERSARY_SPIN, sizeof(uint64_t), set_spin, NULL, 0},
	{ADVERSARY_MASK_IRQ, sizeof(uint64_t), set_mask_irq, NULL, 0},
	{ADVERSARY_AFFINITY, sizeof(uint64_t), set_affinity, &affinity_record,
	 sizeof(affinity_record)},
	{ADVERSARY_LEAVE, sizeof(struct adversary_leave_order), set_leave, NULL,
	 0},
	{ADVERSARY_TOUCH, sizeof(struct adversary_touch_order), set_touch,
	 &touched, sizeof(touched)},
};

static bool same_name(const uint16_t *a, const uint16_t *b)
{
	while (*a == *b && *a != 0) {
		a++;
		b++;
	}
	return *a == *b;
}

static const struct variable *find_variable(const uint16_t *name)
{
	for (uint32_t i = 0; i < sizeof(variables) / sizeof(variables[0]);
	     i++) {
		if (same_name(name, variables[i].name)) {
			return &variables[i];
		}
	}
	return NULL;
}

static bool is_ours(const uint16_t *name, const struct cz_efi_guid *guid)
{
	static const struct cz_efi_guid own = ADVERSARY_GUID;

	return same_guid(guid, &own) && !same_name(name, ADVERSARY_VICTIM);
}

static uint64_t give(const void *answer, uint64_t answer_size,
		     uint32_t *attributes, uint64_t *size, void *data)
{
	uint64_t room = *size;

	*size = answer_size;
	if (room < answer_size) {
		return CZ_EFI_BUFFER_TOO_SMALL;
	}
	if (data == NULL) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	if (attributes != NULL) {
		*attributes = CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS |
			      CZ_EFI_VARIABLE_RUNTIME_ACCESS;
	}
	if (answer != NULL) {
		copy(data, answer, answer_size);
	} else {
		misbehave_list(data, room);
	}
	return CZ_EFI_SUCCESS;
}

uint64_t get_variable(const uint16_t *name, const struct cz_efi_guid *guid,
		      uint32_t *attributes, uint64_t *size, void *data)
{
	misbehave_later();
	if (name == NULL || guid == NULL || size == NULL ||
	    !is_ours(name, guid)) {
		return driver.next_get_variable(name, guid, attributes, size,
						data);
	}
	const struct variable *variable = find_variable(name);
	if (variable != NULL && variable->answer != NULL) {
		return give(variable->answer, variable->answer_size, attributes,
			    size, data);
	}
	if (same_name(name, ADVERSARY_LIST)) {
		return give(NULL, misbehave_list(NULL, 0), attributes, size,
			    data);
	}
	const struct caller caller = {true, data, *size, size};
	return misbehave(name, &caller);
}

uint64_t set_variable(const uint16_t *name, const struct cz_efi_guid *guid,
		      uint32_t attributes, uint64_t size, const void *data)
{
	misbehave_later();
	if (name == NULL || guid == NULL || !is_ours(name, guid)) {
		return driver.next_set_variable(name, guid, attributes, size,
						data);
	}
	const struct variable *variable = find_variable(name);
	const struct caller caller = {false, (uint8_t *)data, size, NULL};
	if (variable == NULL) {
		return misbehave(name, &caller);
	}
	if (size != variable->data_size || data == NULL) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	return variable->set(data);
}

/* Returns the address of the first one-page device in the memory map that
 * firmware uses at run time; 0 if there is none. */
static uint64_t find_device(const struct efi_boot_services *boot)
{
	uint64_t size = 0, key, stride = 0, device = 0;
	uint32_t version;
	void *map;

	(void)boot->get_memory_map(&size, NULL, &key, &stride, &version);
	size += 8 * stride; /* the allocation of the buffer adds entries */
	if (stride == 0 || boot->allocate_pool(CZ_EFI_BOOT_SERVICES_DATA, size,
					       &map) != CZ_EFI_SUCCESS) {
		return 0;
	}
	if (boot->get_memory_map(&size, map, &key, &stride, &version) !=
	    CZ_EFI_SUCCESS) {
		size = 0;
	}
	for (uint64_t at = 0; at + stride <= size && device == 0;
	     at += stride) {
		const struct cz_efi_memory_descriptor *entry =
			(void *)((uint8_t *)map + at);
		/* A flash is larger. It is not used, because reading it may
		 * have side effects. */
		if (entry->type == CZ_EFI_MMIO &&
		    (entry->attribute & CZ_EFI_MEMORY_RUNTIME) != 0 &&
		    entry->number_of_pages == 1) {
			device = entry->physical_start;
		}
	}
	boot->free_pool(map);
	return device;
}

/* Firmware itself relocates the image and converts the runtime services
 * table. This function converts the pointers that the driver has stored at
 * run time. */
static void address_changed(void *event, void *context)
{
	(void)event;
	(void)context;
	convert_pointer(0, &driver.next_get_variable);
	convert_pointer(0, &driver.next_set_variable);
	convert_pointer(0, &driver.runtime);
	if (driver.device != 0) {
		convert_pointer(0, &driver.device);
	}
	flash_convert(convert_pointer);
	/* In the sandbox, at EL0, this traps while the pc is still physical,
	 * which tests the emulation in that situation. */
	__asm__ volatile("mrs %0, CurrentEL" : "=r"(exception_level));
}

static void boot_services_end(void *event, void *context)
{
	(void)event;
	(void)context;
	attributes_publish();
}

static uint64_t create_events(const struct efi_boot_services *boot)
{
	void *event;
	uint64_t status = boot->create_event(EFI_EVENT_VIRTUAL_ADDRESS_CHANGE,
					     EFI_TPL_NOTIFY, address_changed,
					     NULL, &event);

	if (status != CZ_EFI_SUCCESS) {
		return status;
	}
	return boot->create_event(EFI_EVENT_EXIT_BOOT_SERVICES,
				  EFI_TPL_CALLBACK, boot_services_end, NULL,
				  &event);
}

static void hook(const struct efi_boot_services *boot)
{
	struct cz_efi_runtime_services *runtime = driver.runtime;
	uint32_t crc;

	driver.next_get_variable = (efi_get_variable *)runtime->get_variable;
	driver.next_set_variable = (efi_set_variable *)runtime->set_variable;
	runtime->get_variable = (uintptr_t)get_variable_entry;
	runtime->set_variable = (uintptr_t)set_variable_entry;
	runtime->header.crc32 = 0;
	boot->calculate_crc32(runtime, runtime->header.header_size, &crc);
	runtime->header.crc32 = crc;
}

uint64_t adversary_entry(void *image, struct cz_efi_system_table *table);

uint64_t adversary_entry(void *image, struct cz_efi_system_table *table)
{
	const struct efi_boot_services *boot =
		(struct efi_boot_services *)table->boot_services;
	uint64_t status;

	(void)image;
	driver.runtime =
		(struct cz_efi_runtime_services *)table->runtime_services;
	convert_pointer =
		(efi_convert_pointer *)driver.runtime->convert_pointer;
	status = create_events(boot);
	if (status != CZ_EFI_SUCCESS) {
		return status;
	}
	driver.device = find_device(boot);
	flash_hook(boot);
	attributes_reserve(table);
	hook(boot);
	return CZ_EFI_SUCCESS;
}
