/* SPDX-License-Identifier: MIT */
/*
 * Variables as contents of files: listing, reading, writing, deleting, each by
 * calls of the library within a limit of time.
 */
#include "efivars/efivars.h"
#include "efivars/late.h"
#include "lib/hash.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_NS 20000000ull /* how often limit->interrupted() is called */
#define RETRY_NS 2000000 /* pause while no request is free */
/* Older firmware refuses a buffer for a name that is larger than this. */
#define NAME_BYTES 512u
#define FIRST_VALUE_BYTES 1024u
#define READ_TRIES 4

void efivars_warn(struct cz *cz, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	cz_host_log(cz->host, CZ_LOG_WARNING, format, arguments);
	va_end(arguments);
}

/* ---- One call ---- */

static bool reads_only(const struct cz_call *call)
{
	return call->service != CZ_SET_VARIABLE;
}

static bool is_interrupted(const struct efivars_limit *limit)
{
	return limit->interrupted != NULL &&
	       limit->interrupted(limit->argument);
}

/* Submits the call. While all requests are in use, tries again until the
 * limit. */
static cz_status submit(struct cz *cz, const struct cz_call *call,
			const struct efivars_limit *limit, cz_request_id *id)
{
	const struct timespec pause = {.tv_nsec = RETRY_NS};

	for (;;) {
		cz_status status = cz_submit(cz, call, id);

		if (status != CZ_E_BUSY) {
			return status;
		}
		if (is_interrupted(limit)) {
			return CZ_E_CANCELLED;
		}
		if (cz_host_now_ns(cz->host) >= limit->deadline_ns) {
			return CZ_E_DEADLINE;
		}
		nanosleep(&pause, NULL);
	}
}

/* Gives up at the deadline. A call that has not started never will. late.h
 * follows a write that has. */
static cz_status give_up(struct cz *cz, const struct cz_call *call,
			 cz_request_id id)
{
	cz_status status;

	if (cz_cancel(cz, id) == CZ_OK || reads_only(call)) {
		cz_release(cz, id);
		return CZ_E_DEADLINE;
	}
	/* It may have ended in between. */
	status = cz_wait(cz, id, call, 0);
	if (status != CZ_E_DEADLINE) {
		return status;
	}
	late_follow(cz, id, call);
	return CZ_E_IN_FLIGHT;
}

static uint64_t next_look(struct cz *cz, const struct efivars_limit *limit)
{
	uint64_t next_ns = cz_host_now_ns(cz->host) + LOOK_NS;

	return next_ns < limit->deadline_ns ? next_ns : limit->deadline_ns;
}

/* Makes one call of the library, within the limit. */
static cz_status make_call(struct cz *cz, const struct cz_call *call,
			   const struct efivars_limit *limit)
{
	cz_request_id id;
	cz_status status;

	if (limit->interrupted == NULL && reads_only(call)) {
		return cz_call_and_wait(cz, call, limit->deadline_ns);
	}
	status = submit(cz, call, limit, &id);
	if (status != CZ_OK) {
		return status;
	}
	for (;;) {
		uint64_t until = limit->deadline_ns;

		if (limit->interrupted != NULL) {
			until = next_look(cz, limit);
		}
		status = cz_wait(cz, id, call, until);
		if (status != CZ_E_DEADLINE) {
			return status;
		}
		if (until == limit->deadline_ns) {
			return give_up(cz, call, id);
		}
		if (is_interrupted(limit) &&
		    (cz_cancel(cz, id) == CZ_OK || reads_only(call))) {
			cz_release(cz, id);
			return CZ_E_CANCELLED;
		}
	}
}

/* ---- Listing ---- */

/* The hashes of the names seen. Two names with one hash end the listing early,
 * as a repeated name does: firmware can cause either as it likes. */
#define SEEN_SLOTS (2 * EFIVARS_MAX_VARIABLES)

struct listing {
	struct cz *cz;
	const struct efivars_limit *limit;
	struct efivars_name name;
	uint32_t count;
	uint64_t seen[SEEN_SLOTS]; /* 0: free */
};

static size_t name_bytes(const uint16_t *units, size_t room)
{
	for (size_t i = 0; i < room / 2; i++) {
		if (units[i] == 0) {
			return (i + 1) * 2;
		}
	}
	return 0;
}

/* Records the name. Returns false if it was recorded before. */
static bool note_name(struct listing *listing)
{
	uint64_t hash =
		hash_bytes(0, &listing->name.guid, sizeof(listing->name.guid));
	size_t slot;

	hash = hash_bytes(hash, listing->name.units,
			  name_bytes(listing->name.units, CZ_MAX_NAME_BYTES));
	hash += hash == 0;
	slot = (size_t)(hash % SEEN_SLOTS);
	while (listing->seen[slot] != 0) {
		if (listing->seen[slot] == hash) {
			return false;
		}
		slot = (slot + 1) % SEEN_SLOTS;
	}
	listing->seen[slot] = hash;
	return true;
}

