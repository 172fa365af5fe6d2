/* SPDX-License-Identifier: MIT */
/*
 * The tree's nodes, which tree.c, tree_lookup.c and tree_nodes.c share; see tree.h. One
 * lock guards them. It is never held across a call of firmware's: an operation looks
 * its file up, lets go, calls, and looks again for what has become of the file
 * meanwhile.
 */
#ifndef TREE_INTERNAL_H
#define TREE_INTERNAL_H

#include "efivars/tree.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#define FIRST_FILE 3u /* after the root and what ".." is counted as */

struct node {
	tree_id id;
	char *file_name;
	struct efivars_name name;
	bool linked; /* still in the directory */
	bool immutable;
	/* Changes whose callers gave up before firmware had ended them; and how many
	 * of these had been noted when firmware was last asked what the file is. */
	uint64_t given_up, settled;
	size_t size_bytes; /* of the file: 0, or attributes and value */
	bool is_volatile; /* firmware itself may make up the value */
	uint64_t sized_after; /* tree->writes when the size was asked for */
	uint64_t references; /* the kernel's */
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
	struct node **files; /* by rising id */
	size_t count, room;
	tree_id next_id;
	uint64_t writes; /* that were tried, of any variable */
};

/* ---- tree_nodes.c; the lock is held ---- */

struct timespec tree_now(void);
void node_set_times(struct node *node);
void node_free(struct node *node);

/* Where the first file with an id above `id` is. */
size_t tree_index_after(const struct tree *tree, tree_id id);

/* NULL: there is none. */
struct node *tree_node(struct tree *tree, tree_id id);
struct node *tree_file(struct tree *tree, tree_id id);
struct node *tree_file_by_name(struct tree *tree, const char *name);

/* What firmware says of a variable, asked for when tree->writes was `writes`. */
void node_describe(struct node *node, size_t value_bytes, uint32_t attributes,
		   uint64_t writes);

/* NULL: no memory. */
struct node *tree_add(struct tree *tree, const struct efivars_name *name);

/* Frees a node that nobody can come by any more. */
void tree_drop_if_unused(struct tree *tree, struct node *node);
void tree_unlink_node(struct tree *tree, struct node *node);

/* ---- tree_nodes.c; they take the lock ---- */

/* tree->writes. */
uint64_t tree_writes(struct tree *tree);

/* What was known before a write that was tried may be otherwise now. */
void tree_note_write(struct tree *tree);

/* A write or a removal has been given up, and firmware has not ended it. */
void tree_note_unsure(struct tree *tree, tree_id id);

#endif
