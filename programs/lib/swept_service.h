/* SPDX-License-Identifier: MIT */
/*
 * The service that a sweep interrupts: what it is called with, and what must
 * come of it. One row of a table for each service.
 */
#ifndef PROGRAMS_SWEPT_SERVICE_H
#define PROGRAMS_SWEPT_SERVICE_H

#include "lib/store.h"

#define GUARD_BYTES 16

/* What a caller hands over. Other threads scribble over all of it while the
 * call is in flight: the call must not notice. */
struct arguments {
	uint16_t name[32];
	struct cz_efi_guid guid;
	uint32_t attributes;
	size_t size_bytes;
	struct cz_efi_time time;
	struct cz_efi_time_caps caps;
	uint8_t enabled, pending;
	uint64_t maximum_storage, remaining_storage, maximum_size;
	uint32_t count;
	enum cz_efi_reset_type reset_type;
	struct cz_efi_capsule_header capsule;
	uint8_t data[MAX_VALUE_BYTES + GUARD_BYTES];
};

struct swept_service {
	enum cz_service service;
	bool writes; /* uses up some of the variable store, and is slow */
	void (*prepare)(struct arguments *given);
	cz_status (*call)(struct arguments *given, uint64_t deadline_ns);
	/* After a call that succeeded; logs what is wrong. */
	bool (*check)(const struct arguments *got);
};

/* The service that cz_service_name() calls so, in any case; CZ_SERVICE_COUNT
 * when there is none. */
enum cz_service service_find(const char *name);

/* Its row; NULL when it has none. */
const struct swept_service *swept_find(enum cz_service service);

/* Makes the variables that the services use, and keeps `store` in step. */
bool swept_init(struct store *store, struct prng *prng, size_t value_bytes);

/* Fills `given` for the next call. */
void swept_prepare(const struct swept_service *swept, struct arguments *given);

/* Overwrites all of it. From any thread, while the call is in flight. */
void swept_scribble(struct arguments *given);

/* Whether the call came out as it should: `reference` is what an undisturbed
 * one returned. */
bool swept_check(const struct swept_service *swept, const struct arguments *got,
		 cz_status status, cz_status reference);

/* Seconds of the calendar; for differences. */
uint64_t time_seconds(const struct cz_efi_time *time);
/* All fields within the specification's bounds. */
bool time_valid(const struct cz_efi_time *time);

#endif
