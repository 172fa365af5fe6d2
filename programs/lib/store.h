/* SPDX-License-Identifier: MIT */
/*
 * The variable store as it ought to be: what a sweep's variables hold, and a
 * digest of everything else in it.
 */
#ifndef PROGRAMS_STORE_H
#define PROGRAMS_STORE_H

#include "lib/common.h"

enum stored {
	STORED_STILL, /* never changed after store_create() */
	STORED_SUBJECT, /* the swept SetVariable's */
	STORED_RIVAL, /* the other threads' */
	STORED_COUNT,
};

extern const uint16_t *const stored_name[STORED_COUNT];

struct store {
	struct {
		uint32_t size_bytes; /* 0: it does not exist */
		uint8_t data[MAX_VALUE_BYTES];
	} value[STORED_COUNT];
};

/* What all variables together add up to, in any order. */
struct store_digest {
	uint64_t names; /* of all of them */
	uint64_t values; /* of those that no program and no service changes */
	uint32_t count;
};

/* Writes the three variables, with pseudo-random values of `size_bytes`. */
bool store_create(struct store *store, struct prng *prng, size_t size_bytes);

/* The variable was set to this. */
void store_expect(struct store *store, enum stored which, const void *data,
		  size_t size_bytes);

/* Reads the variable back and compares; logs a difference. */
bool store_check(const struct store *store, enum stored which);

/* Walks the whole store, but for the adversary's variables and those that have not
 * all of the attributes. False, after a log line, when a service fails. */
bool store_read_digest(struct store_digest *digest, uint32_t attributes);
bool store_same(const struct store_digest *a, const struct store_digest *b);

#endif
