/* SPDX-License-Identifier: MIT */
/*
 * The directory that efivarfs shows: a file for each variable. The tree knows
 * what efivarfs keeps in its inodes: names, sizes, the immutable flag, times,
 * owners, and who has a file open.
 *
 * Nobody else changes variables, except firmware itself while it makes a write.
 * So firmware is asked for names and sizes once, at the start, as efivarfs
 * does. Later it is called for each read and each change, for a name that is
 * not known if the caller is privileged, for the size of a volatile variable at
 * its first lookup after a write of any variable, and for a file whose write
 * was given up. Other stat and readdir calls cost no call of firmware. A user
 * who may not write can cause only as many calls by lookups as writes have left
 * to be made.
 *
 * Operations return 0 or a negative errno value, as those of a file system do.
 * Any thread may call them. None holds the tree's lock while firmware is
 * called. The kernel's lock of the inode makes sure that writes to one file,
 * and its removal, come one at a time.
 */
#ifndef TREE_H
#define TREE_H

#include "efivars/efivars.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#define TREE_ROOT 1u

/* Identifies a file. The number is valid as long as the tree, and never used
 * again. */
typedef uint64_t tree_id;

struct tree;

/* The caller keeps cz. NULL: no memory. */
struct tree *tree_new(struct cz *cz);
void tree_free(struct tree *tree);

/* Adds all variables. -EINTR, -ETIMEDOUT, -ENOMEM, or -EOPNOTSUPP if firmware
 * cannot list them. */
int tree_fill(struct tree *tree, const struct efivars_limit *limit);

/* Finds a file by name. may_ask: asks firmware for a name that is not known.
 * -EINVAL: not a variable's name; -ENOENT. Adds a reference, as tree_create()
 * does. */
int tree_lookup(struct tree *tree, const char *name, bool may_ask,
		const struct efivars_limit *limit, tree_id *id);
/* Gives back references. */
void tree_forget(struct tree *tree, tree_id id, uint64_t count);

int tree_getattr(struct tree *tree, tree_id id, struct stat *stat);
/* Sets mode, owner and times to those of `to`; `what` has the bits of enum
 * tree_what. A new size is accepted without effect, since the next write
 * replaces the value. -EPERM: immutable. */
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

/* Returns the entry after `cookie`, which is 0 at first; "." and ".." come
 * before the files. Returns 1, or 0 after the last entry. `name` has room for
 * EFIVARS_FILE_NAME_BYTES. */
int tree_next(struct tree *tree, uint64_t *cookie, char *name, tree_id *id);

/* Opens a file, with the flags of open(2). -EPERM: the file is immutable, and
 * was to be written or truncated. The file is open until tree_close(). */
int tree_open(struct tree *tree, tree_id id, int flags);
void tree_close(struct tree *tree, tree_id id);

/*
 * Makes an empty file and opens it. The variable is made by the first write. A
 * file that is never written stays empty as long as the tree exists: fwupd
 * makes a file, clears its flag, and opens it again. If the file exists:
 * -EEXIST with O_EXCL, else as tree_open(). -EPERM: the random seed's GUID;
 * -EINVAL, -ENAMETOOLONG, -ENOSPC (too many).
 */
int tree_create(struct tree *tree, const char *name, mode_t mode, int flags,
		const struct efivars_limit *limit, tree_id *id);

/* Deletes the variable and the file. -EPERM: immutable. */
int tree_unlink(struct tree *tree, const char *name,
		const struct efivars_limit *limit);

/* Reads at most `size` bytes of a file, from `offset` on, by one call of
 * firmware. Returns their count. *part is where they are, in *bytes, which the
 * caller frees. Returns 0 past the end, and if there is no variable. */
ssize_t tree_read(struct tree *tree, tree_id id, size_t size, off_t offset,
		  const struct efivars_limit *limit, uint8_t **bytes,
		  const uint8_t **part);

/* Replaces the contents, wherever in the file they are written to. Returns the
 * count, as write(2) does. The file disappears with the variable. -EIO: it had
 * disappeared before. */
ssize_t tree_write(struct tree *tree, tree_id id, const void *bytes,
		   size_t size, const struct efivars_limit *limit);

/* For FS_IOC_GETFLAGS and FS_IOC_SETFLAGS: FS_IMMUTABLE_FL. -ENOTTY: the
 * directory; -EOPNOTSUPP: another flag. */
int tree_get_flags(struct tree *tree, tree_id id, uint32_t *flags);
int tree_set_flags(struct tree *tree, tree_id id, uint32_t flags);

/* Space of firmware's store, in blocks of one byte. */
int tree_statfs(struct tree *tree, const struct efivars_limit *limit,
		struct statvfs *statfs);

#endif
