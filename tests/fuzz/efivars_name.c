/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the conversion of names of files and variables. The input is a file's
 * name or, if its first byte is odd, a variable's name, and then a value. A
 * name that was parsed must be formatted and parsed again without a change.
 */
#include "efivars/efivars.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 255u /* the longest name of a file */

static void demand(bool held)
{
	if (!held) {
		abort();
	}
}

static void check_again(const struct efivars_name *name)
{
	char text[EFIVARS_FILE_NAME_BYTES];
	struct efivars_name again;
	size_t length = efivars_file_name(name, text);

	demand(strlen(text) == length);
	demand(strchr(text, '/') == NULL);
	if (name->units[0] == 0) {
		demand(efivars_parse_name(text, &again) != 0);
		return;
	}
	demand(efivars_parse_name(text, &again) == 0);
	demand(efivars_guid_equal(&again.guid, &name->guid));
	for (size_t i = 0; name->units[i] != 0 || again.units[i] != 0; i++) {
		demand(again.units[i] == name->units[i] ||
		       (again.units[i] == '!' && name->units[i] == '/'));
	}
}

static void check_rules(const struct efivars_name *name, const uint8_t *bytes,
			size_t size)
{
	uint8_t *value = malloc(size + 1);

	/* The value ends where the allocation does, so that the sanitizer
	 * reports a read past its end. */
	if (value != NULL) {
		memmove(value + 1, bytes, size);
		(void)efivars_is_valid(name, value + 1, size);
	}
	free(value);
	(void)efivars_is_removable(name);
	(void)efivars_is_hidden(name);
}

static size_t read_file_name(const uint8_t *data, size_t size,
			     struct efivars_name *name)
{
	size_t length = size < NAME_BYTES ? size : NAME_BYTES;
	char *text = malloc(length + 1);
	char back[EFIVARS_FILE_NAME_BYTES];

	if (text == NULL) {
		return size;
	}
	memcpy(text, data, length);
	text[length] = 0;
	length = strlen(text);
	if (efivars_parse_name(text, name) == 0 && strchr(text, '/') == NULL) {
		efivars_file_name(name, back);
		demand(efivars_same_file(text, back));
	}
	free(text);
	return length < size ? length + 1 : size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct efivars_name name = {0};
	size_t used;

	if (size == 0) {
		return 0;
	}
	if (data[0] % 2 == 0) {
		used = 1 + read_file_name(data + 1, size - 1, &name);
	} else {
		used = size < 1024 ? size : 1024;
		used -= used % 2;
		memcpy(name.units, data, used);
		name.units[0] = (uint16_t)(name.units[0] >> 8);
		name.units[EFIVARS_NAME_UNITS - 1] = 0;
		name.guid = efivars_global_guid;
	}
	check_again(&name);
	check_rules(&name, data + used, size - used);
	return 0;
}
