/* SPDX-License-Identifier: MIT */
/* The mount, and the threads that serve it; see fuse.h. */
#include "efivars/fuse_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Enough for the library and libfuse. */
#define STACK_BYTES (256u << 10)
#define SOURCE "caesurad"
#define TYPE "fuse.caesurad"

/* ---- Mounting ---- */

/* Errors for a mount whose daemon is dead. Kernels from 7.x on return another
 * one if the daemon had not answered FUSE_INIT yet. */
static bool is_of_a_dead(int error)
{
	return error == ENOTCONN || error == ECONNREFUSED ||
	       error == ECONNABORTED;
}

/* Checks that nothing is mounted there, after unmounting what a dead daemon has
 * left. */
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

/* Mounts by itself; libfuse would use a setuid helper. Returns the device, or a
 * negative errno value. */
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

/* The session owns the device from then on. */
static int open_session(struct fuse_front *front, int device)
{
	char *words[] = {"caesurad", NULL};
	struct fuse_args arguments = FUSE_ARGS_INIT(1, words);
	char path[32];

	front->session = fuse_session_new(&arguments, &fuse_operations,
					  sizeof(fuse_operations), front);
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

	/* Each request wakes all threads up, and one of them gets it. */
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

/* Signals are blocked here, so that the calling thread gets them. */
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
	limit.deadline_ns = fuse_deadline_ns(front);
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
		/* The counter is at its maximum, so it is readable already. */
		return;
	}
}
