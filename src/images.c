/* SPDX-License-Identifier: MIT */
/*
 * The drivers in firmware's runtime code. Their PE images are found by their
 * headers and named after their debug directories, so that a report can say
 * "RuntimeDxe+0x1234". The images are untrusted input: every offset is checked,
 * and a malformed image is skipped.
 */
#include "core.h"

/* Offsets of the PE format (Microsoft's specification, revision 11). */
#define DOS_BYTES 64u
#define DOS_LFANEW 60u
#define PE_OPTIONAL 24u
#define PE_OPTIONAL_BYTES 20u /* size of the optional header */
#define OPTIONAL_IMAGE_BYTES 56u
#define OPTIONAL_DIRECTORIES_32 92u
#define OPTIONAL_DIRECTORIES_64 108u
#define MAGIC_32 0x10bu
#define MAGIC_64 0x20bu
#define DIRECTORY_DEBUG 6u
#define DEBUG_ENTRY_BYTES 28u
#define DEBUG_TYPE 12u
#define DEBUG_BYTES 16u
#define DEBUG_ADDRESS 20u
#define DEBUG_CODEVIEW 2u
#define MAX_DEBUG_ENTRIES 16u
#define MAX_LFANEW 65536u /* EDK II puts it below a 64 KiB aligned section */

/* The bytes that may be read, from the first byte of an image. */
struct view {
	const uint8_t *bytes;
	uint64_t size;
};

/* Little-endian reads. They return 0 beyond the end of the view. */
static uint32_t get32(const struct view *view, uint64_t at)
{
	uint32_t value = 0;

	if (at <= view->size && view->size - at >= sizeof(value)) {
		memcpy(&value, view->bytes + at, sizeof(value));
	}
	return value;
}

static uint32_t get16(const struct view *view, uint64_t at)
{
	uint16_t value = 0;

	if (at <= view->size && view->size - at >= sizeof(value)) {
		memcpy(&value, view->bytes + at, sizeof(value));
	}
	return value;
}

/* Returns the offset of the optional header; 0 if this is not a PE image. */
static uint64_t optional_header(const struct view *view)
{
	uint32_t pe;
	uint32_t magic;

	if (view->size < DOS_BYTES || get16(view, 0) != 0x5a4d) {
		return 0;
	}
	pe = get32(view, DOS_LFANEW);
	if (pe < DOS_BYTES || pe > MAX_LFANEW || pe % 4 != 0 ||
	    get32(view, pe) != 0x00004550) {
		return 0;
	}
	magic = get16(view, pe + PE_OPTIONAL);
	if ((magic != MAGIC_32 && magic != MAGIC_64) ||
	    get16(view, pe + PE_OPTIONAL_BYTES) < OPTIONAL_IMAGE_BYTES + 4) {
		return 0;
	}
	return pe + PE_OPTIONAL;
}

/* Returns the offset of the path in a CodeView record; 0 if it has none. */
static uint64_t codeview_path(const struct view *view, uint64_t at)
{
	switch (get32(view, at)) {
	case 0x53445352: /* RSDS */
		return at + 24;
	case 0x3031424e: /* NB10 */
		return at + 16;
	case 0x434f544d: /* MTOC */
		return at + 20;
	default:
		return 0;
	}
}

/* Finds the path of the linker's output file, which is at [*at, *end). */
static bool find_path(const struct view *view, uint64_t optional, uint64_t *at,
		      uint64_t *end)
{
	uint64_t directories = optional + (get16(view, optional) == MAGIC_64
						   ? OPTIONAL_DIRECTORIES_64
						   : OPTIONAL_DIRECTORIES_32);
	uint64_t slot = directories + 4 + 8 * DIRECTORY_DEBUG;
	uint64_t entry = get32(view, slot);
	uint32_t count = get32(view, slot + 4) / DEBUG_ENTRY_BYTES;

	if (get32(view, directories) <= DIRECTORY_DEBUG || entry == 0) {
		return false;
	}
	if (count > MAX_DEBUG_ENTRIES) {
		count = MAX_DEBUG_ENTRIES;
	}
	for (; count > 0; count--, entry += DEBUG_ENTRY_BYTES) {
		uint64_t record = get32(view, entry + DEBUG_ADDRESS);
		uint64_t record_end = record + get32(view, entry + DEBUG_BYTES);

		if (get32(view, entry + DEBUG_TYPE) != DEBUG_CODEVIEW ||
		    record == 0 || record_end > view->size) {
			continue;
		}
		*at = codeview_path(view, record);
		*end = record_end;
		if (*at != 0 && *at < *end) {
			return true;
		}
	}
	return false;
}

