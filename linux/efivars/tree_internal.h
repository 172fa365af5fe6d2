/* SPDX-License-Identifier: MIT */
/*
 * The tree's nodes, which tree.c, tree_lookup.c and tree_nodes.c share; see
 * tree.h. One lock guards them. It is never held across a call of firmware: an
 * operation finds its file, releases the lock, makes the call, takes the lock
 * again, and finds the file again, since it may have changed or disappeared.
 */
#ifndef TREE_INTERNAL_H
#define TREE_INTERNAL_H

#include "efivars/tree.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#define FIRST_FILE 3u /* 1 is the root, and 2 the cookie of ".." */

struct node {
	tree_id id;
	char *file_name;
	struct efivars_name name;
	bool linked; /* still in the directory */
	bool immutable;
	/* How many changes were given up before firmware ended them,
	 * and how many of these firmware's latest answer about the file
	 * accounts for. */
	uint64_t given_up, settled;
	size_t size_bytes; /* of the file: 0, or attributes and value */
	bool is_volatile; /* firmware itself may change the value */
	/* tree->writes when firmware was asked for the size */
	uint64_t sized_after;
	uint64_t references; /* references of the kernel */
	uint32_t open_count;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec atime, mtime, ctime;
};

struct tree {
	struct cz *cz;

	/* Guarded by lock. */
	pthread_mutex_t lock;
	struct node root;
	struct node **files; /* in ascending order of id */
	size_t count, room;
	tree_id next_id;
	uint64_t writes; /* attempted writes, of any variable */
};

/* ---- tree_nodes.c; the caller holds the lock ---- */

struct timespec tree_now(void);
void node_set_times(struct node *node);
void node_free(struct node *node);

/* Returns the index of the first file with an id above `id`. */
size_t tree_index_after(const struct tree *tree, tree_id id);

/* Return NULL if there is none. tree_file() and tree_file_by_name() do not
 * return the directory. */
struct node *tree_node(struct tree *tree, tree_id id);
struct node *tree_file(struct tree *tree, tree_id id);
struct node *tree_file_by_name(struct tree *tree, const char *name);

/* Sets size and kind from firmware's answer. `writes` is tree->writes before
 * firmware was asked. */
void node_describe(struct node *node, size_t value_bytes, uint32_t attributes,
		   uint64_t writes);

/* NULL: no memory. */
struct node *tree_add(struct tree *tree, const struct efivars_name *name);

/* Frees a node that is neither linked, nor open, nor referred to. */
void tree_drop_if_unused(struct tree *tree, struct node *node);
void tree_unlink_node(struct tree *tree, struct node *node);

/* ---- tree_nodes.c; these take the lock ---- */

/* Returns tree->writes. */
uint64_t tree_writes(struct tree *tree);

/* Notes an attempted write: sizes of volatile variables may have changed. */
void tree_note_write(struct tree *tree);

/* Notes that a write or a removal was given up, and firmware has not
 * ended it. */
void tree_note_unsure(struct tree *tree, tree_id id);

#endif
