/* SPDX-License-Identifier: MIT */
/*
 * Answers of the tree to requests, by libfuse's low-level interface. The kernel
 * caches neither names and attributes (their lifetime is 0) nor contents
 * (direct_io): each stat and each read comes here, and one write(2) comes as
 * one request. The kernel splits only writes that are longer than any value may
 * be; the first part of such a write is refused.
 */
#include "efivars/fuse_internal.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Requests ---- */

struct request {
	struct fuse_front *front;
	fuse_req_t fuse;
	struct efivars_limit limit;
};

static bool is_interrupted(void *argument)
{
	const struct request *request = argument;

	return __atomic_load_n(&request->front->stopping, __ATOMIC_ACQUIRE) ||
	       fuse_req_interrupted(request->fuse) != 0;
}

uint64_t fuse_deadline_ns(const struct fuse_front *front)
{
	uint64_t now = cz_host_now_ns(front->cz->host);

	return front->deadline_ns < CZ_FOREVER - now ? now + front->deadline_ns
						     : CZ_FOREVER;
}

static struct fuse_front *front_of(fuse_req_t fuse)
{
	return fuse_req_userdata(fuse);
}

static struct tree *tree_of(fuse_req_t fuse)
{
	return front_of(fuse)->tree;
}

/* Begins a request that may call firmware. */
static void begin(struct request *request, fuse_req_t fuse)
{
	request->front = front_of(fuse);
	request->fuse = fuse;
	request->limit.deadline_ns = fuse_deadline_ns(request->front);
	request->limit.interrupted = is_interrupted;
	request->limit.argument = request;
}

/* error is 0 or negative. */
static void reply_error(fuse_req_t fuse, int error)
{
	fuse_reply_err(fuse, -error);
}

/* The file exists, since the caller has a reference to it. */
static struct fuse_entry_param describe(struct tree *tree, tree_id id)
{
	struct fuse_entry_param entry = {.ino = id};

	(void)tree_getattr(tree, id, &entry.attr);
	return entry;
}

/* ---- Names ---- */

/* Only root may look up names that are not known: each costs a call of
 * firmware, and anybody could invent any number of them. */
static bool is_root(fuse_req_t fuse)
{
	return fuse_req_ctx(fuse)->uid == 0;
}

static void op_lookup(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	struct tree *tree = tree_of(fuse);
	struct fuse_entry_param entry;
	struct request request;
	tree_id id;
	int error = -ENOENT;

	begin(&request, fuse);
	if (parent == FUSE_ROOT_ID) {
		error = tree_lookup(tree, name, is_root(fuse), &request.limit,
				    &id);
	}
	if (error != 0) {
		reply_error(fuse, error);
		return;
	}
	entry = describe(tree, id);
	/* -ENOENT: the request was interrupted, so the kernel will not forget
	 * the entry. */
	if (fuse_reply_entry(fuse, &entry) == -ENOENT) {
		tree_forget(tree, id, 1);
	}
}

static void op_forget(fuse_req_t fuse, fuse_ino_t ino, uint64_t count)
{
	tree_forget(tree_of(fuse), ino, count);
	fuse_reply_none(fuse);
}

static void op_forget_multi(fuse_req_t fuse, size_t count,
			    struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++) {
		tree_forget(tree_of(fuse), forgets[i].ino, forgets[i].nlookup);
	}
	fuse_reply_none(fuse);
}

static void op_opendir(fuse_req_t fuse, fuse_ino_t ino,
		       struct fuse_file_info *file)
{
	(void)ino;
	fuse_reply_open(fuse, file);
}

/* Adds as many entries as fit. Returns the number of bytes. */
static size_t fill_directory(fuse_req_t fuse, char *buffer, size_t size,
			     uint64_t cookie)
{
	char name[EFIVARS_FILE_NAME_BYTES];
	size_t used = 0;
	tree_id id;

	while (tree_next(tree_of(fuse), &cookie, name, &id) == 1) {
		struct stat stat;
		size_t bytes;

		if (tree_getattr(tree_of(fuse), id, &stat) != 0) {
			continue;
		}
		bytes = fuse_add_direntry(fuse, buffer + used, size - used,
					  name, &stat, (off_t)cookie);
		if (bytes > size - used) {
			break;
		}
		used += bytes;
	}
	return used;
}

static void op_readdir(fuse_req_t fuse, fuse_ino_t ino, size_t size,
		       off_t offset, struct fuse_file_info *file)
{
	char *buffer;

	(void)file;
	if (ino != FUSE_ROOT_ID) {
		reply_error(fuse, -ENOTDIR);
		return;
	}
	buffer = malloc(size);
	if (buffer == NULL) {
		reply_error(fuse, -ENOMEM);
		return;
	}
	size = fill_directory(fuse, buffer, size, (uint64_t)offset);
	fuse_reply_buf(fuse, buffer, size);
	free(buffer);
}

