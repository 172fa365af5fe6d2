/* SPDX-License-Identifier: MIT */
/*
 * The state file: firmware's RAM as last committed, and the journal of the
 * commit that is under way. It lives on a tmpfs, for one boot. The daemon maps
 * each region MAP_PRIVATE, from state_fd() at state_region_offset(), at
 * firmware's address. So what a call writes goes to private pages of the
 * process.
 *
 * A commit writes the pages and the store's changes to the journal, and marks
 * the journal valid by one write. Then it applies the changes to the store, and
 * the pages to the machine's RAM and to the file's copy, and marks the journal
 * invalid by one write. If the daemon is killed at any point, the next
 * state_recover() completes the commit, or there was none.
 *
 * The file has one layout and two versions. With version 2 commits reach the
 * machine's own RAM as well. With version 1, the older one, they do not: that
 * RAM is as firmware left it when it started the kernel. A state of either
 * version is taken up as what it is.
 */
#ifndef LINUX_STATE_H
#define LINUX_STATE_H

#include "commit/store.h"

#include <caesura/uefi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_MAX_REGIONS 64
#define STATE_ERROR_CHARS 512

/* A state belongs to this machine and this boot if these are the same. */
struct state_identity {
	uint8_t boot[16]; /* from /proc/sys/kernel/random/boot_id */
	uint64_t memory_map; /* hash_bytes() of it */
};

/* A region of firmware's RAM, in whole pages. */
struct state_region {
	uint64_t address; /* physical; only compared, as part of the identity */
	uint64_t size_bytes;
};

/*
 * Access to the machine's own RAM, one page of a region at a time. put()
 * changes the page from one content to another; it stores only the words in
 * which the two differ, since somebody else may have changed others. holds()
 * tells whether each word has either of two contents; with changed_only it
 * looks only at words in which the two differ.
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
	/* Absolute, in a directory that only the daemon can write to. */
	const char *path;
	/* A descriptor of the state that systemd kept, to be used if there is
	 * no file at the path. The caller keeps it. 0: none. */
	int kept_fd;
	struct state_identity identity;
	const struct state_region *regions;
	unsigned region_count;
	/* Room for a call's changes of the store; 0: 1.5 MiB. */
	uint64_t store_bytes;
	/* Copies a region of RAM from the machine into a new state. False: it
	 * cannot. */
	void *context;
	bool (*fill)(void *context, unsigned region, void *into,
		     uint64_t size_bytes);
	/* Checks a new state before it is put in place. False, and why, to
	 * refuse it. NULL: no check. */
	bool (*accept)(void *context, char *why, size_t why_chars);
	/* NULL: commits do not reach the machine's RAM, and the state has
	 * version 1. */
	const struct state_ram *ram;
	/* For tests, else NULL: called before each write to the file. */
	void (*step)(void *context);
};

enum state_result {
	STATE_FAILED, /* see state_error() */
	STATE_NEW, /* a new one, made from the machine's RAM */
	STATE_KEPT, /* one that an earlier daemon of this boot left */
};

struct state;

/*
 * Opens the state at the path, or makes a new one, atomically and with mode
 * 0600, if there is none or if it is of another boot. A file that is not a
 * state, or not sound, is refused and left as it is. *state is NULL only if
 * memory is short; it must be closed after STATE_FAILED as well. Does not check
 * whether another daemon uses the state.
 */
enum state_result state_open(struct state **state,
			     const struct state_config *config);
void state_close(struct state *state);

/* Discards a state that was kept, with a commit that was under way, and makes a
 * new one in its place, as state_open() does. Returns STATE_NEW, or
 * STATE_FAILED: then the file has not changed. */
enum state_result state_make_anew(struct state *state);

const char *state_error(const struct state *state);

int state_fd(const struct state *state);
/* The offset of a region in the file, for mmap(). */
uint64_t state_region_offset(const struct state *state, unsigned region);

/* Whether commits reach the machine's RAM: version 2. */
bool state_keeps_ram(const struct state *state);

/* Finds out whether a killed daemon left a commit to be completed. False: its
 * journal is damaged. */
bool state_look(struct state *state, bool *is_pending);

/* Copies a region as last committed. is_after: as the commit that state_look()
 * has found will leave it, if there is one. */
void state_read(const struct state *state, unsigned region, bool is_after,
		uint8_t *into);

/*
 * Whether the commit that state_look() has found explains what the chip holds
 * at `offset`: each byte of `found` is as in `before`, or as the commit leaves
 * it at some point, also if a recovery began to apply it again. False if memory
 * is short, too.
 */
bool state_chip_is_on_way(const struct state *state, uint64_t offset,
			  const uint8_t *before, const uint8_t *found,
			  uint64_t size_bytes);

/*
 * Completes the commit that a killed daemon began, if there is one. Called
 * before the regions are used and before the first call. store: NULL if there
 * is none. *was_pending, which may be NULL: whether there was a commit. False:
 * the store has failed; the journal stays valid, and no call may be made.
 */
bool state_recover(struct state *state, const struct store *store,
		   bool *was_pending);

/*
 * Commits what the private mappings of the regions hold, and the changes of the
 * store. mapping[region] is where a region begins in this process.
 * dirty[region] has a byte for each page, which is 0 if the page cannot have
 * been written since the last commit or drop; dirty may be NULL: any page may
 * have been. store may be NULL.
 *
 * STATE_COMMITTED: mappings and store are as committed, private pages are
 * dropped, and the store's keep() has been called. Without changes nothing is
 * written. STATE_COMMIT_REFUSED: the commit does not fit or cannot be written.
 * Nothing has changed; the call must be dropped. STATE_COMMIT_FOREIGN: somebody
 * else has written to the store. Nothing has been written, and the state is
 * useless from now on. STATE_COMMIT_PENDING: the store has failed. The journal
 * stays valid; no call may be made before state_recover() has succeeded.
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
				      const struct store *store);

/*
 * Drops what a call wrote in the private mappings, which must be those of the
 * process that called state_open(), without a fork() in between. The caller
 * drops the store's changes. False: the kernel failed to, and the mappings must
 * not be used any more.
 */
bool state_drop(struct state *state, uint8_t *const *mapping);

/* The pages of RAM in the latest commit, without those that were written but
 * did not change. */
uint64_t state_pages_committed(const struct state *state);

#endif
