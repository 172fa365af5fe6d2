/* SPDX-License-Identifier: MIT */
/*
 * The expected state of the variable store: the values of a sweep's variables,
 * and a digest of everything else.
 */
#ifndef PROGRAMS_STORE_H
#define PROGRAMS_STORE_H

#include "lib/common.h"

enum stored {
	STORED_STILL, /* never changed after store_create() */
	STORED_SUBJECT, /* written by the swept SetVariable */
	STORED_RIVAL, /* written by the other threads */
	STORED_COUNT,
};

extern const uint16_t *const stored_name[STORED_COUNT];

struct store {
	struct {
		uint32_t size_bytes; /* 0: the variable does not exist */
		uint8_t data[MAX_VALUE_BYTES];
	} value[STORED_COUNT];
};

/* A digest of all variables that does not depend on their order. */
struct store_digest {
	uint64_t names; /* of all variables */
	uint64_t values; /* of those that no program and no service changes */
	uint32_t count;
};

/* Writes the three variables, with pseudo-random values of `size_bytes` bytes.
 *  */
bool store_create(struct store *store, struct prng *prng, size_t size_bytes);

/* Records that the variable was set to this value. */
void store_expect(struct store *store, enum stored which, const void *data,
		  size_t size_bytes);

/* Reads the variable and compares it with the expected value. Logs a
 * difference. */
bool store_check(const struct store *store, enum stored which);

/* Walks over the whole store, except for the adversary's variables and those
 * that lack one of the attributes. When a service fails, logs that and returns
 * false. */
bool store_read_digest(struct store_digest *digest, uint32_t attributes);
bool store_same(const struct store_digest *a, const struct store_digest *b);

#endif
