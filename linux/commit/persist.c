/* SPDX-License-Identifier: MIT */
#include "commit/persist.h"
#include "commit/store_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define UEFI_VARS_MAGIC 0x0ef1u

/* What the user can do if caesurad cannot write. */
#define BEFORE_LINUX \
	"To change them, use firmware's own menu or shell before Linux starts"
#define BY_THE_KERNEL                                                          \
	"Start the kernel with efi=runtime instead, which lets the kernel "    \
	"call "                                                                \
	"firmware; from Linux 7.3 on the cpumask of its workqueue "            \
	"efi_runtime "                                                         \
	"keeps these calls away from CPUs that have deadlines. --direct does " \
	"not help"

/* ---- Facts ---- */

bool persist_is_shared(const struct cz_efi_memory_descriptor *entry)
{
	switch (entry->type) {
	case CZ_EFI_RUNTIME_SERVICES_CODE:
	case CZ_EFI_RUNTIME_SERVICES_DATA:
	case CZ_EFI_MMIO:
	case CZ_EFI_MMIO_PORT:
		return false;
	default:
		return (entry->attribute & CZ_EFI_MEMORY_RUNTIME) != 0 &&
		       (entry->attribute & CZ_EFI_MEMORY_WB) != 0;
	}
}

bool persist_is_uefi_vars(const struct device *device)
{
	/* The register has 16 bits; the next 16 belong to another one. */
	return (device_read32(device, 0) & 0xffff) == UEFI_VARS_MAGIC;
}

/*
 * EBBR's variable that names the file, as both U-Boot and EDK II store it:
 * GUID, then name. The value follows.
 */
static const struct {
	uint8_t guid[16];
	uint8_t name[36];
} file_variable = {
	{0xc9, 0x5f, 0xac, 0xb2, 0xb7, 0x92, 0xcd, 0x4a, 0xae, 0xac, 0x11, 0xe8,
	 0x18, 0xc3, 0x13, 0x0c},
	{'R', 0, 'T', 0, 'S', 0, 't', 0, 'o', 0, 'r', 0,
	 'a', 0, 'g', 0, 'e', 0, 'V', 0, 'o', 0, 'l', 0,
	 'a', 0, 't', 0, 'i', 0, 'l', 0, 'e', 0, 0,   0},
};

/* Copies only printable characters, because firmware's RAM may hold
 * anything. */
static void take_file(struct persist_facts *facts, const uint8_t *value,
		      size_t room)
{
	size_t used = 0;

	while (used < room && used < sizeof(facts->file) - 1 &&
	       value[used] > ' ' && value[used] < 0x7f) {
		facts->file[used] = (char)value[used];
		used++;
	}
	facts->file[used] = '\0';
	facts->has_file = true;
}

void persist_look(struct persist_facts *facts, const void *ram,
		  size_t size_bytes)
{
	const uint8_t *end = (const uint8_t *)ram + size_bytes;
	const uint8_t *at =
		memmem(ram, size_bytes, &file_variable, sizeof(file_variable));

	if (at != NULL && !facts->has_file) {
		at += sizeof(file_variable);
		take_file(facts, at, (size_t)(end - at));
	}
	facts->ram_has_store = facts->ram_has_store ||
			       store_check_holds_store(ram, size_bytes);
}

/* ---- The decision ---- */

static unsigned long long ull(uint64_t value)
{
	return value;
}

__attribute__((format(printf, 3, 4))) static struct persist
persist(enum persist_place place, enum persist_service service,
	const char *format, ...)
{
	struct persist persist = {.place = place, .service = service};
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(persist.line, sizeof(persist.line), format, arguments);
	va_end(arguments);
	return persist;
}

static struct persist refuse(const struct persist_facts *facts)
{
	if (facts->has_shared_ram) {
		return persist(
			PERSIST_SECURE, PERSIST_REFUSED,
			"firmware shares %llu KiB of RAM at 0x%llx with secure "
			"firmware or a hypervisor, as it does when these keep "
			"the EFI variables. A process can neither share it nor "
			"make the secure call. " BY_THE_KERNEL,
			ull(facts->shared_bytes >> 10),
			ull(facts->shared_address));
	}
	return persist(PERSIST_HOST, PERSIST_REFUSED,
		       "the device at 0x%llx is %s, which keeps the EFI "
		       "variables and reads firmware's messages from the "
		       "machine's RAM; here firmware has a copy of its "
		       "RAM. " BY_THE_KERNEL,
		       ull(facts->host_address), facts->host_device);
}

static struct persist without_flash(const struct persist_facts *facts)
{
	if (facts->has_file) {
		return persist(
			PERSIST_FILE, PERSIST_READ_ONLY,
			"EFI variables persist in the file %s of the EFI "
			"system partition, which the operating system has to "
			"write and caesurad does not: they are read-only "
			"here. " BEFORE_LINUX,
			facts->file);
	}
	if (facts->has_direct) {
		return persist(PERSIST_UNKNOWN, PERSIST_SERVED,
			       "Where EFI variables persist is not known; they "
			       "are writable, because --direct names a device "
			       "that may keep them");
	}
	if (facts->ram_has_store) {
		return persist(
			PERSIST_RAM, PERSIST_READ_ONLY,
			"EFI variables do not persist: firmware keeps them in "
			"RAM only while Linux runs, and no flash chip has "
			"them. They are read-only here. " BEFORE_LINUX);
	}
	return persist(PERSIST_UNKNOWN, PERSIST_READ_ONLY,
		       "No place is known in which EFI variables persist: "
		       "there is neither a flash chip nor a file. They are "
		       "read-only here. " BEFORE_LINUX);
}

static struct persist find_place(const struct persist_facts *facts)
{
	if (facts->chip_has_store) {
		return persist(PERSIST_FLASH, PERSIST_SERVED,
			       "EFI variables persist in the flash chip");
	}
	/* If EDK II has a store in RAM but none in the chip, it uses the chip
	 * for something else. */
	if (facts->has_chip && !facts->ram_has_store && !facts->has_file) {
		return persist(PERSIST_UNKNOWN, PERSIST_SERVED,
			       "EFI variables persist in the flash chip, if "
			       "anywhere: its variable store is of a form that "
			       "caesurad does not know");
	}
	return without_flash(facts);
}

struct persist persist_judge(const struct persist_facts *facts)
{
	struct persist found;

	if (facts->has_shared_ram || facts->host_device != NULL) {
		return refuse(facts);
	}
	found = find_place(facts);
	if (!facts->has_set_variable) {
		return persist(
			found.place, PERSIST_READ_ONLY,
			"Firmware does not let the operating system "
			"write EFI variables (it has no SetVariable at "
			"run time): they are read-only here. " BEFORE_LINUX);
	}
	return found;
}