/* Copies the last component of a path without its extension. Returns false if
 * that is empty. */
static bool copy_name(char *name, size_t room, const uint8_t *path, size_t size)
{
	size_t start = 0;
	size_t end = 0;
	size_t length = 0;

	for (; length < size && path[length] != 0; length++) {
		if (path[length] == '/' || path[length] == '\\') {
			start = length + 1;
			end = start;
		} else if (path[length] == '.') {
			end = length;
		}
	}
	if (end <= start) {
		end = length;
	}
	if (end - start > room - 1) {
		end = start + room - 1;
	}
	for (size_t i = start; i < end; i++) {
		bool plain = path[i] > ' ' && path[i] < 0x7f;

		name[i - start] = plain ? (char)path[i] : '_';
	}
	name[end - start] = 0;
	return end > start;
}

/* Makes a name like "image@47f90000". */
static void name_by_address(char *name, uint64_t physical)
{
	static const char prefix[] = "image@";
	char *at = name + sizeof(prefix) - 1;
	int shift = 60;

	memcpy(name, prefix, sizeof(prefix));
	while (shift > 0 && physical >> shift == 0) {
		shift -= 4;
	}
	for (; shift >= 0; shift -= 4) {
		*at++ = "0123456789abcdef"[physical >> shift & 15];
	}
	*at = 0;
}

/* Reads the image at the start of the view. Returns its size; 0 if there is no
 * image. */
static uint64_t read_image(const struct view *view, uint64_t physical,
			   struct cz_image *image)
{
	uint64_t optional = optional_header(view);
	uint64_t size;
	uint64_t path;
	uint64_t end;

	if (optional == 0) {
		return 0;
	}
	size = get32(view, optional + OPTIONAL_IMAGE_BYTES);
	if (size == 0 || size > view->size) {
		return 0;
	}
	image->physical = physical;
	image->size_bytes = (uint32_t)size;
	if (!find_path(view, optional, &path, &end) ||
	    !copy_name(image->name, sizeof(image->name), view->bytes + path,
		       end - path)) {
		name_by_address(image->name, physical);
	}
	return size;
}

static void scan(struct cz_boot *boot,
		 const struct cz_efi_memory_descriptor *entry)
{
	uint64_t size = entry->number_of_pages * CZ_EFI_PAGE_SIZE;
	uint64_t address = cz_memmap_address(&boot->map, entry);
	struct cz *cz = boot->cz;
	const uint8_t *bytes;
	uint64_t at = 0;

	bytes = cz_host_firmware_alias(cz->host, entry->physical_start, size);
	while (bytes != NULL && at < size && cz->image_count < CZ_MAX_IMAGES) {
		struct view view = {bytes + at, size - at};
		struct cz_image *image = &cz->images[cz->image_count];
		uint64_t image_bytes;

		image_bytes =
			read_image(&view, entry->physical_start + at, image);
		if (image_bytes == 0) {
			at += CZ_EFI_PAGE_SIZE;
			continue;
		}
		image->address = address + at;
		cz->image_count++;
		at += cz_align_up(image_bytes, CZ_EFI_PAGE_SIZE);
	}
}

void cz_images_find(struct cz_boot *boot)
{
	struct cz_efi_memory_descriptor entry;

	for (uint32_t i = 0; i < boot->map.count; i++) {
		if (cz_memmap_entry(&boot->map, i, &entry) &&
		    cz_memmap_is_runtime(&entry) &&
		    entry.type == CZ_EFI_RUNTIME_SERVICES_CODE) {
			scan(boot, &entry);
		}
	}
}
