/* SPDX-License-Identifier: MIT */
/*
 * Whether firmware's RAM is of the same time as its flash. EDK II keeps a copy of its
 * variable store in RAM and reads that alone; with a copy that is older than the
 * store it writes over variables that it does not know of. So it is where the state is
 * lost, or a kernel was started by another, after variables had been written: the
 * machine's RAM is as it was when firmware handed over.
 *
 * Looked for is any copy in RAM that is the same as the store. Others may be
 * older without harm: a flash driver's buffer, of one write that was long ago.
 */
#ifndef LINUX_STORE_CHECK_H
#define LINUX_STORE_CHECK_H

#include "commit/nor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_verdict {
	STORE_FRESH, /* a copy is the same as the store */
	STORE_OLDER, /* there are copies, and none is */
	STORE_UNKNOWN, /* no store of a form that is known, or no copy */
};

struct store_check {
	uint8_t *store; /* the chip's, without its volume's header; or NULL */
	uint64_t store_offset; /* in the chip */
	uint32_t store_bytes;
	/* What a copy has to be for has_same. NULL: the same as the store. */
	bool (*fits)(const void *context, const struct store_check *check,
		     const uint8_t *copy);
	const void *context;
	unsigned copies;
	bool has_same;
	/* The copy that is the same for longest, and where it no longer is. */
	uint64_t copy_physical;
	uint32_t differs_at;
};

/*
 * Reads the store from the chip, which is in read-array mode; port NULL: there is
 * none. False: without memory.
 */
bool store_check_open(struct store_check *check, const struct flash_port *port);
void store_check_close(struct store_check *check);

/* A region of RAM; again for each. */
void store_check_look(struct store_check *check, uint64_t physical,
		      const void *bytes, size_t size_bytes);

/* Whether a region of RAM holds a variable store of EDK II's form, of whatever time. */
bool store_check_holds_store(const void *ram, size_t size_bytes);

enum store_verdict store_check_verdict(const struct store_check *check);

#endif
