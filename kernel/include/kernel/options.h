/* SPDX-License-Identifier: MIT */
/*
 * The command line: words "name", "name=value", separated by blanks. The first
 * word without '=' names the program to run.
 */
#ifndef KERNEL_OPTIONS_H
#define KERNEL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an option may be. */
enum option_kind {
	OPTION_FLAG, /* NAME */
	OPTION_WORD, /* NAME=WORD, one of `words` */
	OPTION_NUMBER, /* NAME=N, from `least` to `most` */
	OPTION_TEXT, /* NAME=anything: the program judges it */
};

struct option_rule {
	const char *program; /* NULL: of every program */
	const char *name;
	enum option_kind kind;
	const char *words; /* "first|second|…" */
	uint64_t least, most;
};

/* Every option that there is: programs/lib/options.c. */
extern const struct option_rule option_rules[];
extern const size_t option_rule_count;

/* Whether each word is the program's name or keeps one of its rules; logs the
 * first that does not, and why. To be asked before any value is. */
bool options_check(const char *program);

/* The value of `name`, or `fallback`. The string lives for ever. */
const char *option_string(const char *name, const char *fallback);
/* Decimal or 0x; the rules see to it that it is a number. */
uint64_t option_number(const char *name, uint64_t fallback);
/* Whether the word stands on the command line, alone or with a value. */
bool option_present(const char *name);
/* The program's name, or `fallback`. */
const char *option_program(const char *fallback);

/*
 * A program: a file below programs/ registers it with PROGRAM(). It returns 0
 * for success, 1 for failure, 2 for "could not run".
 */
struct program {
	const char *name;
	const char *summary;
	int (*run)(void);
};

#define PROGRAM(name_, summary_)                                               \
	static int program_##name_(void);                                      \
	__attribute__((used, section("programs"))) static const struct program \
		program_entry_##name_ = {#name_, summary_, program_##name_};   \
	static int program_##name_(void)

/*
 * The caesura instance that the kernel brings up before a program runs, in the
 * mode that the options ask for (map=identity|set).
 */
struct cz;
extern struct cz *const firmware;

#endif
