/* SPDX-License-Identifier: MIT */
/*
 * Writes that have outlasted their callers. A call of firmware's that has begun ends by
 * itself, also when its caller's time is over and nobody waits for it any more. What
 * became of it is then said in the log, with the variable's name, and counted.
 */
#ifndef LATE_H
#define LATE_H

#include <caesura/caesura.h>
#include <stdint.h>

/* The request of a SetVariable, which is this function's from here on. */
void late_follow(struct cz *cz, cz_request_id id, const struct cz_call *call);

struct late_counts {
	uint64_t made, not_made;
	uint64_t open; /* firmware has not ended these yet */
};

/* Since the start. Each number is right by itself. */
struct late_counts late_counts(void);

#endif
