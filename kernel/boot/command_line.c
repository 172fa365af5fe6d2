/* SPDX-License-Identifier: MIT */
/*
 * Produces the kernel's command line, an ASCII string of limited length. The
 * source is the image's LoadOptions, UCS-2 text that may have any length and
 * content, or a file if the LoadOptions are empty.
 */
#include "boot.h"
#include <kernel/string.h>

static void put_character(size_t at, unsigned c)
{
	boot_info.command_line[at] = c < ' ' ? ' ' : (c < 0x7f ? (char)c : '?');
}

static void end_line(size_t length, bool is_cut)
{
	while (length > 0 && boot_info.command_line[length - 1] == ' ') {
		length--;
	}
	boot_info.command_line[length] = '\0';
	if (is_cut) {
		boot_note("the command line is too long and was cut");
	}
}

/* Removes the first word if it is the image's name: the LoadOptions that the
 * UEFI shell passes begin with it. */
static void drop_image_name(void)
{
	static const char suffix[] = ".efi";
	char *line = boot_info.command_line;
	size_t length = 0, matching = 0;

	while (line[length] != '\0' && line[length] != ' ') {
		length++;
	}
	while (length >= 4 && matching < 4 &&
	       (line[length - 4 + matching] | ('a' - 'A')) ==
		       (suffix[matching] | ('a' - 'A'))) {
		matching++;
	}
	if (matching < 4) {
		return;
	}
	while (line[length] == ' ') {
		length++;
	}
	memmove(line, line + length, strlen(line + length) + 1);
}

static bool read_load_options(const struct efi_loaded_image *image)
{
	const uint8_t *options = image->load_options;
	size_t available = options != NULL ? image->load_options_size / 2 : 0;
	size_t length = 0;
	bool is_cut = false;

	for (; length < available; length++) {
		/* Reads single bytes, since the options may be unaligned. */
		unsigned c = options[2 * length] |
			     (unsigned)options[2 * length + 1] << 8;
		if (c == 0) {
			break;
		}
		is_cut = length == BOOT_COMMAND_LINE_BYTES - 1;
		if (is_cut) {
			break;
		}
		put_character(length, c);
	}
	end_line(length, is_cut);
	drop_image_name();
	return boot_info.command_line[0] != '\0';
}

static void read_file(const struct boot_context *context,
		      const struct efi_loaded_image *image)
{
	static uint8_t bytes[BOOT_COMMAND_LINE_BYTES];
	size_t size = boot_read_line_file(context, image, bytes, sizeof(bytes));
	bool is_cut = size == sizeof(bytes);

	size -= is_cut;
	for (size_t i = 0; i < size; i++) {
		put_character(i, bytes[i]);
	}
	end_line(size, is_cut);
}

void boot_read_command_line(const struct boot_context *context,
			    const struct efi_loaded_image *image)
{
	if (!read_load_options(image)) {
		read_file(context, image);
	}
}

bool boot_has_option(const char *word)
{
	const char *line = boot_info.command_line;
	size_t length = strlen(word);

	while (*line != '\0') {
		if (strncmp(line, word, length) == 0 &&
		    (line[length] == ' ' || line[length] == '\0')) {
			return true;
		}
		while (*line != ' ' && *line != '\0') {
			line++;
		}
		while (*line == ' ') {
			line++;
		}
	}
	return false;
}
