/* SPDX-License-Identifier: MIT */
/*
 * The flash chip as firmware sees it during a call, which is a copy, and how
 * what a call wrote gets into the real chip.
 *
 * The copy is filled from the chip block by block, at firmware's first access
 * to a block. Loads from the copy are plain memory accesses. Stores fault, and
 * flash_fault() does on the copy what the chip would do. What firmware makes
 * permanent is recorded as a list of changes, in firmware's order. A block that
 * is erased and written again is recorded by its differences only.
 *
 * After a call that returned: flash_finish(), then the changes go into the
 * journal (state.h), flash_apply() brings them to the chip, and flash_keep()
 * ends the call. After any other call flash_drop() undoes all of it. A call
 * that does not write to the flash costs nothing in these functions.
 *
 * One thread at a time. Nothing here allocates after flash_open().
 */
#ifndef LINUX_FLASH_H
#define LINUX_FLASH_H

#include "commit/nor.h"
#include "commit/store.h"

#include <caesura/arm64.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flash_access {
	FLASH_NONE,
	FLASH_READ,
	FLASH_WRITE, /* reading as well */
};

/*
 * The memory of the copy. The daemon maps a memfd of port.size_bytes twice,
 * shared: at firmware's address without access, and anywhere else, readable and
 * writable, for `bytes`. protect() changes the protection of whole pages of
 * firmware's mapping, also from a signal handler. It cannot fail: if mprotect()
 * fails, it ends the process.
 */
struct flash_memory {
	uint8_t *bytes;
	void *context;
	void (*protect)(void *context, uint64_t offset, uint64_t size_bytes,
			enum flash_access access);
};

/*
 * Access to firmware's other memory, so that flash_fault() can execute
 * firmware's code after a fault instead of taking a fault for each access.
 * reach() returns the address in this process of `bytes` bytes at one of
 * firmware's addresses if firmware may read (write, execute) all of them, or
 * NULL. It is called from signal handlers. If reach is NULL, each access takes
 * a fault of its own.
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
	uint64_t address; /* firmware's address of the first byte */
};

/* Counted since flash_open(). */
struct flash_counts {
	/* Faults taken; accesses, and instructions, done for firmware. */
	uint64_t faults, accesses, instructions;
	uint64_t protects, fills;
	uint64_t erases; /* by firmware, of the copy */
	uint64_t chip_words, chip_erases; /* written to the chip */
};

struct flash;

/* Identifies the chip by nor_open() and makes an empty copy of it.
 * Returns NULL, and the reason in `error`, if the chip is not known or
 * memory is short. */
struct flash *flash_open(const struct flash_config *config,
			 char error[NOR_ERROR_CHARS]);
void flash_close(struct flash *flash);

/*
 * Firmware took a data abort at `address` (FAR), executing `instruction` at the
 * frame's pc. True: firmware goes on as the frame says; the access has been
 * done or is to be repeated. False: the address is not in the flash, or the
 * access cannot be done: end the call, then flash_drop(). Signal-safe.
 */
bool flash_fault(struct flash *flash, struct cz_frame *frame,
		 uint32_t instruction, uint64_t address);

/* Whether the address is in the flash's region. Signal-safe. */
bool flash_holds(const struct flash *flash, uint64_t address);

/* The call has returned: completes its list of changes. True if there are
 * changes. *erases, which may be NULL, is the number of blocks of the chip to
 * erase. */
bool flash_finish(struct flash *flash, unsigned *erases);

/* The changes of the call, valid from flash_finish() to flash_keep() or
 * flash_drop(). */
struct store_list flash_changes(const struct flash *flash);

/* Reads a range of the chip now, so that flash_is_same() compares it from now
 * on. What is outside of the chip is ignored. */
void flash_read_ahead(struct flash *flash, uint64_t offset,
		      uint64_t size_bytes);

/* Compares the chip with everything that was read of it, or written to it
 * since. False: somebody else has written to it; flash_error() says where.
 * Writes nothing. */
bool flash_is_same(struct flash *flash);

/* Applies a list of changes to the chip, in its order, and checks the result.
 * May be repeated from the beginning after it was stopped anywhere. Does not
 * use the copy. False: flash_error() says what the chip did. */
bool flash_apply(struct flash *flash, const struct store_list *list);
const char *flash_error(const struct flash *flash);

/* Ends the call: the chip has the changes (keep), or the copy becomes what it
 * was before the call (drop). */
void flash_keep(struct flash *flash);
void flash_drop(struct flash *flash);

/* These functions as a store, for a commit. NULL for NULL. */
const struct store *flash_store(const struct flash *flash);

const struct flash_counts *flash_counts(const struct flash *flash);

#endif