/* Replaces listing->name by the name that follows it. */
static cz_status next_name(struct listing *listing)
{
	size_t size = name_bytes(listing->name.units, CZ_MAX_NAME_BYTES);
	struct efivars_name next;
	struct cz_call call;
	cz_status status = CZ_EFI_BUFFER_TOO_SMALL;

	size = size > NAME_BYTES ? size : NAME_BYTES;
	for (int try = 0; try < 2 && status == CZ_EFI_BUFFER_TOO_SMALL; try++) {
		next = listing->name;
		size += size % 2;
		if (size > CZ_MAX_NAME_BYTES) {
			return CZ_EFI_BUFFER_TOO_SMALL;
		}
		status = cz_prepare_get_next_variable_name(
			&call, &size, next.units, &next.guid);
		if (status == CZ_OK) {
			status = make_call(listing->cz, &call, listing->limit);
		}
	}
	if (status != CZ_OK) {
		return status;
	}
	/* With an empty name, the listing would start again from the
	 * beginning. */
	if (size > CZ_MAX_NAME_BYTES || name_bytes(next.units, size) <= 2) {
		return CZ_E_BAD_SIZE;
	}
	listing->name = next;
	return CZ_OK;
}

static void warn_of_listing(const struct listing *listing, const char *what)
{
	char file_name[EFIVARS_FILE_NAME_BYTES];

	if (listing->count == 0) {
		efivars_warn(listing->cz,
			     "efivars: the list of variables is empty: %s",
			     what);
		return;
	}
	efivars_file_name(&listing->name, file_name);
	file_name[EFIVARS_LOGGED_CHARS] = 0;
	efivars_warn(listing->cz,
		     "efivars: the list of variables ends after %u, %s: %s",
		     listing->count, file_name, what);
}

/* Converts the status that ended a listing into the caller's result. */
static int end_listing(const struct listing *listing, cz_status status)
{
	int error = efivars_errno(status);

	if (status == CZ_EFI_NOT_FOUND) {
		return 0;
	}
	if (error == EINTR || error == ETIMEDOUT) {
		return error;
	}
	warn_of_listing(listing, cz_status_name(status));
	if (listing->count > 0) {
		return 0;
	}
	return status == CZ_EFI_UNSUPPORTED ? EOPNOTSUPP : error;
}

int efivars_list(struct cz *cz, const struct efivars_limit *limit,
		 int (*found)(void *argument, const struct efivars_name *name),
		 void *argument)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	int error = 0;

	if (listing == NULL) {
		return ENOMEM;
	}
	listing->cz = cz;
	listing->limit = limit;
	while (error == 0) {
		cz_status status = next_name(listing);

		if (status != CZ_OK) {
			error = end_listing(listing, status);
			break;
		}
		if (!note_name(listing)) {
			warn_of_listing(listing, "a name that was there");
			break;
		}
		if (++listing->count == EFIVARS_MAX_VARIABLES) {
			warn_of_listing(listing, "too many");
			break;
		}
		if (!efivars_is_hidden(&listing->name)) {
			error = found(argument, &listing->name);
		}
	}
	free(listing);
	return error;
}

/* ---- Reading ---- */

static cz_status get(struct cz *cz, const struct efivars_name *name,
		     const struct efivars_limit *limit, uint32_t *attributes,
		     void *value, size_t *size_bytes)
{
	struct cz_call call;
	cz_status status = cz_prepare_get_variable(
		&call, name->units, &name->guid, attributes, value, size_bytes);

	return status == CZ_OK ? make_call(cz, &call, limit) : status;
}

int efivars_size(struct cz *cz, const struct efivars_name *name,
		 const struct efivars_limit *limit, size_t *size_bytes,
		 uint32_t *attributes)
{
	cz_status status;

	*size_bytes = 0;
	if (attributes != NULL) {
		*attributes = 0;
	}
	status = get(cz, name, limit, attributes, NULL, size_bytes);
	return status == CZ_EFI_BUFFER_TOO_SMALL ? 0 : efivars_errno(status);
}

/* Reads a variable into a new buffer with room for `room` bytes of value. Sets
 * *size to the size that firmware returned. */
static cz_status read_into(struct cz *cz, const struct efivars_name *name,
			   const struct efivars_limit *limit, size_t room,
			   struct efivars_contents *contents, size_t *size)
{
	uint32_t attributes = 0;
	cz_status status;

	*size = room;
	contents->bytes = malloc(EFIVARS_ATTRIBUTES_BYTES + room);
	if (contents->bytes == NULL) {
		return CZ_E_NO_MEMORY;
	}
	status = get(cz, name, limit, &attributes,
		     contents->bytes + EFIVARS_ATTRIBUTES_BYTES, size);
	if (status != CZ_OK) {
		free(contents->bytes);
		contents->bytes = NULL;
		return status;
	}
	memcpy(contents->bytes, &attributes, EFIVARS_ATTRIBUTES_BYTES);
	contents->size_bytes = EFIVARS_ATTRIBUTES_BYTES + *size;
	return CZ_OK;
}

