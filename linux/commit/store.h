/* SPDX-License-Identifier: MIT */
/*
 * Where variables persist, as a commit sees it. A store gives firmware a copy
 * of itself during a call, and lists what the call changed. The journal holds
 * that list, so that it can be applied again after the daemon was killed.
 *
 * The flash chip is the one store that exists (flash_store()). Another one
 * implements these functions, and uses those kinds of changes that it needs.
 */
#ifndef LINUX_STORE_H
#define LINUX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state file holds these numbers. */
enum store_kind {
	STORE_WORDS, /* written one after the other, ascending */
	STORE_BUFFERED, /* written in any order */
	STORE_ERASE, /* erases the block at offset */
};

struct store_change {
	enum store_kind kind;
	uint32_t offset, size_bytes; /* multiples of 4, within one block */
	const uint8_t *bytes; /* size_bytes, aligned to 4; NULL for an erase */
};

/* Changes, in order. next() returns the change at *cursor, which is 0 at first,
 * and advances it; false after the last one. */
struct store_list {
	const void *context;
	bool (*next)(const void *context, size_t *cursor,
		     struct store_change *change);
};

struct store {
	void *context;
	/* The call has returned: completes the list. True if it has changes. */
	bool (*finish)(void *context);
	/* The list, valid from finish() to keep() or drop(). */
	struct store_list (*changes)(const void *context);
	/* Whether the store is what is known of it. False: somebody else has
	 * written to it, and error() says where. */
	bool (*is_same)(void *context);
	/* Brings a list to the store, and checks it. May be repeated from the
	 * beginning after it was stopped anywhere. False: error(). */
	bool (*apply)(void *context, const struct store_list *list);
	/* Ends the call: with its changes, or without. */
	void (*keep)(void *context);
	void (*drop)(void *context);
	const char *(*error)(const void *context);
};

#endif
