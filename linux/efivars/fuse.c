/* SPDX-License-Identifier: MIT */
/*
 * The tree, by libfuse's low-level interface. Names and attributes have no
 * lifetime in the kernel and contents no cache (direct_io): each stat and each read
 * comes here, and one write(2) comes as one request. The kernel splits those
 * only that are longer than any value may be, whose first part is refused.
 */
#define FUSE_USE_VERSION 312

#include "efivars/fuse.h"
#include "efivars/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fs.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <unistd.h>

/* Room for the library's own needs, and libfuse's. */
#define STACK_BYTES (256u << 10)
#define SOURCE "caesurad"
#define TYPE "fuse.caesurad"

struct fuse_front {
	struct fuse_session *session;
	struct cz *cz;
	struct tree *tree;
	char *mount_point;
	bool mounted;
	uint64_t deadline_ns;
	uint32_t threads;
	bool read_only;
	int stop_fd; /* readable for ever, once it is to stop */
	bool stopping; /* atomic */
};

/* ---- What every request needs ---- */

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

static uint64_t deadline_of(const struct fuse_front *front)
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

/* Of a request that may call firmware. */
static void begin(struct request *request, fuse_req_t fuse)
{
	request->front = front_of(fuse);
	request->fuse = fuse;
	request->limit.deadline_ns = deadline_of(request->front);
	request->limit.interrupted = is_interrupted;
	request->limit.argument = request;
}

/* error: 0 or negative. */
static void reply_error(fuse_req_t fuse, int error)
{
	fuse_reply_err(fuse, -error);
}

/* Of a file that is referred to, so that it is there. */
static struct fuse_entry_param describe(struct tree *tree, tree_id id)
{
	struct fuse_entry_param entry = {.ino = id};

	(void)tree_getattr(tree, id, &entry.attr);
	return entry;
}

/* ---- Names ---- */

/* Others would have firmware called as often as they can think of a name. */
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
	/* Its caller being gone, the kernel has nothing to forget. */
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

/* As many entries as there is room for. The number of bytes. */
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

/* The kernel asks for the extended flags before it sets the plain ones, and
 * itself sees to it that only CAP_LINUX_IMMUTABLE changes them. */
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

/* ---- What there is not ---- */

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

/* Without splice: pipes for each thread, and system calls to allow. */
static void op_init(void *argument, struct fuse_conn_info *connection)
{
	(void)argument;
	connection->want &=
		~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
			    FUSE_CAP_SPLICE_MOVE);
	connection->time_gran = 1;
}

