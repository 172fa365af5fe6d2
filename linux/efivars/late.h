/* SPDX-License-Identifier: MIT */
/*
 * Writes that outlast their callers. A call that firmware has started runs to
 * its end, even if its caller's deadline has passed and no thread waits for it
 * any more. The log then says how it ended, with the variable's name, and
 * counters count it.
 */
#ifndef LATE_H
#define LATE_H

#include <caesura/caesura.h>
#include <stdint.h>

/* Follows a SetVariable whose caller has given up. The request belongs to this
 * function from now on. */
void late_follow(struct cz *cz, cz_request_id id, const struct cz_call *call);

struct late_counts {
	uint64_t made, not_made;
	uint64_t open; /* firmware is still executing these */
};

/* Returns the counts since the start. Each number is correct by itself;
 * together they may not match. */
struct late_counts late_counts(void);

#endif
