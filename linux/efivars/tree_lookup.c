/* SPDX-License-Identifier: MIT */
/* Names: those that firmware lists, and lookups of one. */
#include "efivars/tree_internal.h"

#include <errno.h>
#include <string.h>

/* FUSE_NAME_MAX of kernels up to 6.12. A longer name makes readdir fail. */
#define MAX_NAME_CHARS 1024u

struct filling {
	struct tree *tree;
	const struct efivars_limit *limit;
};

static int fill_in(void *argument, const struct efivars_name *name)
{
	const struct filling *filling = argument;
	struct tree *tree = filling->tree;
	char file_name[EFIVARS_FILE_NAME_BYTES];
	struct node *node;
	uint32_t attributes;
	size_t size;
	int error = efivars_size(tree->cz, name, filling->limit, &size,
				 &attributes);

	if (error == EINTR || error == ETIMEDOUT) {
		return error;
	}
	if (efivars_file_name(name, file_name) > MAX_NAME_CHARS) {
		file_name[EFIVARS_LOGGED_CHARS] = 0;
		efivars_warn(tree->cz, "efivars: not shown, for its length: %s",
			     file_name);
		return 0;
	}
	pthread_mutex_lock(&tree->lock);
	if (tree_file_by_name(tree, file_name) != NULL) {
		pthread_mutex_unlock(&tree->lock);
		file_name[EFIVARS_LOGGED_CHARS] = 0;
		efivars_warn(tree->cz, "efivars: two variables are called %s",
			     file_name);
		return 0;
	}
	node = tree_add(tree, name);
	if (node != NULL) {
		node_describe(node, size, attributes, 0);
	}
	pthread_mutex_unlock(&tree->lock);
	return node != NULL ? 0 : ENOMEM;
}

int tree_fill(struct tree *tree, const struct efivars_limit *limit)
{
	struct filling filling = {tree, limit};

	return -efivars_list(tree->cz, limit, fill_in, &filling);
}

/* Finds a known file and adds a reference; 0 if there is none. *is_old: the
 * size may have changed, and *variable is the variable to ask for. */
static tree_id refer(struct tree *tree, const char *name, bool *is_old,
		     struct efivars_name *variable)
{
	struct node *node;
	tree_id id = 0;

	*is_old = false;
	pthread_mutex_lock(&tree->lock);
	node = tree_file_by_name(tree, name);
	if (node != NULL) {
		node->references++;
		id = node->id;
		*is_old =
			node->is_volatile && node->sized_after != tree->writes;
		*variable = node->name;
	}
	pthread_mutex_unlock(&tree->lock);
	return id;
}

/* Asks firmware for the size again, once after a write. Without an answer it
 * stays as it was. */
static void refresh(struct tree *tree, tree_id id,
		    const struct efivars_name *name,
		    const struct efivars_limit *limit)
{
	uint64_t writes = tree_writes(tree);
	struct node *node;
	uint32_t attributes;
	size_t size;
	int error;

	error = efivars_size(tree->cz, name, limit, &size, &attributes);
	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL && node->linked && error == 0) {
		node_describe(node, size, attributes, writes);
	} else if (node != NULL && error != EINTR && error != ETIMEDOUT) {
		node->sized_after = writes;
	}
	pthread_mutex_unlock(&tree->lock);
}

/* Asks firmware for a variable that it did not list. */
static int discover(struct tree *tree, const char *file_name,
		    const struct efivars_name *name,
		    const struct efivars_limit *limit, tree_id *id)
{
	uint64_t writes = tree_writes(tree);
	struct node *node;
	uint32_t attributes;
	size_t size;
	int error = efivars_size(tree->cz, name, limit, &size, &attributes);

	if (error != 0) {
		return error == EINTR || error == ETIMEDOUT ? -error : -ENOENT;
	}
	pthread_mutex_lock(&tree->lock);
	node = tree_file_by_name(tree, file_name);
	if (node == NULL && tree->count < EFIVARS_MAX_VARIABLES) {
		node = tree_add(tree, name);
		if (node != NULL) {
			node_describe(node, size, attributes, writes);
		}
	}
	if (node != NULL) {
		node->references++;
		*id = node->id;
	}
	pthread_mutex_unlock(&tree->lock);
	return node != NULL ? 0 : -ENOMEM;
}

static bool is_unsure(struct tree *tree, tree_id id, struct efivars_name *name,
		      uint64_t *given_up)
{
	struct node *node;
	bool unsure;

	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	unsure = node != NULL && node->settled != node->given_up;
	if (unsure) {
		*given_up = node->given_up;
		*name = node->name;
	}
	pthread_mutex_unlock(&tree->lock);
	return unsure;
}

/* Finds out what has become of a file whose change was given up. Firmware makes
 * one call at a time, so it answers only when that change has ended. A file
 * that was made and never written stays, although there is no variable. */
static int settle(struct tree *tree, tree_id id,
		  const struct efivars_limit *limit)
{
	uint64_t writes = tree_writes(tree);
	uint64_t given_up;
	struct efivars_name name;
	struct node *node;
	uint32_t attributes;
	size_t size;
	int error;

	if (!is_unsure(tree, id, &name, &given_up)) {
		return 0;
	}
	error = efivars_size(tree->cz, &name, limit, &size, &attributes);
	if (error != 0 && error != ENOENT) {
		return -error;
	}
	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	/* The file exists, since there is a reference to it. Another thread may
	 * have had a later answer. */
	if (node->settled < given_up) {
		node->settled = given_up;
	}
	if (error == 0) {
		node_describe(node, size, attributes, writes);
	} else if (node->linked && node->size_bytes != 0 &&
		   node->given_up == given_up) {
		tree_unlink_node(tree, node);
	}
	error = node->linked ? 0 : -ENOENT;
	pthread_mutex_unlock(&tree->lock);
	return error;
}

int tree_lookup(struct tree *tree, const char *name, bool may_ask,
		const struct efivars_limit *limit, tree_id *id)
{
	struct efivars_name parsed;
	bool is_old;
	int error;

	*id = refer(tree, name, &is_old, &parsed);
	if (*id != 0) {
		error = settle(tree, *id, limit);
		if (error != 0) {
			tree_forget(tree, *id, 1);
		} else if (is_old) {
			refresh(tree, *id, &parsed, limit);
		}
		return error;
	}
	error = efivars_parse_name(name, &parsed);
	if (error != 0) {
		return -error;
	}
	if (efivars_is_hidden(&parsed) || !may_ask) {
		return -ENOENT;
	}
	return discover(tree, name, &parsed, limit, id);
}
