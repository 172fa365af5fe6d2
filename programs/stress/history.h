/* SPDX-License-Identifier: MIT */
/*
 * The values that variables may hold while many threads write and read them.
 * Each write has a version, which its value carries; each call lies between two
 * moments of one clock. A read may return a version whose write began before
 * the read ended, unless another write began after that one had ended and
 * itself ended before the read began. This is the condition for a linearizable
 * register, checked for each read separately.
 *
 * Any thread. None of these functions knows of firmware or calls it.
 */
#ifndef PROGRAMS_HISTORY_H
#define PROGRAMS_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_VARIABLES 80u
#define HISTORY_WRITES 1024u

/* The outcome of a write. */
enum write_outcome {
	WRITE_OPEN, /* it has not ended yet */
	WRITE_DONE,
	/* Given up: it took effect before any later call, or never will. */
	WRITE_UNKNOWN,
	WRITE_VOID, /* it did not take effect and never will */
};

/* Declares so many variables, none of which exists. Once, before any other
 * function. */
void history_init(unsigned variables);

/* Returns the present moment. Moments are unique and increase. */
uint64_t history_now(void);

/* Begins a write of a new value, or a deletion. Returns its version. There are
 * at most HISTORY_WRITES, including one for each variable. */
uint32_t history_write(unsigned variable, bool exists);
void history_wrote(uint32_t version, enum write_outcome outcome);

/*
 * Returns whether a call that began at `start` and has ended by now may have
 * found the version. If so, keeps what that implies for other writes.
 */
bool history_found(unsigned variable, uint32_t version, uint64_t start);

/*
 * Returns whether such a call may have found the variable existing, or not
 * existing. `own` is the version of the call itself if it writes, else 0.
 */
bool history_may_be(unsigned variable, bool exists, uint64_t start,
		    uint32_t own);

/* Returns whether no write of the variable can have taken effect since. */
bool history_quiet(unsigned variable, uint64_t since);

/* Logs the versions that history_found() would accept. */
void history_explain(unsigned variable, uint64_t start);

#endif
