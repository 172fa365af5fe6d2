/* SPDX-License-Identifier: MIT */
/* Shared by fuse.c, which mounts and serves, and fuse_ops.c, which answers
 * requests. */
#ifndef FUSE_INTERNAL_H
#define FUSE_INTERNAL_H

#define FUSE_USE_VERSION 312

#include "efivars/fuse.h"
#include "efivars/tree.h"

#include <fuse_lowlevel.h>

struct fuse_front {
	struct fuse_session *session;
	struct cz *cz;
	struct tree *tree;
	char *mount_point;
	bool mounted;
	uint64_t deadline_ns;
	uint32_t threads;
	bool read_only;
	int stop_fd; /* stays readable once fuse_stop() has been called */
	bool stopping; /* atomic */
};

/* Returns the deadline of a request that begins now. */
uint64_t fuse_deadline_ns(const struct fuse_front *front);

extern const struct fuse_lowlevel_ops fuse_operations;

#endif