/* ---- Attributes ---- */

static void op_getattr(fuse_req_t fuse, fuse_ino_t ino,
		       struct fuse_file_info *file)
{
	struct stat stat;
	int error = tree_getattr(tree_of(fuse), ino, &stat);

	(void)file;
	if (error != 0) {
		reply_error(fuse, error);
		return;
	}
	fuse_reply_attr(fuse, &stat, 0);
}

static unsigned what_to_set(struct stat *to, int set)
{
	static const struct {
		int set;
		unsigned what;
	} parts[] = {
		{FUSE_SET_ATTR_MODE, TREE_MODE},
		{FUSE_SET_ATTR_UID, TREE_UID},
		{FUSE_SET_ATTR_GID, TREE_GID},
		{FUSE_SET_ATTR_SIZE, TREE_SIZE},
		{FUSE_SET_ATTR_ATIME, TREE_ATIME},
		{FUSE_SET_ATTR_MTIME, TREE_MTIME},
		{FUSE_SET_ATTR_CTIME, TREE_CTIME},
	};
	unsigned what = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if ((set & parts[i].set) != 0) {
			what |= parts[i].what;
		}
	}
	if ((set & FUSE_SET_ATTR_ATIME_NOW) != 0) {
		clock_gettime(CLOCK_REALTIME, &to->st_atim);
		what |= TREE_ATIME;
	}
	if ((set & FUSE_SET_ATTR_MTIME_NOW) != 0) {
		clock_gettime(CLOCK_REALTIME, &to->st_mtim);
		what |= TREE_MTIME;
	}
	return what;
}

static void op_setattr(fuse_req_t fuse, fuse_ino_t ino, struct stat *to,
		       int set, struct fuse_file_info *file)
{
	unsigned what = what_to_set(to, set);
	int error = tree_setattr(tree_of(fuse), ino, to, what);

	if (error != 0) {
		reply_error(fuse, error);
		return;
	}
	op_getattr(fuse, ino, file);
}

static void op_statfs(fuse_req_t fuse, fuse_ino_t ino)
{
	struct request request;
	struct statvfs statfs;
	int error;

	begin(&request, fuse);
	(void)ino;
	error = tree_statfs(tree_of(fuse), &request.limit, &statfs);
	if (error != 0) {
		reply_error(fuse, error);
		return;
	}
	fuse_reply_statfs(fuse, &statfs);
}

/* The kernel reads the extended flags before it sets the plain ones. It checks
 * CAP_LINUX_IMMUTABLE itself. */
static void op_ioctl(fuse_req_t fuse, fuse_ino_t ino, unsigned command,
		     void *argument, struct fuse_file_info *file,
		     unsigned ioctl_flags, const void *in, size_t in_bytes,
		     size_t out_bytes)
{
	struct fsxattr extended = {0};
	uint32_t flags;
	int error = tree_get_flags(tree_of(fuse), ino, &flags);

	(void)argument;
	(void)file;
	(void)ioctl_flags;
	if (error != 0) {
		reply_error(fuse, error);
	} else if (command == (unsigned)FS_IOC_GETFLAGS &&
		   out_bytes >= sizeof(flags)) {
		fuse_reply_ioctl(fuse, 0, &flags, sizeof(flags));
	} else if (command == (unsigned)FS_IOC_FSGETXATTR &&
		   out_bytes >= sizeof(extended)) {
		extended.fsx_xflags = flags != 0 ? FS_XFLAG_IMMUTABLE : 0;
		fuse_reply_ioctl(fuse, 0, &extended, sizeof(extended));
	} else if (command == (unsigned)FS_IOC_SETFLAGS &&
		   in_bytes >= sizeof(flags)) {
		memcpy(&flags, in, sizeof(flags));
		error = tree_set_flags(tree_of(fuse), ino, flags);
		if (error != 0) {
			reply_error(fuse, error);
		} else {
			fuse_reply_ioctl(fuse, 0, NULL, 0);
		}
	} else if (command == (unsigned)FS_IOC_FSSETXATTR) {
		reply_error(fuse, -EOPNOTSUPP);
	} else {
		reply_error(fuse, -ENOTTY);
	}
}

/* ---- Files ---- */

static void op_open(fuse_req_t fuse, fuse_ino_t ino,
		    struct fuse_file_info *file)
{
	struct tree *tree = tree_of(fuse);
	int error = tree_open(tree, ino, file->flags);

