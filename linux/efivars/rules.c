/* SPDX-License-Identifier: MIT */
/*
 * Rules for variables that are known by name: which ones may be removed while
 * they are not marked mutable, and what a load option looks like. Some firmware
 * does not start any more once one of its own variables is gone. So Linux
 * protects all but a few variables, and caesurad protects the same ones.
 */
#include "efivars/efivars.h"

#include <errno.h>
#include <string.h>

const struct cz_efi_guid efivars_global_guid = {
	0x8be4df61,
	0x93ca,
	0x11d2,
	{0xaa, 0x0d, 0, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};

/* The GUID of dumps of the kernel's log (efi-pstore). */
static const struct cz_efi_guid crash_guid = {
	0xcfc8fc79,
	0xbe2e,
	0x4ddc,
	{0x97, 0xf0, 0x9f, 0x98, 0xbf, 0xe2, 0x98, 0xa0}};

/* The GUID of the boot loader's contribution to the kernel's entropy, which is
 * secret. */
static const struct cz_efi_guid random_seed_guid = {
	0x1ce1e5bc,
	0x7ceb,
	0x42f2,
	{0x81, 0xe5, 0x8a, 0xad, 0xf1, 0x80, 0xf5, 0x7b}};

/* Variables of section 3.3 of the specification that an operating system
 * manages. First whole names, then prefixes, which match more than Boot#### and
 * Driver####. */
static const char *const removable[] = {
	"ConIn", "ConInDev",  "ConOut",	       "ConOutDev",    "ErrOut",
	"Lang",	 "ErrOutDev", "OsIndications", "PlatformLang", "Timeout",
};
static const char load_options[][8] = {"Boot", "Driver"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static size_t name_length(const struct efivars_name *name)
{
	size_t length = 0;

	while (length < EFIVARS_NAME_UNITS && name->units[length] != 0) {
		length++;
	}
	return length;
}

static bool begins_with(const struct efivars_name *name, const char *text)
{
	for (size_t i = 0; text[i] != 0; i++) {
		if (name->units[i] != (uint16_t)text[i]) {
			return false;
		}
	}
	return true;
}

static bool is_named(const struct efivars_name *name, const char *text)
{
	return begins_with(name, text) && name->units[strlen(text)] == 0;
}

bool efivars_is_removable(const struct efivars_name *name)
{
	if (efivars_guid_equal(&name->guid, &crash_guid)) {
		return true;
	}
	if (!efivars_guid_equal(&name->guid, &efivars_global_guid)) {
		return false;
	}
	for (size_t i = 0; i < COUNT(load_options); i++) {
		if (begins_with(name, load_options[i])) {
			return true;
		}
	}
	for (size_t i = 0; i < COUNT(removable); i++) {
		if (is_named(name, removable[i])) {
			return true;
		}
	}
	return false;
}

bool efivars_is_hidden(const struct efivars_name *name)
{
	return efivars_guid_equal(&name->guid, &random_seed_guid);
}

/* ---- Load options: EFI_LOAD_OPTION, section 3.1.3 ---- */

#define OPTION_PATH_BYTES 4u /* offset of the file path list's size */
#define OPTION_DESCRIPTION 6u
#define OPTION_MIN_BYTES 8u

/* EFI_DEVICE_PATH_PROTOCOL, section 10.2 */
#define NODE_BYTES 4u
#define NODE_END 0x7f
#define NODE_END_OLD 0xff /* before EFI 1.10 */
#define NODE_END_ENTIRE 0xff

static size_t read16(const uint8_t *bytes)
{
	return bytes[0] | (size_t)bytes[1] << 8;
}

/* Returns whether nodes follow one another up to one that ends the path. */
static bool is_device_path(const uint8_t *path, size_t size)
{
	size_t at = 0;

	while (size - at >= NODE_BYTES) {
		size_t node = read16(path + at + 2);

		if (node < NODE_BYTES || node > size - at) {
			return false;
		}
		if ((path[at] == NODE_END || path[at] == NODE_END_OLD) &&
		    path[at + 1] == NODE_END_ENTIRE) {
			return true;
		}
		at += node;
	}
	return false;
}

/* Returns the size of a description including its terminator. Without a
 * terminator, the result is larger than `room`. */
static size_t description_bytes(const uint8_t *text, size_t room)
{
	size_t at = 0;

	while (room - at >= 2 && read16(text + at) != 0) {
		at += 2;
	}
	return at + 2;
}

static bool is_load_option(const uint8_t *option, size_t size)
{
	size_t path, description;

	if (size < OPTION_MIN_BYTES) {
		return false;
	}
	path = read16(option + OPTION_PATH_BYTES);
	description = description_bytes(option + OPTION_DESCRIPTION,
					size - OPTION_DESCRIPTION);
	if (OPTION_DESCRIPTION + description + path > size) {
		return false;
	}
	return is_device_path(option + OPTION_DESCRIPTION + description, path);
}

static bool is_digit(uint16_t unit)
{
	return (unit >= '0' && unit <= '9') || (unit >= 'A' && unit <= 'F') ||
	       (unit >= 'a' && unit <= 'f');
}

static bool are_digits(const uint16_t *units, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_digit(units[i])) {
			return false;
		}
	}
	return true;
}

/*
 * Checks only load options. Linux has rules for other names too, but never
 * applies them, because it compares those names including the terminator. A
 * tool that works with efivarfs has to work here as well.
 */
bool efivars_is_valid(const struct efivars_name *name, const void *value,
		      size_t size_bytes)
{
	if (!efivars_guid_equal(&name->guid, &efivars_global_guid)) {
		return true;
	}
	for (size_t i = 0; i < COUNT(load_options); i++) {
		size_t prefix = strlen(load_options[i]);

		if (!begins_with(name, load_options[i]) ||
		    !are_digits(name->units + prefix, 4)) {
			continue;
		}
		return name_length(name) == prefix + 4 &&
		       is_load_option(value, size_bytes);
	}
	return true;
}

/* ---- Statuses ---- */

int efivars_errno(cz_status status)
{
	switch (status) {
	case CZ_EFI_SUCCESS:
		return 0;
	case CZ_EFI_OUT_OF_RESOURCES:
		return ENOSPC;
	case CZ_EFI_WRITE_PROTECTED:
		return EROFS;
	case CZ_EFI_SECURITY_VIOLATION:
		return EACCES;
	case CZ_EFI_NOT_FOUND:
		return ENOENT;
	case CZ_EFI_ABORTED:
	case CZ_E_CANCELLED:
		return EINTR;
	case CZ_E_DEADLINE:
		return ETIMEDOUT;
	case CZ_E_IN_FLIGHT:
		return EINPROGRESS;
	case CZ_E_BUSY:
		return EBUSY;
	case CZ_E_WITHDRAWN:
		return EOPNOTSUPP;
	case CZ_E_TOO_LARGE:
		return EFBIG;
	case CZ_E_NO_MEMORY:
		return ENOMEM;
	case CZ_E_STOPPED:
		return ESHUTDOWN;
	case CZ_EFI_DEVICE_ERROR:
	case CZ_E_FAULT:
	case CZ_E_KILLED:
	case CZ_E_ABORTED:
	case CZ_E_BAD_STATUS:
	case CZ_E_BAD_SIZE:
	case CZ_E_TABLE:
	case CZ_E_HOST:
		return EIO;
	default:
		return EINVAL;
	}
}
