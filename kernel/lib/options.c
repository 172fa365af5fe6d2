/* SPDX-License-Identifier: MIT */
/*
 * The command line, cut into words at the first question, which main asks
 * before there are other threads.
 */
#include <kernel/boot_info.h>
#include <kernel/options.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <stddef.h>

static char
	words[BOOT_COMMAND_LINE_BYTES + 1]; /* each ended by a NUL, then "" */
static bool cut;

static const char *first_word(void)
{
	size_t length = 0;

	if (cut) {
		return words;
	}
	for (const char *c = boot_info.command_line; *c != '\0'; c++) {
		if (*c > ' ') {
			words[length++] = *c;
		} else if (length > 0 && words[length - 1] != '\0') {
			words[length++] = '\0';
		}
	}
	cut = true;
	return words;
}

static const char *next_word(const char *word)
{
	return word + strlen(word) + 1;
}

/* What follows the name in its word: "", "=value" or NULL. The last counts. */
static const char *find(const char *name)
{
	size_t length = strlen(name);
	const char *found = NULL;

	for (const char *word = first_word(); *word != '\0';
	     word = next_word(word)) {
		if (strncmp(word, name, length) == 0 &&
		    (word[length] == '\0' || word[length] == '=')) {
			found = word + length;
		}
	}
	return found;
}

const char *option_string(const char *name, const char *fallback)
{
	const char *found = find(name);

	return found != NULL && *found == '=' ? found + 1 : fallback;
}

bool option_present(const char *name)
{
	return find(name) != NULL;
}

/* 16 and above: not a digit. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return (unsigned)(c - '0');
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

static bool parse_number(const char *text, uint64_t *value)
{
	unsigned base = 10;

	if (text[0] == '0' && (text[1] | 0x20) == 'x') {
		base = 16;
		text += 2;
	}
	*value = 0;
	do {
		unsigned digit = digit_value(*text);
		if (digit >= base ||
		    __builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit, value)) {
			return false;
		}
	} while (*++text != '\0');
	return true;
}

uint64_t option_number(const char *name, uint64_t fallback)
{
	const char *text = option_string(name, NULL);
	uint64_t value;

	if (text == NULL) {
		return fallback;
	}
	if (!parse_number(text, &value)) {
		panic("option %s=%s: not a number", name, text);
	}
	return value;
}

const char *option_program(const char *fallback)
{
	for (const char *word = first_word(); *word != '\0';
	     word = next_word(word)) {
		const char *c = word;
		while (*c != '\0' && *c != '=') {
			c++;
		}
		if (*c == '\0') {
			return word;
		}
	}
	return fallback;
}