	if (error != 0) {
		reply_error(fuse, error);
		return;
	}
	file->direct_io = 1;
	if (fuse_reply_open(fuse, file) == -ENOENT) {
		tree_close(tree, ino);
	}
}

static void op_create(fuse_req_t fuse, fuse_ino_t parent, const char *name,
		      mode_t mode, struct fuse_file_info *file)
{
	struct tree *tree = tree_of(fuse);
	struct fuse_entry_param entry;
	struct request request;
	tree_id id;
	int error = -ENOENT;

	begin(&request, fuse);
	if (request.front->read_only) {
		error = -EROFS;
	} else if (parent == FUSE_ROOT_ID) {
		error = tree_create(tree, name, mode, file->flags,
				    &request.limit, &id);
	}
	if (error != 0) {
		reply_error(fuse, error);
		return;
	}
	file->direct_io = 1;
	entry = describe(tree, id);
	if (fuse_reply_create(fuse, &entry, file) == -ENOENT) {
		tree_close(tree, id);
		tree_forget(tree, id, 1);
	}
}

static void op_release(fuse_req_t fuse, fuse_ino_t ino,
		       struct fuse_file_info *file)
{
	(void)file;
	tree_close(tree_of(fuse), ino);
	reply_error(fuse, 0);
}

static void op_read(fuse_req_t fuse, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *file)
{
	struct request request;
	const uint8_t *part;
	uint8_t *bytes;
	ssize_t count;

	begin(&request, fuse);
	(void)file;
	count = tree_read(tree_of(fuse), ino, size, offset, &request.limit,
			  &bytes, &part);
	if (count < 0) {
		reply_error(fuse, (int)count);
		return;
	}
	fuse_reply_buf(fuse, (const char *)part, (size_t)count);
	free(bytes);
}

static void op_write(fuse_req_t fuse, fuse_ino_t ino, const char *bytes,
		     size_t size, off_t offset, struct fuse_file_info *file)
{
	struct request request;
	ssize_t count;

	begin(&request, fuse);
	(void)offset;
	(void)file;
	count = request.front->read_only ? -EROFS
					 : tree_write(tree_of(fuse), ino, bytes,
						      size, &request.limit);
	if (count < 0) {
		reply_error(fuse, (int)count);
		return;
	}
	fuse_reply_write(fuse, (size_t)count);
}

static void op_unlink(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	struct request request;
	int error = -ENOENT;

	begin(&request, fuse);
	if (request.front->read_only) {
		error = -EROFS;
	} else if (parent == FUSE_ROOT_ID) {
		error = tree_unlink(tree_of(fuse), name, &request.limit);
	}
	reply_error(fuse, error);
}

/* ---- Unsupported operations ---- */

static void op_mkdir(fuse_req_t fuse, fuse_ino_t parent, const char *name,
		     mode_t mode)
{
	(void)parent;
	(void)name;
	(void)mode;
	reply_error(fuse, -EPERM);
}

static void op_mknod(fuse_req_t fuse, fuse_ino_t parent, const char *name,
		     mode_t mode, dev_t device)
{
	(void)device;
	op_mkdir(fuse, parent, name, mode);
}

static void op_rmdir(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	op_mkdir(fuse, parent, name, 0);
}

static void op_symlink(fuse_req_t fuse, const char *target, fuse_ino_t parent,
		       const char *name)
{
	(void)target;
	op_mkdir(fuse, parent, name, 0);
}

static void op_link(fuse_req_t fuse, fuse_ino_t ino, fuse_ino_t parent,
		    const char *name)
{
	(void)ino;
	op_mkdir(fuse, parent, name, 0);
}

static void op_rename(fuse_req_t fuse, fuse_ino_t parent, const char *name,
		      fuse_ino_t new_parent, const char *new_name,
		      unsigned flags)
{
	(void)new_parent;
	(void)new_name;
	(void)flags;
	op_mkdir(fuse, parent, name, 0);
}

/* ---- The session ---- */

/* Without splice, which needs pipes for each thread, and more system calls. */
static void op_init(void *argument, struct fuse_conn_info *connection)
{
	(void)argument;
	connection->want &=
		~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
			    FUSE_CAP_SPLICE_MOVE);
	connection->time_gran = 1;
}

const struct fuse_lowlevel_ops fuse_operations = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.statfs = op_statfs,
	.ioctl = op_ioctl,
	.open = op_open,
	.create = op_create,
	.release = op_release,
	.read = op_read,
	.write = op_write,
	.unlink = op_unlink,
	.mkdir = op_mkdir,
	.mknod = op_mknod,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.link = op_link,
	.rename = op_rename,
};
