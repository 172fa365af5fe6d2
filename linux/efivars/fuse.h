/* SPDX-License-Identifier: MIT */
/*
 * The front end that needs no module: efivarfs's tree, by FUSE. What it shows is
 * tree.h's; here are the mount and the threads that serve it.
 *
 * Attaching needs CAP_SYS_ADMIN and /dev/fuse, and makes no call of firmware's: it
 * can come before cz_init(). Who opens a file meanwhile waits. Serving needs no
 * privilege and these system calls: read, readv, writev, poll, clone or clone3,
 * futex, memory, clock_gettime, clock_nanosleep and exit. Functions return 0 or
 * an errno value.
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
	uint64_t deadline_ns; /* of one request, relative; 0: the default */
	uint32_t threads; /* 0: the default */
	bool read_only; /* mounted so; EROFS, also when somebody remounts it */
};

/* An attached mount. */
struct fuse_front;

/*
 * Mounts. What a daemon that was killed has left mounted there (it answers
 * ENOTCONN) is taken away first. EBUSY: the directory is a mount point already,
 * of anything else; EINVAL, ENOMEM, or what mounting says, on standard error
 * too. options is copied.
 */
int fuse_attach(struct fuse_front **front, const struct fuse_options *options);

/*
 * Reads the variables' names and sizes from firmware, then serves, on as many
 * threads as said beside the calling one, until fuse_stop() or somebody
 * unmounts: 0. ready(argument), which may be NULL, is called once, when names
 * are known. An errno value when names could not be read, or a thread not made.
 * All calls of firmware's have ended, or been given up, when it returns.
 */
int fuse_serve(struct fuse_front *front, struct cz *cz,
	       void (*ready)(void *argument), void *argument);

/* Ends fuse_serve(), soon; requests in hand are answered. Any thread, any number
 * of times, also from a signal handler. */
void fuse_stop(struct fuse_front *front);

/*
 * Unmounts (with CAP_SYS_ADMIN; else the mount stays, dead, to be taken away by
 * umount or the next fuse_attach()) and frees. NULL: nothing.
 */
void fuse_detach(struct fuse_front *front);

#endif
