/* SPDX-License-Identifier: MIT */
/*
 * efivarfs's tree: one directory of files, a file for each variable. It knows
 * what efivarfs keeps in its inodes: names, sizes, the immutable flag, times,
 * owners, who has a file open. Firmware is asked for names and sizes once, at the
 * start, as efivarfs does, since nobody else changes variables, but for firmware itself
 * in the course of a write; for a name that is not known, when who asks is privileged;
 * for the size of a volatile variable, when it is looked up the first time after a
 * write of any variable; for every read, and for every change. So stat and readdir of
 * what is known cost no firmware call otherwise, and whoever may not write makes none
 * by looking names up, but for those that a write has left to be made.
 *
 * Operations return 0 or a negative errno value, as a file system's do. Any thread
 * may call them; none holds the tree's lock while firmware is called. Writes to
 * one file, and its removal, come one at a time: the kernel sees to that, by the
 * lock of the inode.
 */
#ifndef TREE_H
#define TREE_H

#include "efivars/efivars.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#define TREE_ROOT 1u

/* Names a file, for as long as the tree lives; never used again. */
typedef uint64_t tree_id;

struct tree;

/* cz stays the caller's. NULL: no memory. */
struct tree *tree_new(struct cz *cz);
void tree_free(struct tree *tree);

/* All variables there are. -EINTR, -ETIMEDOUT, -ENOMEM, or -EOPNOTSUPP when
 * firmware cannot list them. */
int tree_fill(struct tree *tree, const struct efivars_limit *limit);

/*
 * A file by name. may_ask: a name that is not known is asked of firmware. -EINVAL: not
 * a variable's name; -ENOENT. Adds a reference, as tree_create() does.
 */
int tree_lookup(struct tree *tree, const char *name, bool may_ask,
		const struct efivars_limit *limit, tree_id *id);
/* Gives references back. */
void tree_forget(struct tree *tree, tree_id id, uint64_t count);

int tree_getattr(struct tree *tree, tree_id id, struct stat *stat);
/*
 * Takes mode, owner and times from `to`, as far as `what` says. A new size is
 * accepted and changes nothing: the value is replaced by what is written next.
 * -EPERM: immutable.
 */
enum tree_what {
	TREE_MODE = 1,
	TREE_UID = 2,
	TREE_GID = 4,
	TREE_SIZE = 8,
	TREE_ATIME = 16,
	TREE_MTIME = 32,
	TREE_CTIME = 64,
};
int tree_setattr(struct tree *tree, tree_id id, const struct stat *to,
		 unsigned what);

/* The entry after `cookie` (0: the first), "." and ".." before the files. 1, or
 * 0 when there is none. `name` has room for EFIVARS_FILE_NAME_BYTES. */
int tree_next(struct tree *tree, uint64_t *cookie, char *name, tree_id *id);

/*
 * flags: open(2)'s. -EPERM: immutable, and to be written or truncated. The caller
 * has a file open until tree_close().
 */
int tree_open(struct tree *tree, tree_id id, int flags);
void tree_close(struct tree *tree, tree_id id);

/*
 * Makes an empty file, and opens it: the variable comes with what is written. A
 * file that is never written stays, empty, as long as the tree does (fwupd
 * makes it, clears the flag, and opens it again). -EEXIST with O_EXCL, else as
 * tree_open() when there is one. -EPERM: the random seed's GUID; -EINVAL,
 * -ENAMETOOLONG, -ENOSPC (too many).
 */
int tree_create(struct tree *tree, const char *name, mode_t mode, int flags,
		const struct efivars_limit *limit, tree_id *id);

/* Deletes the variable and the file. -EPERM: immutable. */
int tree_unlink(struct tree *tree, const char *name,
		const struct efivars_limit *limit);

/*
 * The part of a file from offset on, at most size bytes: *bytes to free(), and
 * their count. One call of firmware's. 0 past the end, and of a variable that
 * is not there.
 */
ssize_t tree_read(struct tree *tree, tree_id id, size_t size, off_t offset,
		  const struct efivars_limit *limit, uint8_t **bytes,
		  const uint8_t **part);

/*
 * The contents as a whole, wherever in the file it is written to: the count, as
 * write(2). The file is gone when the variable is. -EIO: it was gone before.
 */
ssize_t tree_write(struct tree *tree, tree_id id, const void *bytes,
		   size_t size, const struct efivars_limit *limit);

/* FS_IOC_GETFLAGS and FS_IOC_SETFLAGS: FS_IMMUTABLE_FL. -ENOTTY: the directory;
 * -EOPNOTSUPP: another flag. */
int tree_get_flags(struct tree *tree, tree_id id, uint32_t *flags);
int tree_set_flags(struct tree *tree, tree_id id, uint32_t flags);

/* Bytes of firmware's store, in blocks of 1 byte. */
int tree_statfs(struct tree *tree, const struct efivars_limit *limit,
		struct statvfs *statfs);

#endif
