/* SPDX-License-Identifier: MIT */
/*
 * The flash chip as firmware sees it during a call, which is a copy, and how what
 * a call wrote gets into the real one.
 *
 * The copy is filled from the chip block by block, at firmware's first access. Reads of
 * it are plain memory accesses; stores fault, and flash_fault() does on the copy
 * what the chip would. What firmware made permanent is kept as a list of changes
 * in the order in which it did: a block that was erased and written anew
 * counts as what is different in it. After a call: flash_finish(), then the
 * changes go into the journal (state.h), to the chip with flash_apply(), and
 * flash_keep(); or flash_drop(), and the call has not been made. A call that
 * touches no flash costs nothing in any of these.
 *
 * One thread at a time. Nothing here allocates after flash_open().
 */
#ifndef LINUX_FLASH_H
#define LINUX_FLASH_H

#include "commit/nor.h"

#include <caesura/arm64.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flash_access {
	FLASH_NONE,
	FLASH_READ,
	FLASH_WRITE, /* and reading */
};

/*
 * Where the copy is. The daemon maps a memfd twice, shared: at firmware's
 * address, without access, and anywhere else for `bytes`, which flash.c reads
 * and writes at all times; port.size_bytes of each. protect() is for firmware's
 * mapping, whole pages; called from signal handlers as well. It cannot fail:
 * where mprotect() does, it ends the process.
 */
struct flash_memory {
	uint8_t *bytes;
	void *context;
	void (*protect)(void *context, uint64_t offset, uint64_t size_bytes,
			enum flash_access access);
};

/*
 * Firmware's memory other than flash, for going on with its code after a fault
 * instead of taking one for each access: the address in this process of `bytes`
 * bytes at one of firmware's addresses when it may read (write, execute) all of
 * them, or NULL. From signal handlers. NULL instead of a function: every access
 * takes a fault of its own.
 */
enum flash_reach { FLASH_REACH_READ, FLASH_REACH_WRITE, FLASH_REACH_EXECUTE };

struct flash_firmware {
	void *context;
	void *(*reach)(void *context, uint64_t address, uint32_t bytes,
		       enum flash_reach how);
};

struct flash_config {
	struct flash_port port;
	struct flash_memory memory;
	struct flash_firmware firmware;
	uint64_t physical; /* for messages */
	uint64_t address; /* firmware's, of the first byte */
};

/* Since flash_open(). */
struct flash_counts {
	uint64_t faults, accesses, instructions; /* taken; done; gone on with */
	uint64_t protects, fills;
	uint64_t erases; /* by firmware, of the copy */
	uint64_t chip_words, chip_erases; /* written to the chip */
};

enum flash_kind {
	FLASH_WORDS, /* programmed one after the other, in their order */
	FLASH_BUFFERED, /* in any order */
	FLASH_ERASE, /* of the block at offset */
};

struct flash_change {
	enum flash_kind kind;
	uint32_t offset, size_bytes; /* multiples of 4, in one block */
	const uint8_t *bytes; /* size_bytes, aligned to 4; NULL for an erase */
};

/* Changes in order. next() gives the one at *cursor, which begins as 0, and moves
 * it on; false after the last. */
struct flash_list {
	const void *context;
	bool (*next)(const void *context, size_t *cursor,
		     struct flash_change *change);
};

struct flash;

/*
 * Identifies the chip (nor_open()) and makes a flash whose copy is empty. NULL,
 * and the reason in `error`, for a chip that is not known, or without memory.
 */
struct flash *flash_open(const struct flash_config *config,
			 char error[NOR_ERROR_CHARS]);
void flash_close(struct flash *flash);

/*
 * Firmware took a data abort at `address` (far), executing `instruction` at the
 * frame's pc. True: done, or to be made again, as the frame says. False: not for
 * flash, or not to be done: the call is to be ended, and flash_drop().
 * Signal-safe.
 */
bool flash_fault(struct flash *flash, struct cz_frame *frame,
		 uint32_t instruction, uint64_t address);

/* Whether the address is in the flash's region. Signal-safe. */
bool flash_holds(const struct flash *flash, uint64_t address);

/*
 * The call has come back: its list of changes is complete. True when there is a
 * change. *erases (may be NULL): how many blocks of the chip have to be erased.
 */
bool flash_finish(struct flash *flash, unsigned *erases);

/* The changes of the call, from flash_finish() to flash_keep() or flash_drop(). */
struct flash_list flash_changes(const struct flash *flash);

/*
 * Reads what lies there ahead, so that from now on flash_is_same() speaks of it too.
 * What is outside of the chip is left out.
 */
void flash_read_ahead(struct flash *flash, uint64_t offset,
		      uint64_t size_bytes);

/*
 * Compares the chip with all that has been read of it, or written since. False:
 * somebody else has written to it, and flash_error() says where. Nothing is written.
 */
bool flash_is_same(struct flash *flash);

/*
 * Brings the chip to what a list says, in its order, and checks it. Can be done
 * again from the beginning after having been stopped anywhere. Needs no copy.
 * False: flash_error() says what the chip did.
 */
bool flash_apply(struct flash *flash, const struct flash_list *list);
const char *flash_error(const struct flash *flash);

/* The chip has the changes; or the copy is as before the call. */
void flash_keep(struct flash *flash);
void flash_drop(struct flash *flash);

const struct flash_counts *flash_counts(const struct flash *flash);

#endif