int efivars_read(struct cz *cz, const struct efivars_name *name,
		 size_t hint_bytes, const struct efivars_limit *limit,
		 struct efivars_contents *contents)
{
	size_t room =
		hint_bytes > FIRST_VALUE_BYTES ? hint_bytes : FIRST_VALUE_BYTES;
	size_t size;

	if (room > cz->max_data_bytes) {
		room = cz->max_data_bytes;
	}
	for (int try = 0; try < READ_TRIES; try++) {
		cz_status status =
			read_into(cz, name, limit, room, contents, &size);

		if (status != CZ_EFI_BUFFER_TOO_SMALL) {
			return efivars_errno(status);
		}
		/* A size that fits the buffer contradicts the status, so
		 * firmware is wrong; a larger one is tried again. */
		if (size <= room) {
			return EIO;
		}
		if (size > cz->max_data_bytes) {
			return EFBIG;
		}
		room = size;
	}
	return EIO;
}

/* ---- Writing ---- */

cz_status efivars_set(struct cz *cz, const uint16_t *name,
		      const struct cz_efi_guid *guid, uint32_t attributes,
		      const void *value, size_t size_bytes,
		      const struct efivars_limit *limit)
{
	struct cz_call call;
	cz_status status = cz_prepare_set_variable(
		&call, name, guid, attributes, size_bytes == 0 ? NULL : value,
		size_bytes);

	return status == CZ_OK ? make_call(cz, &call, limit) : status;
}

/* Finds out what a write did to the variable: an append makes it longer, and a
 * signed write can delete it. If firmware cannot tell, the caller's values
 * stay. */
static void look_again(struct cz *cz, const struct efivars_name *name,
		       const struct efivars_limit *limit, size_t *value_bytes,
		       bool *exists)
{
	size_t size;
	int error = efivars_size(cz, name, limit, &size, NULL);

	*exists = error != ENOENT;
	if (error == 0) {
		*value_bytes = size;
	} else if (error == ENOENT) {
		*value_bytes = 0;
	}
}

int efivars_write(struct cz *cz, const struct efivars_name *name,
		  const void *contents, size_t size_bytes,
		  const struct efivars_limit *limit, size_t *value_bytes,
		  bool *exists)
{
	const uint8_t *value =
		(const uint8_t *)contents + EFIVARS_ATTRIBUTES_BYTES;
	uint32_t attributes;
	int error;

	if (size_bytes < EFIVARS_ATTRIBUTES_BYTES) {
		return EINVAL;
	}
	memcpy(&attributes, contents, sizeof(attributes));
	size_bytes -= EFIVARS_ATTRIBUTES_BYTES;
	if ((attributes & ~EFIVARS_ATTRIBUTES) != 0) {
		return EINVAL;
	}
	if (size_bytes + name_bytes(name->units, CZ_MAX_NAME_BYTES) >
	    EFIVARS_MAX_BYTES) {
		return ENOSPC;
	}
	if (!efivars_is_valid(name, value, size_bytes)) {
		return EINVAL;
	}
	error = efivars_errno(efivars_set(cz, name->units, &name->guid,
					  attributes, value, size_bytes,
					  limit));
	if (error != 0) {
		return error == ENOENT ? EIO : error;
	}
	*value_bytes = size_bytes;
	look_again(cz, name, limit, value_bytes, exists);
	return 0;
}

int efivars_delete(struct cz *cz, const struct efivars_name *name,
		   const struct efivars_limit *limit)
{
	cz_status status =
		efivars_set(cz, name->units, &name->guid, 0, NULL, 0, limit);

	if (status == CZ_OK || status == CZ_EFI_NOT_FOUND) {
		return 0;
	}
	if (status >= CZ_ERROR_BASE) {
		return efivars_errno(status);
	}
	return EINVAL;
}

int efivars_space(struct cz *cz, const struct efivars_limit *limit,
		  struct efivars_space *space)
{
	const uint32_t attributes = CZ_EFI_VARIABLE_NON_VOLATILE |
				    CZ_EFI_VARIABLE_BOOTSERVICE_ACCESS |
				    CZ_EFI_VARIABLE_RUNTIME_ACCESS;
	uint64_t maximum, remaining, largest;
	struct cz_call call;
	cz_status status = cz_prepare_query_variable_info(
		&call, attributes, &maximum, &remaining, &largest);

	*space = (struct efivars_space){0, 0};
	if (status == CZ_OK) {
		status = make_call(cz, &call, limit);
	}
	if (status == CZ_E_DEADLINE || status == CZ_E_CANCELLED) {
		return efivars_errno(status);
	}
	if (status == CZ_OK) {
		space->total_bytes = maximum;
		space->free_bytes = remaining < maximum ? remaining : maximum;
	}
	return 0;
}
