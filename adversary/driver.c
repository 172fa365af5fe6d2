/* SPDX-License-Identifier: MIT */
/*
 * The driver: puts itself before GetVariable and SetVariable in the runtime
 * services table, answers for the variables of its own GUID and passes
 * everything else on. It works before and after SetVirtualAddressMap.
 */
#include "affinity.h"
#include "efi.h"
#include "leave.h"
#include "registers.h"
#include "touch.h"
#include <stdbool.h>

/* Converted when firmware moves; until then physical. */
static efi_get_variable *next_get_variable;
static efi_set_variable *next_set_variable;
static efi_convert_pointer *convert_pointer;

static struct adversary_registers_record record;
static struct adversary_affinity_record affinity;
static struct adversary_touch_record touched;
struct adversary_leave_order leave_order;

/* One variable: what a write does, and what a read gives. */
struct variable {
	const uint16_t *name;
	uint64_t data_size;
	uint64_t (*set)(const uint8_t *data);
	const void *answer;
	uint64_t answer_size;
};

static void copy(void *to, const void *from, uint64_t size)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	/* A call of memcpy, which there is none of here, has no such barrier. */
	while (size-- > 0) {
		*t++ = *f++;
		__asm__ volatile("" : : : "memory");
	}
}

static uint64_t set_registers(const uint8_t *data)
{
	struct adversary_registers_order order;

	copy(&order, data, sizeof(order));
	record.calls++;
	registers_run(&order, &record);
	return record.kind == ADVERSARY_NONE ? CZ_EFI_SUCCESS : CZ_EFI_ABORTED;
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
	return affinity_run(instructions, &affinity);
}

/* The rest is set_variable_entry()'s. */
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

/* The pointers in it also see to it that the linker writes relocations,
 * without which firmware does not load a runtime driver. */
static const struct variable variables[] = {
	{ADVERSARY_REGISTERS, sizeof(struct adversary_registers_order),
	 set_registers, &record, sizeof(record)},
	{ADVERSARY_SPIN, sizeof(uint64_t), set_spin, NULL, 0},
	{ADVERSARY_MASK_IRQ, sizeof(uint64_t), set_mask_irq, NULL, 0},
	{ADVERSARY_AFFINITY, sizeof(uint64_t), set_affinity, &affinity,
	 sizeof(affinity)},
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

static bool is_ours(const struct cz_efi_guid *guid)
{
	static const struct cz_efi_guid own = ADVERSARY_GUID;
	const uint8_t *a = (const uint8_t *)guid;
	const uint8_t *b = (const uint8_t *)&own;
	bool same = true;

	for (uint32_t i = 0; i < sizeof(own); i++) {
		same = same && a[i] == b[i];
	}
	return same;
}

static uint64_t get_variable(const uint16_t *name,
			     const struct cz_efi_guid *guid,
			     uint32_t *attributes, uint64_t *size, void *data)
{
	if (name == NULL || guid == NULL || size == NULL || !is_ours(guid)) {
		return next_get_variable(name, guid, attributes, size, data);
	}
	const struct variable *variable = find_variable(name);
	if (variable == NULL || variable->answer == NULL) {
		return CZ_EFI_NOT_FOUND;
	}
	uint64_t room = *size;
	*size = variable->answer_size;
	if (room < variable->answer_size) {
		return CZ_EFI_BUFFER_TOO_SMALL;
	}
	if (data == NULL) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	if (attributes != NULL) {
		*attributes = CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS |
			      CZ_EFI_VARIABLE_RUNTIME_ACCESS;
	}
	copy(data, variable->answer, variable->answer_size);
	return CZ_EFI_SUCCESS;
}

uint64_t set_variable(const uint16_t *name, const struct cz_efi_guid *guid,
		      uint32_t attributes, uint64_t size, const void *data)
{
	if (name == NULL || guid == NULL || !is_ours(guid)) {
		return next_set_variable(name, guid, attributes, size, data);
	}
	const struct variable *variable = find_variable(name);
	if (variable == NULL) {
		return CZ_EFI_NOT_FOUND;
	}
	if (size != variable->data_size || data == NULL) {
		return CZ_EFI_INVALID_PARAMETER;
	}
	return variable->set(data);
}

/* Firmware moves the image and the runtime services table by itself; the
 * pointers that were taken at run time are ours to convert. */
static void address_changed(void *event, void *context)
{
	(void)event;
	(void)context;
	convert_pointer(0, &next_get_variable);
	convert_pointer(0, &next_set_variable);
}

uint64_t adversary_entry(void *image, struct cz_efi_system_table *table);

uint64_t adversary_entry(void *image, struct cz_efi_system_table *table)
{
	struct cz_efi_runtime_services *runtime =
		(struct cz_efi_runtime_services *)table->runtime_services;
	struct efi_boot_services *boot =
		(struct efi_boot_services *)table->boot_services;
	void *event;

	(void)image;
	convert_pointer = (efi_convert_pointer *)runtime->convert_pointer;
	uint64_t status = boot->create_event(EFI_EVENT_VIRTUAL_ADDRESS_CHANGE,
					     EFI_TPL_NOTIFY, address_changed,
					     NULL, &event);
	if (status != CZ_EFI_SUCCESS) {
		return status;
	}
	next_get_variable = (efi_get_variable *)runtime->get_variable;
	next_set_variable = (efi_set_variable *)runtime->set_variable;
	runtime->get_variable = (uintptr_t)get_variable;
	runtime->set_variable = (uintptr_t)set_variable_entry;
	runtime->header.crc32 = 0;
	uint32_t crc;
	boot->calculate_crc32(runtime, runtime->header.header_size, &crc);
	runtime->header.crc32 = crc;
	return CZ_EFI_SUCCESS;
}
