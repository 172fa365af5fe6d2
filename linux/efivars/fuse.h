/* SPDX-License-Identifier: MIT */
/*
 * The front end that needs no module: shows the files of tree.h by FUSE. This
 * is the mount, and the threads that serve it.
 *
 * Attaching needs CAP_SYS_ADMIN and /dev/fuse. It makes no call of firmware,
 * and can come before cz_init(); whoever opens a file meanwhile waits. Serving
 * needs no privilege and these system calls: read, readv, writev, poll, clone
 * or clone3, futex, those for memory, clock_gettime, clock_nanosleep and exit.
 * Functions return 0 or an errno value.
 */
#ifndef FUSE_FRONT_H
#define FUSE_FRONT_H

#include <caesura/caesura.h>
#include <stdbool.h>
#include <stdint.h>

#define FUSE_DEFAULT_DEADLINE_NS 60000000000ull
#define FUSE_DEFAULT_THREADS 4u
#define FUSE_MAX_THREADS 32u

struct fuse_options {
	const char *mount_point; /* an existing directory */
	uint64_t deadline_ns; /* limit of a request; 0: the default */
	uint32_t threads; /* 0: the default */
	/* Mounts read-only. Writes fail with EROFS even if somebody remounts
	 * it. */
	bool read_only;
};

/* An attached mount. */
struct fuse_front;

/* Mounts. First unmounts what a daemon that was killed has left there, which
 * answers ENOTCONN. EBUSY: something else is mounted there; EINVAL, ENOMEM, or
 * the error of mounting, which is also on standard error. options is copied. */
int fuse_attach(struct fuse_front **front, const struct fuse_options *options);

/*
 * Reads the variables' names and sizes from firmware. Then serves, on the
 * calling thread and on as many others as the options say, until fuse_stop() or
 * until somebody unmounts, and returns 0. ready(argument), which may be NULL,
 * is called once, when names are known. Returns an errno value if names cannot
 * be read or a thread cannot be started. When it returns, all calls of firmware
 * have ended or been given up.
 */
int fuse_serve(struct fuse_front *front, struct cz *cz,
	       void (*ready)(void *argument), void *argument);

/* Ends fuse_serve() soon; requests that have begun are answered. Any thread may
 * call it any number of times, and so may a signal handler. */
void fuse_stop(struct fuse_front *front);

/* Unmounts and frees. Without CAP_SYS_ADMIN a dead mount stays, for umount or
 * for the next fuse_attach() to remove. NULL: does nothing. */
void fuse_detach(struct fuse_front *front);

#endif
