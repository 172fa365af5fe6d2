/* SPDX-License-Identifier: MIT */
/* Operations on files that are known; see tree.h. */
#include "efivars/tree_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOT 1u
#define DOT_DOT 2u

struct tree *tree_new(struct cz *cz)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (tree == NULL) {
		return NULL;
	}
	tree->cz = cz;
	pthread_mutex_init(&tree->lock, NULL);
	tree->next_id = FIRST_FILE;
	tree->root.id = TREE_ROOT;
	tree->root.linked = true;
	tree->root.mode = S_IFDIR | 0755;
	node_set_times(&tree->root);
	return tree;
}

void tree_free(struct tree *tree)
{
	if (tree == NULL) {
		return;
	}
	for (size_t i = 0; i < tree->count; i++) {
		node_free(tree->files[i]);
	}
	free(tree->files);
	pthread_mutex_destroy(&tree->lock);
	free(tree);
}

/* ---- References, and listing ---- */

void tree_forget(struct tree *tree, tree_id id, uint64_t count)
{
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL) {
		node->references -=
			count < node->references ? count : node->references;
		tree_drop_if_unused(tree, node);
	}
	pthread_mutex_unlock(&tree->lock);
}

int tree_next(struct tree *tree, uint64_t *cookie, char *name, tree_id *id)
{
	size_t at;
	int found = 0;

	if (*cookie < DOT_DOT) {
		strcpy(name, *cookie == 0 ? "." : "..");
		*id = TREE_ROOT;
		++*cookie;
		return 1;
	}
	pthread_mutex_lock(&tree->lock);
	at = tree_index_after(tree, *cookie);
	while (at < tree->count && !tree->files[at]->linked) {
		at++;
	}
	if (at < tree->count) {
		strcpy(name, tree->files[at]->file_name);
		*id = *cookie = tree->files[at]->id;
		found = 1;
	}
	pthread_mutex_unlock(&tree->lock);
	return found;
}

/* ---- Attributes of files ---- */

int tree_getattr(struct tree *tree, tree_id id, struct stat *stat)
{
	struct node *node;

	*stat = (struct stat){.st_ino = id, .st_blksize = getpagesize()};
	pthread_mutex_lock(&tree->lock);
	node = tree_node(tree, id);
	if (node != NULL) {
		stat->st_mode = node->mode;
		stat->st_nlink = !node->linked ? 0 : id == TREE_ROOT ? 2 : 1;
		stat->st_uid = node->uid;
		stat->st_gid = node->gid;
		stat->st_size = (off_t)node->size_bytes;
		stat->st_atim = node->atime;
		stat->st_mtim = node->mtime;
		stat->st_ctim = node->ctime;
	}
	pthread_mutex_unlock(&tree->lock);
	return node != NULL ? 0 : -ENOENT;
}

static void take(struct node *node, const struct stat *to, unsigned what)
{
	node->ctime = tree_now();
	if ((what & TREE_MODE) != 0) {
		node->mode = (node->mode & S_IFMT) | (to->st_mode & 07777);
	}
	if ((what & TREE_UID) != 0) {
		node->uid = to->st_uid;
	}
	if ((what & TREE_GID) != 0) {
		node->gid = to->st_gid;
	}
	if ((what & TREE_ATIME) != 0) {
		node->atime = to->st_atim;
	}
	if ((what & TREE_MTIME) != 0) {
		node->mtime = to->st_mtim;
	}
	if ((what & TREE_CTIME) != 0) {
		node->ctime = to->st_ctim;
	}
}

int tree_setattr(struct tree *tree, tree_id id, const struct stat *to,
		 unsigned what)
{
	struct node *node;
	int error = 0;

	pthread_mutex_lock(&tree->lock);
	node = tree_node(tree, id);
	if (node == NULL) {
		error = -ENOENT;
	} else if (node->immutable) {
		error = -EPERM;
	} else {
		take(node, to, what);
	}
	pthread_mutex_unlock(&tree->lock);
	return error;
}