static const struct fuse_lowlevel_ops operations = {
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

/* ---- Mounting ---- */

/* What kernels say of a mount whose daemon is dead; from 7.x on something else, if it
 * had not shaken hands yet. */
static bool is_of_a_dead(int error)
{
	return error == ENOTCONN || error == ECONNREFUSED ||
	       error == ECONNABORTED;
}

/* Nothing may be mounted there, but for what a dead daemon has left. */
static int clear_mount_point(const char *path)
{
	struct stat there, above;
	char parent[4096];

	while (stat(path, &there) != 0) {
		if (!is_of_a_dead(errno) || umount2(path, MNT_DETACH) != 0) {
			return errno;
		}
	}
	if (!S_ISDIR(there.st_mode)) {
		return ENOTDIR;
	}
	if (snprintf(parent, sizeof(parent), "%s/..", path) >=
	    (int)sizeof(parent)) {
		return ENAMETOOLONG;
	}
	if (stat(parent, &above) != 0) {
		return errno;
	}
	return above.st_dev == there.st_dev ? 0 : EBUSY;
}

/* Mounts by itself what libfuse would have a setuid helper mount. The device,
 * or a negative errno value. */
static int mount_device(const struct fuse_options *options)
{
	char data[128];
	int error = clear_mount_point(options->mount_point);
	int device;

	if (error != 0) {
		return -error;
	}
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (device < 0) {
		return -errno;
	}
	snprintf(data, sizeof(data),
		 "fd=%d,rootmode=40000,user_id=%u,group_id=%u,"
		 "default_permissions,allow_other",
		 device, geteuid(), getegid());
	if (mount(SOURCE, options->mount_point, TYPE,
		  MS_NOSUID | MS_NODEV | MS_NOEXEC |
			  (options->read_only ? MS_RDONLY : 0),
		  data) != 0) {
		error = errno;
		close(device);
		return -error;
	}
	return device;
}

/* The session takes the device over. */
static int open_session(struct fuse_front *front, int device)
{
	char *words[] = {"caesurad", NULL};
	struct fuse_args arguments = FUSE_ARGS_INIT(1, words);
	char path[32];

	front->session = fuse_session_new(&arguments, &operations,
					  sizeof(operations), front);
	fuse_opt_free_args(&arguments);
	if (front->session == NULL) {
		return ENOMEM;
	}
	snprintf(path, sizeof(path), "/dev/fd/%d", device);
	return fuse_session_mount(front->session, path) == 0 ? 0 : EIO;
}

static struct fuse_front *new_front(const struct fuse_options *options)
{
	struct fuse_front *front = calloc(1, sizeof(*front));

	if (front == NULL) {
		return NULL;
	}
	front->deadline_ns = options->deadline_ns != 0
				     ? options->deadline_ns
				     : FUSE_DEFAULT_DEADLINE_NS;
	front->threads =
		options->threads != 0 ? options->threads : FUSE_DEFAULT_THREADS;
	front->read_only = options->read_only;
	front->mount_point = strdup(options->mount_point);
	front->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (front->mount_point == NULL || front->stop_fd < 0) {
		fuse_detach(front);
		return NULL;
	}
	return front;
}

int fuse_attach(struct fuse_front **made, const struct fuse_options *options)
{
	struct fuse_front *front;
	int device, error;

	if (options->mount_point == NULL ||
	    options->threads > FUSE_MAX_THREADS) {
		return EINVAL;
	}
	front = new_front(options);
	if (front == NULL) {
		return ENOMEM;
	}
	device = mount_device(options);
	if (device < 0) {
		fuse_detach(front);
		return -device;
	}
	front->mounted = true;
	error = open_session(front, device);
	if (error != 0) {
		close(device);
		fuse_detach(front);
		return error;
	}
	*made = front;
	return 0;
}

void fuse_detach(struct fuse_front *front)
{
	if (front == NULL) {
		return;
	}
	if (front->mounted) {
		umount2(front->mount_point, MNT_DETACH);
	}
	if (front->session != NULL) {
		fuse_session_destroy(front->session);
	}
	if (front->stop_fd >= 0) {
		close(front->stop_fd);
	}
	free(front->mount_point);
	free(front);
}

/* ---- Serving ---- */

static void *serve(void *argument)
{
	struct fuse_front *front = argument;
	struct fuse_session *session = front->session;
	struct fuse_buf buffer = {0};
	struct pollfd events[] = {
		{.fd = fuse_session_fd(session), .events = POLLIN},
		{.fd = front->stop_fd, .events = POLLIN},
	};

	/* All threads wake up for each request, and one gets it. */
	while (!fuse_session_exited(session)) {
		int count = poll(events, 2, -1);

		if (count < 0) {
			continue;
		}
		if (events[1].revents != 0) {
			break;
		}
		count = fuse_session_receive_buf(session, &buffer);
		if (count > 0) {
			fuse_session_process_buf(session, &buffer);
		} else if (count != -EINTR && count != -EAGAIN) {
			break;
		}
	}
	free(buffer.mem);
	return NULL;
}

/* Signals are for the thread that called. */
static int start_threads(struct fuse_front *front, pthread_t *threads,
			 uint32_t *started)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int error = 0;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (*started = 0; *started < front->threads; ++*started) {
		error = pthread_create(&threads[*started], &attributes, serve,
				       front);
		if (error != 0) {
			break;
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

static int serve_on_threads(struct fuse_front *front)
{
	pthread_t threads[FUSE_MAX_THREADS];
	uint32_t started;
	int error = start_threads(front, threads, &started);

	if (error == 0) {
		serve(front);
	} else {
		fuse_stop(front);
	}
	for (uint32_t i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
	}
	return error;
}

static bool is_stopping(void *argument)
{
	const struct fuse_front *front = argument;

	return __atomic_load_n(&front->stopping, __ATOMIC_ACQUIRE);
}

int fuse_serve(struct fuse_front *front, struct cz *cz,
	       void (*ready)(void *argument), void *argument)
{
	struct efivars_limit limit = {0, is_stopping, front};
	int error;

	front->cz = cz;
	limit.deadline_ns = deadline_of(front);
	front->tree = tree_new(cz);
	if (front->tree == NULL) {
		return ENOMEM;
	}
	error = -tree_fill(front->tree, &limit);
	if (error == 0) {
		if (ready != NULL) {
			ready(argument);
		}
		error = serve_on_threads(front);
	}
	tree_free(front->tree);
	front->tree = NULL;
	return error;
}

void fuse_stop(struct fuse_front *front)
{
	const uint64_t one = 1;

	__atomic_store_n(&front->stopping, true, __ATOMIC_RELEASE);
	if (write(front->stop_fd, &one, sizeof(one)) < 0) {
		/* It is readable already. */
		return;
	}
}
