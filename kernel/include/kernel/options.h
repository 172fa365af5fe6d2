/* SPDX-License-Identifier: MIT */
/*
 * The command line. It consists of words "name" or "name=value", separated by
 * blanks. The first word without '=' names the program to run.
 */
#ifndef KERNEL_OPTIONS_H
#define KERNEL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kinds of options. */
enum option_kind {
	OPTION_FLAG, /* NAME */
	OPTION_WORD, /* NAME=WORD, one of `words` */
	OPTION_NUMBER, /* NAME=N, from `least` to `most` */
	OPTION_TEXT, /* NAME=anything; the program checks it */
};

struct option_rule {
	const char *program; /* NULL: every program has the option */
	const char *name;
	enum option_kind kind;
	const char *words; /* "first|second|…" */
	uint64_t least, most;
};

/* All options; defined in programs/lib/options.c. */
extern const struct option_rule option_rules[];
extern const size_t option_rule_count;

/* Returns whether each word is the program's name or keeps a rule of the
 * program's. Logs the first word that does not, and why. Must be called before
 * the functions below read values. */
bool options_check(const char *program);

/* Returns the value of option `name`, or `fallback`. The string is never
 * freed. */
const char *option_string(const char *name, const char *fallback);
/* Returns the value of a numeric option, decimal or 0x, or `fallback`. Panics
 * if it is not a number, which options_check() rules out. */
uint64_t option_number(const char *name, uint64_t fallback);
/* Returns whether the command line has the option, with or without a value. */
bool option_present(const char *name);
/* Returns the name of the program to run, or `fallback`. */
const char *option_program(const char *fallback);

/*
 * A program. A file below programs/ registers it with PROGRAM(). It returns 0
 * for success, 1 for failure, and 2 if it could not run.
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
 * The Caesura instance. The kernel initialises it before a program runs, as the
 * options request (map=identity|set, gate=direct|sandbox).
 */
struct cz;
extern struct cz *const firmware;

#endif