int tree_get_flags(struct tree *tree, tree_id id, uint32_t *flags)
{
	struct node *node;

	*flags = 0;
	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL && node->immutable) {
		*flags = FS_IMMUTABLE_FL;
	}
	pthread_mutex_unlock(&tree->lock);
	return node != NULL ? 0 : -ENOTTY;
}

int tree_set_flags(struct tree *tree, tree_id id, uint32_t flags)
{
	struct node *node;

	if ((flags & ~(uint32_t)FS_IMMUTABLE_FL) != 0) {
		return -EOPNOTSUPP;
	}
	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL) {
		node->immutable = (flags & FS_IMMUTABLE_FL) != 0;
		node->ctime = tree_now();
	}
	pthread_mutex_unlock(&tree->lock);
	return node != NULL ? 0 : -ENOTTY;
}

int tree_statfs(struct tree *tree, const struct efivars_limit *limit,
		struct statvfs *statfs)
{
	struct efivars_space space;
	int error = efivars_space(tree->cz, limit, &space);

	*statfs = (struct statvfs){
		.f_bsize = 1,
		.f_frsize = 1,
		.f_blocks = space.total_bytes,
		.f_bfree = space.free_bytes,
		.f_bavail = space.free_bytes,
		.f_namemax = EFIVARS_CREATE_CHARS,
	};
	return -error;
}

/* ---- Opening, making, removing ---- */

static bool changes(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

static int open_node(struct node *node, int flags)
{
	if (node->immutable && changes(flags)) {
		return -EPERM;
	}
	node->open_count++;
	return 0;
}

int tree_open(struct tree *tree, tree_id id, int flags)
{
	struct node *node;
	int error = -ENOENT;

	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL) {
		error = open_node(node, flags);
	}
	pthread_mutex_unlock(&tree->lock);
	return error;
}

void tree_close(struct tree *tree, tree_id id)
{
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL && node->open_count > 0) {
		node->open_count--;
		tree_drop_if_unused(tree, node);
	}
	pthread_mutex_unlock(&tree->lock);
}

/* Makes a node, opened and with a reference. If somebody else has made it
 * meanwhile, opens that one. */
static int make(struct tree *tree, const char *file_name,
		const struct efivars_name *name, mode_t mode, int flags,
		tree_id *id)
{
	struct node *node = tree_file_by_name(tree, file_name);
	int error;

	if (node != NULL) {
		error = (flags & O_EXCL) != 0 ? -EEXIST
					      : open_node(node, flags);
	} else if (tree->count >= EFIVARS_MAX_VARIABLES) {
		error = -ENOSPC;
	} else {
		node = tree_add(tree, name);
		error = node == NULL ? -ENOMEM : 0;
		if (node != NULL) {
			node->mode = S_IFREG | (mode & 07777);
			node->open_count++;
			tree->root.mtime = tree->root.ctime = node->ctime;
		}
	}
	if (error == 0) {
		node->references++;
		*id = node->id;
	}
	return error;
}

int tree_create(struct tree *tree, const char *name, mode_t mode, int flags,
		const struct efivars_limit *limit, tree_id *id)
{
	struct efivars_name parsed;
	tree_id known;
	int error = tree_lookup(tree, name, true, limit, &known);

	if (error == 0) {
		tree_forget(tree, known, 1);
	} else if (error != -ENOENT) {
		return error;
	} else if (strlen(name) > EFIVARS_CREATE_CHARS) {
		return -ENAMETOOLONG;
	}
	/* The name of a known file need not parse, and then only
	 * tree_file_by_name() finds it. */
	if (efivars_parse_name(name, &parsed) != 0) {
		return -EINVAL;
	}
	if (efivars_is_hidden(&parsed)) {
		return -EPERM;
	}
	pthread_mutex_lock(&tree->lock);
	error = make(tree, name, &parsed, mode, flags, id);
	pthread_mutex_unlock(&tree->lock);
	return error;
}

