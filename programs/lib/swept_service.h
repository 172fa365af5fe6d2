/* SPDX-License-Identifier: MIT */
/*
 * The service that a sweep interrupts: its arguments, and the checks of its
 * result. One row of a table describes each service.
 */
#ifndef PROGRAMS_SWEPT_SERVICE_H
#define PROGRAMS_SWEPT_SERVICE_H

#include "lib/store.h"

#define GUARD_BYTES 16

/* The arguments that a caller passes. Other threads overwrite all of them while
 * the call is in flight, and the call must not be affected. */
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
	bool writes; /* uses up space in the variable store, and is slow */
	void (*prepare)(struct arguments *given);
	cz_status (*call)(struct arguments *given, uint64_t deadline_ns);
	/* Checks a call that succeeded, and logs what is wrong. */
	bool (*check)(const struct arguments *got);
};

/* Returns the service with this cz_service_name(), ignoring case, or
 * CZ_SERVICE_COUNT when there is none. */
enum cz_service service_find(const char *name);

/* Returns the row of a service, or NULL when it has none. */
const struct swept_service *swept_find(enum cz_service service);

/* Makes the variables that the services use, and keeps `store` in step. */
bool swept_init(struct store *store, struct prng *prng, size_t value_bytes);

/* Fills `given` for the next call. */
void swept_prepare(const struct swept_service *swept, struct arguments *given);

/* Overwrites all arguments. From any thread, while the call is in flight. */
void swept_scribble(struct arguments *given);

/* Returns whether the call has the right result. `reference` is the status of
 * an undisturbed call. */
bool swept_check(const struct swept_service *swept, const struct arguments *got,
		 cz_status status, cz_status reference);

/* Returns a time as seconds, for differences only. */
uint64_t time_seconds(const struct cz_efi_time *time);
/* Returns whether all fields are within the bounds of the specification. */
bool time_valid(const struct cz_efi_time *time);

#endif
