/* SPDX-License-Identifier: MIT */
/*
 * The state file: firmware's RAM as last committed, and the journal of the commit
 * that is under way. It lives on a tmpfs, for one boot. The daemon maps each
 * region MAP_PRIVATE at firmware's address from state_fd() at
 * state_region_offset(): what a call writes are pages of the process's own.
 *
 * A commit is: the pages and the changes of the flash to the journal, one store
 * that makes it valid, then to the copy and to the chip, then one store that makes
 * it invalid. Killed at any point, the next state_recover() ends it or there was none.
 */
#ifndef LINUX_STATE_H
#define LINUX_STATE_H

#include "flash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_MAX_REGIONS 64
#define STATE_ERROR_CHARS 512
#define STATE_PAGE 4096u

/* What must be the same for a state to be this machine's, of this boot. */
struct state_identity {
	uint8_t boot[16]; /* /proc/sys/kernel/random/boot_id */
	uint64_t memory_map; /* state_hash() of it */
};

/* Of firmware's RAM; whole pages. */
struct state_region {
	uint64_t address; /* physical: part of the identity, else not used */
	uint64_t size_bytes;
};

struct state_config {
	const char
		*path; /* absolute; in a directory that is the daemon's alone */
	/* A descriptor of the state that somebody kept, for when there is no file
	 * at the path any more; it stays the caller's. 0: none. */
	int kept_fd;
	struct state_identity identity;
	const struct state_region *regions;
	unsigned region_count;
	uint64_t flash_bytes; /* room for a call's changes; 0: 1.5 MiB */
	/* Copies a region's RAM from the machine for a new state; false: it cannot. */
	void *context;
	bool (*fill)(void *context, unsigned region, void *into,
		     uint64_t size_bytes);
	/* Looks at a new state before it is one; false, and why: it is not made.
	 * NULL: every one is. */
	bool (*accept)(void *context, char *why, size_t why_chars);
	/* For tests: called before each store to the file. Else NULL. */
	void (*step)(void *context);
};

enum state_result {
	STATE_FAILED, /* state_error() */
	STATE_NEW, /* made from the machine's RAM */
	STATE_KEPT, /* of an earlier daemon of this boot */
};

struct state;

/*
 * Opens the state at the path, or makes it when there is none or it is of another
 * boot; atomically, mode 0600. What is there and is not a state, or not sound, is refused,
 * and not touched. *state is NULL only without memory; it is to be closed after
 * STATE_FAILED as well. Whether another daemon has it is not looked at.
 */
enum state_result state_open(struct state **state,
			     const struct state_config *config);
void state_close(struct state *state);

const char *state_error(const struct state *state);

int state_fd(const struct state *state);
/* Of a region, in the file: what to mmap() it at. */
uint64_t state_region_offset(const struct state *state, unsigned region);

/*
 * Ends the commit that a killed daemon had begun, if there is one; before the
 * regions are used and before the first call. flash may be NULL when there is
 * no chip. *was_pending (may be NULL): there was one. False: the chip did not
 * do it; the journal stays, nothing may be called.
 */
bool state_recover(struct state *state, struct flash *flash, bool *was_pending);

/*
 * Commits what the private mappings of the regions hold (mapping[region] is where
 * it begins in this process) and what flash_finish() has found; flash may be NULL.
 * dirty[region] has a byte for each page, 0 for those that nobody can have written
 * since the last commit or drop; NULL instead of it all: any may have been.
 * Both are then as committed: the pages dropped, flash_keep() done. Nothing
 * changed: nothing is written. STATE_COMMIT_REFUSED: it does not fit or cannot be
 * read: nothing has changed, drop the call. STATE_COMMIT_PENDING: the chip did not do it; the
 * journal stays valid; no more calls until state_recover() has succeeded.
 */
enum state_commit_result {
	STATE_COMMITTED,
	STATE_COMMIT_REFUSED,
	STATE_COMMIT_PENDING,
};

enum state_commit_result state_commit(struct state *state,
				      uint8_t *const *mapping,
				      const uint8_t *const *dirty,
				      struct flash *flash);

/* mapping[region] is of the process that called state_open(): it is not to be forked
 * in between. Drops what a call wrote in the private mappings; flash_drop() is the caller's. False:
 * the kernel did not; the mappings are not to be used. */
bool state_drop(struct state *state, uint8_t *const *mapping);

/* Pages of RAM in the latest commit, after those that were the same. */
uint64_t state_pages_committed(const struct state *state);

/* FNV-1a, 64 bits; `hash` is 0 or that of what came before. */
uint64_t state_hash(uint64_t hash, const void *bytes, size_t size_bytes);

#endif
