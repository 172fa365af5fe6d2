/* SPDX-License-Identifier: MIT */
/*
 * Converts names of variables to names of files, and back. Both are untrusted
 * input: users type one, firmware supplies the other.
 */
#include "efivars/efivars.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REPLACEMENT '!' /* stands for '/', which no file name can contain */

bool efivars_guid_equal(const struct cz_efi_guid *a,
			const struct cz_efi_guid *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Formats a GUID as "8be4df61-93ca-11d2-aa0d-00e098032b8c", terminated. */
static void guid_text(const struct cz_efi_guid *guid,
		      char text[EFIVARS_GUID_CHARS + 1])
{
	snprintf(text, EFIVARS_GUID_CHARS + 1,
		 "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", guid->a,
		 guid->b, guid->c, guid->d[0], guid->d[1], guid->d[2],
		 guid->d[3], guid->d[4], guid->d[5], guid->d[6], guid->d[7]);
}

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9') {
		return digit - '0';
	}
	digit = (char)(digit | 0x20);
	if (digit >= 'a' && digit <= 'f') {
		return digit - 'a' + 10;
	}
	return -1;
}

/* Parses EFIVARS_GUID_CHARS characters. */
static bool parse_guid(const char *text, struct cz_efi_guid *guid)
{
	uint8_t bytes[16];
	size_t count = 0;
	size_t at = 0;

	while (at < EFIVARS_GUID_CHARS) {
		int high, low;

		if (at == 8 || at == 13 || at == 18 || at == 23) {
			if (text[at++] != '-') {
				return false;
			}
			continue;
		}
		high = digit_value(text[at]);
		low = digit_value(text[at + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		bytes[count++] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	guid->a = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
		  (uint32_t)bytes[2] << 8 | bytes[3];
	guid->b = (uint16_t)(bytes[4] << 8 | bytes[5]);
	guid->c = (uint16_t)(bytes[6] << 8 | bytes[7]);
	memcpy(guid->d, bytes + 8, sizeof(guid->d));
	return true;
}

/* ---- UTF-8 and UCS-2 ---- */

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Returns how many bytes the character at `text` takes, or 0 if it is
 * malformed, does not fit one unit, or is encoded longer than necessary. */
static size_t decode(const uint8_t *text, size_t left, uint16_t *unit)
{
	uint8_t first = text[0];

	if (first < 0x80) {
		*unit = first;
		return first != 0 ? 1 : 0;
	}
	if ((first & 0xe0) == 0xc0 && left >= 2 && is_continuation(text[1])) {
		*unit = (uint16_t)((first & 0x1f) << 6 | (text[1] & 0x3f));
		return *unit >= 0x80 ? 2 : 0;
	}
	if ((first & 0xf0) == 0xe0 && left >= 3 && is_continuation(text[1]) &&
	    is_continuation(text[2])) {
		*unit = (uint16_t)((first & 0x0f) << 12 |
				   (text[1] & 0x3f) << 6 | (text[2] & 0x3f));
		return *unit >= 0x800 ? 3 : 0;
	}
	return 0;
}

static size_t encode(uint16_t unit, char *text)
{
	if (unit < 0x80) {
		text[0] = (char)(unit == '/' ? REPLACEMENT : unit);
		return 1;
	}
	if (unit < 0x800) {
		text[0] = (char)(0xc0 | unit >> 6);
		text[1] = (char)(0x80 | (unit & 0x3f));
		return 2;
	}
	text[0] = (char)(0xe0 | unit >> 12);
	text[1] = (char)(0x80 | (unit >> 6 & 0x3f));
	text[2] = (char)(0x80 | (unit & 0x3f));
	return 3;
}

static int parse_units(const uint8_t *text, size_t length, uint16_t *units)
{
	size_t count = 0;
	size_t at = 0;

	while (at < length) {
		uint16_t unit = 0;
		size_t taken = decode(text + at, length - at, &unit);

		if (taken == 0) {
			return EINVAL;
		}
		if (count == EFIVARS_NAME_UNITS - 1) {
			return ENAMETOOLONG;
		}
		units[count++] = unit;
		at += taken;
	}
	units[count] = 0;
	return 0;
}

/* ---- Whole names ---- */

int efivars_parse_name(const char *file_name, struct efivars_name *name)
{
	size_t length = strnlen(file_name, EFIVARS_FILE_NAME_BYTES);
	const char *guid;

	if (length == EFIVARS_FILE_NAME_BYTES) {
		return ENAMETOOLONG;
	}
	if (length < EFIVARS_GUID_CHARS + 2) {
		return EINVAL;
	}
	guid = file_name + length - EFIVARS_GUID_CHARS;
	if (guid[-1] != '-' || !parse_guid(guid, &name->guid)) {
		return EINVAL;
	}
	return parse_units((const uint8_t *)file_name,
			   length - EFIVARS_GUID_CHARS - 1, name->units);
}

size_t efivars_file_name(const struct efivars_name *name,
			 char file_name[EFIVARS_FILE_NAME_BYTES])
{
	size_t length = 0;

	for (size_t i = 0; i < EFIVARS_NAME_UNITS - 1 && name->units[i] != 0;
	     i++) {
		length += encode(name->units[i], file_name + length);
	}
	file_name[length++] = '-';
	guid_text(&name->guid, file_name + length);
	return length + EFIVARS_GUID_CHARS;
}

bool efivars_same_file(const char *a, const char *b)
{
	size_t length = strlen(a);
	size_t name;

	if (strlen(b) != length || length < EFIVARS_GUID_CHARS) {
		return false;
	}
	name = length - EFIVARS_GUID_CHARS;
	return memcmp(a, b, name) == 0 && strcasecmp(a + name, b + name) == 0;
}
