/* SPDX-License-Identifier: MIT */
/*
 * The state file: firmware's RAM as last committed, and the journal of the commit
 * that is under way. It lives on a tmpfs, for one boot. The daemon maps each
 * region MAP_PRIVATE at firmware's address from state_fd() at
 * state_region_offset(): what a call writes are pages of the process's own.
 *
 * A commit is: the pages and the changes of the flash to the journal, one store
 * that makes it valid, then to the chip, to the machine's RAM and to the copy, then
 * one store that makes it invalid. Killed at any point, the next state_recover() ends
 * it or there was none.
 *
 * The file has one layout and two versions. Of version 2 the machine's own RAM has
 * been kept as the copy is. Of version 1, the older one, it has not: it is as
 * firmware had it when it started the kernel. Either is taken up again as what it is.
 */
#ifndef LINUX_STATE_H
#define LINUX_STATE_H

#include "commit/flash.h"

#include <caesura/uefi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_MAX_REGIONS 64
#define STATE_ERROR_CHARS 512

/* What must be the same for a state to be this machine's, of this boot. */
struct state_identity {
	uint8_t boot[16]; /* /proc/sys/kernel/random/boot_id */
	uint64_t memory_map; /* hash_bytes() of it */
};

/* Of firmware's RAM; whole pages. */
struct state_region {
	uint64_t address; /* physical: part of the identity, else not used */
	uint64_t size_bytes;
};

/*
 * The machine's own RAM, a page of a region at a time. put() changes it from one
 * content to the other, and stores the words alone in which they differ: others may
 * be somebody else's. holds(): whether each word is that of the one or of the other;
 * changed_only: only the words in which the two differ are looked at.
 */
struct state_ram {
	void *context;
	void (*put)(void *context, unsigned region, uint64_t offset,
		    const uint8_t *before, const uint8_t *after);
	bool (*holds)(void *context, unsigned region, uint64_t offset,
		      const uint8_t *one, const uint8_t *other,
		      bool changed_only);
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
	/* NULL: the machine's RAM is left as it is, and the state is of version 1. */
	const struct state_ram *ram;
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

/*
 * Gives up a state that was kept, with the commit that was under way, and makes a new
 * one in its place as state_open() does: STATE_NEW or STATE_FAILED. After the
 * latter the file is as it was.
 */
enum state_result state_make_anew(struct state *state);

const char *state_error(const struct state *state);

int state_fd(const struct state *state);
/* Of a region, in the file: what to mmap() it at. */
uint64_t state_region_offset(const struct state *state, unsigned region);

/* Whether the machine's RAM is kept as the copy is: version 2. */
bool state_keeps_ram(const struct state *state);

/* Whether a killed daemon has left a commit to be ended. False: its journal is damaged. */
bool state_look(struct state *state, bool *is_pending);

/* A region's RAM as it was last committed, or, after a state_look() that has found
 * a commit, as that will leave it. */
void state_read(const struct state *state, unsigned region, bool is_after,
		uint8_t *into);

/*
 * Whether the commit that state_look() has found explains what the chip holds at
 * `offset`: each byte of `found` is as in `before`, or as some part of the commit
 * leaves it, also where a recovery has begun that again. False without memory, too.
 */
bool state_chip_is_on_way(const struct state *state, uint64_t offset,
			  const uint8_t *before, const uint8_t *found,
			  uint64_t size_bytes);

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
 * STATE_COMMIT_FOREIGN: the chip is not what it was when it was read, nothing has been
 * written, and the state is of no more use.
 */
enum state_commit_result {
	STATE_COMMITTED,
	STATE_COMMIT_REFUSED,
	STATE_COMMIT_FOREIGN,
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

#endif
