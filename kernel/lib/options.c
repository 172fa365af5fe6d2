/* SPDX-License-Identifier: MIT */
/*
 * The options on the command line. The first query splits the line into words;
 * main makes it before other threads exist, so no lock is needed.
 */
#include <kernel/boot_info.h>
#include <kernel/options.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <stddef.h>

/* Each word ends with a NUL; an empty word ends the list. */
static char words[BOOT_COMMAND_LINE_BYTES + 1];
static bool is_split;

static const char *first_word(void)
{
	size_t length = 0;

	if (is_split) {
		return words;
	}
	for (const char *c = boot_info.command_line; *c != '\0'; c++) {
		if (*c > ' ') {
			words[length++] = *c;
		} else if (length > 0 && words[length - 1] != '\0') {
			words[length++] = '\0';
		}
	}
	is_split = true;
	return words;
}

static const char *next_word(const char *word)
{
	return word + strlen(word) + 1;
}

/* Returns what follows the option's name: "" or "=value"; NULL if the option is
 * absent. If it appears several times, the last one counts. */
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

/* Returns the value of a hexadecimal digit, or 16 if `c` is none. */
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

/* ---- rules ---- */

static bool applies_to(const struct option_rule *rule, const char *program)
{
	return rule->program == NULL || strcmp(rule->program, program) == 0;
}

/* Returns the rule for the option named by the first `length` characters of
 * `word`, or NULL. */
static const struct option_rule *rule_of(const char *program, const char *word,
					 size_t length)
{
	for (size_t i = 0; i < option_rule_count; i++) {
		const struct option_rule *rule = &option_rules[i];

		if (applies_to(rule, program) && strlen(rule->name) == length &&
		    strncmp(rule->name, word, length) == 0) {
			return rule;
		}
	}
	return NULL;
}

static bool is_among(const char *value, const char *choices)
{
	size_t length = strlen(value);

	while (true) {
		if (length > 0 && strncmp(choices, value, length) == 0 &&
		    (choices[length] == '|' || choices[length] == '\0')) {
			return true;
		}
		while (*choices != '|') {
			if (*choices++ == '\0') {
				return false;
			}
		}
		choices++;
	}
}

/* Returns whether the option keeps its rule, and logs an error if not. `value`
 * is the text after '=', or NULL if there is no '='. */
static bool keeps_rule(const struct option_rule *rule, const char *word,
		       const char *value)
{
	uint64_t number;

	if (rule->kind == OPTION_FLAG && value != NULL) {
		kprintf("error: %s: takes no value\n", word);
		return false;
	}
	if (rule->kind != OPTION_FLAG && value == NULL) {
		kprintf("error: %s: takes a value\n", word);
		return false;
	}
	if (rule->kind == OPTION_WORD && !is_among(value, rule->words)) {
		kprintf("error: %s: not one of %s\n", word, rule->words);
		return false;
	}
	if (rule->kind == OPTION_NUMBER &&
	    (!parse_number(value, &number) || number < rule->least ||
	     number > rule->most)) {
		kprintf("error: %s: not a number in %llu..%llu\n", word,
			(unsigned long long)rule->least,
			(unsigned long long)rule->most);
		return false;
	}
	return true;
}

static void refuse(const char *program, const char *word)
{
	kprintf("error: %s: no such option of %s; the options are:\n", word,
		program);
	for (size_t i = 0; i < option_rule_count; i++) {
		const struct option_rule *rule = &option_rules[i];

		if (applies_to(rule, program)) {
			kprintf("error:   %s%s\n", rule->name,
				rule->kind == OPTION_FLAG ? "" : "=");
		}
	}
}

static bool check_word(const char *program, const char *word)
{
	const struct option_rule *rule;
	size_t length = 0;

	while (word[length] != '\0' && word[length] != '=') {
		length++;
	}
	rule = rule_of(program, word, length);
	if (rule == NULL) {
		refuse(program, word);
		return false;
	}
	return keeps_rule(rule, word,
			  word[length] == '=' ? word + length + 1 : NULL);
}

bool options_check(const char *program)
{
	const char *named = option_program(NULL);

	for (const char *word = first_word(); *word != '\0';
	     word = next_word(word)) {
		if (word != named && !check_word(program, word)) {
			return false;
		}
	}
	return true;
}
