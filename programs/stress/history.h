/* SPDX-License-Identifier: MIT */
/*
 * What variables may hold while many threads write and read them. Each write has
 * a version, which its value carries; each call lies between two moments of one
 * clock. A read may return a version whose write had begun before the read ended,
 * unless another write came after that one and was over before the read began:
 * the condition for a register to be linearizable, but that it is looked at read
 * by read.
 *
 * Any thread; none of these is told of firmware, or calls it.
 */
#ifndef PROGRAMS_HISTORY_H
#define PROGRAMS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_VARIABLES 80u
#define HISTORY_WRITES 1024u

/* What came of a write. */
enum write_outcome {
	WRITE_OPEN, /* it goes on */
	WRITE_DONE,
	WRITE_UNKNOWN, /* given up: it happened before any later call, or never */
	WRITE_VOID, /* it did not happen, and never will */
};

/* So many variables that are not there. Once, before anything else. */
void history_init(unsigned variables);

/* The present moment; every one is another's successor. */
uint64_t history_now(void);

/* A write begins: of a new value, or a deletion. Returns the version.
 * At most HISTORY_WRITES, with one for each variable. */
uint32_t history_write(unsigned variable, bool exists);
void history_wrote(uint32_t version, enum write_outcome outcome);

/*
 * Whether a call that began at `start` and has ended by now may have found the
 * version; if so, what that says of other writes is kept.
 */
bool history_found(unsigned variable, uint32_t version, uint64_t start);

/*
 * Whether it may have found the variable there, or not there. `own` is the
 * version of the call itself when that writes, or 0.
 */
bool history_may_be(unsigned variable, bool exists, uint64_t start,
		    uint32_t own);

/* Whether no write of it can have happened since. */
bool history_quiet(unsigned variable, uint64_t since);

/* Logs the versions that history_found() would take. */
void history_explain(unsigned variable, uint64_t start);

#endif