int tree_unlink(struct tree *tree, const char *name,
		const struct efivars_limit *limit)
{
	struct efivars_name variable;
	struct node *node;
	tree_id id = 0;
	int error = -ENOENT;

	pthread_mutex_lock(&tree->lock);
	node = tree_file_by_name(tree, name);
	if (node != NULL) {
		error = node->immutable ? -EPERM : 0;
		variable = node->name;
		id = node->id;
	}
	pthread_mutex_unlock(&tree->lock);
	if (error == 0) {
		error = -efivars_delete(tree->cz, &variable, limit);
		tree_note_write(tree);
	}
	if (error == -EINPROGRESS) {
		tree_note_unsure(tree, id);
	}
	if (error != 0) {
		return error;
	}
	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL && node->linked) {
		tree_unlink_node(tree, node);
	}
	pthread_mutex_unlock(&tree->lock);
	return 0;
}

/* ---- Contents ---- */

/* Returns the variable and the size of a file. False: it has been removed. */
static bool variable_of(struct tree *tree, tree_id id,
			struct efivars_name *name, size_t *size_bytes)
{
	struct node *node;
	bool linked = false;

	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL && node->linked) {
		*name = node->name;
		*size_bytes = node->size_bytes;
		linked = true;
	}
	pthread_mutex_unlock(&tree->lock);
	return linked;
}

static void note_read(struct tree *tree, tree_id id,
		      const struct efivars_contents *contents, uint64_t writes)
{
	uint32_t attributes;
	struct node *node;

	memcpy(&attributes, contents->bytes, sizeof(attributes));
	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL && node->linked) {
		node_describe(node,
			      contents->size_bytes - EFIVARS_ATTRIBUTES_BYTES,
			      attributes, writes);
	}
	pthread_mutex_unlock(&tree->lock);
}

ssize_t tree_read(struct tree *tree, tree_id id, size_t size, off_t offset,
		  const struct efivars_limit *limit, uint8_t **bytes,
		  const uint8_t **part)
{
	uint64_t writes = tree_writes(tree);
	struct efivars_contents contents;
	struct efivars_name name;
	size_t known, left;
	int error;

	*bytes = NULL;
	*part = NULL;
	if (!variable_of(tree, id, &name, &known)) {
		return 0;
	}
	error = efivars_read(tree->cz, &name, known, limit, &contents);
	if (error != 0) {
		return error == ENOENT ? 0 : -error;
	}
	note_read(tree, id, &contents, writes);
	if (offset < 0 || (size_t)offset >= contents.size_bytes) {
		free(contents.bytes);
		return 0;
	}
	left = contents.size_bytes - (size_t)offset;
	*bytes = contents.bytes;
	*part = contents.bytes + offset;
	return (ssize_t)(size < left ? size : left);
}

static void note_write(struct tree *tree, tree_id id, size_t value_bytes,
		       bool exists)
{
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL && node->linked) {
		node->size_bytes = EFIVARS_ATTRIBUTES_BYTES + value_bytes;
		node->mtime = node->ctime = tree_now();
		if (!exists) {
			tree_unlink_node(tree, node);
		}
	}
	pthread_mutex_unlock(&tree->lock);
}

ssize_t tree_write(struct tree *tree, tree_id id, const void *bytes,
		   size_t size, const struct efivars_limit *limit)
{
	struct efivars_name name;
	size_t value_bytes = 0;
	size_t known;
	bool exists = false;
	int error;

	if (!variable_of(tree, id, &name, &known)) {
		return -EIO;
	}
	error = efivars_write(tree->cz, &name, bytes, size, limit, &value_bytes,
			      &exists);
	tree_note_write(tree);
	if (error == EINPROGRESS) {
		tree_note_unsure(tree, id);
	}
	if (error != 0) {
		return -error;
	}
	note_write(tree, id, value_bytes, exists);
	return (ssize_t)size;
}
