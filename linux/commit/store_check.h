/* SPDX-License-Identifier: MIT */
/*
 * Checks whether firmware's RAM is as new as the variable store in flash. EDK
 * II keeps a copy of the store in RAM and reads only that copy. If the copy is
 * older than the store, EDK II overwrites variables that it does not know
 * about. The machine's RAM is as it was when firmware started the kernel, so
 * its copy is too old if variables were written and then the state was lost, or
 * kexec started another kernel.
 *
 * One copy in RAM that equals the store is enough. Others may be older without
 * harm, such as the buffer in which a flash driver prepared an earlier write.
 */
#ifndef LINUX_STORE_CHECK_H
#define LINUX_STORE_CHECK_H

#include "commit/nor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_verdict {
	STORE_FRESH, /* a copy equals the store */
	STORE_OLDER, /* there are copies, but none equals the store */
	STORE_UNKNOWN, /* no store of a known form, or no copy of it */
};

struct store_check {
	/* the store in the chip, without the volume header; or NULL */
	uint8_t *store;
	uint64_t store_offset; /* in the chip */
	uint32_t store_bytes;
	/* Decides whether a copy sets has_same. NULL: it has to equal the
	 * store. */
	bool (*fits)(const void *context, const struct store_check *check,
		     const uint8_t *copy);
	const void *context;
	unsigned copies;
	bool has_same;
	/* The copy with the longest equal beginning, and the offset of the
	 * first byte that differs. */
	uint64_t copy_physical;
	uint32_t differs_at;
};

/*
 * Reads the store from the chip, which is in read-array mode. `port` is NULL if
 * there is no chip. Returns false if memory is out.
 */
bool store_check_open(struct store_check *check, const struct flash_port *port);
void store_check_close(struct store_check *check);

/* Searches a region of RAM for copies. Called once for each region. */
void store_check_look(struct store_check *check, uint64_t physical,
		      const void *bytes, size_t size_bytes);

/* Returns whether a region of RAM holds a variable store of EDK II's form, of
 * any age. */
bool store_check_holds_store(const void *ram, size_t size_bytes);

enum store_verdict store_check_verdict(const struct store_check *check);

#endif
