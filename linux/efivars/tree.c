/* SPDX-License-Identifier: MIT */
/*
 * The tree's nodes, under one lock that is never held across a call of
 * firmware's: an operation looks its file up, lets go, calls, and looks again for
 * what has become of the file meanwhile.
 */
#include "efivars/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* FUSE_NAME_MAX of kernels up to 6.12: a longer name makes readdir fail. */
#define MAX_NAME_CHARS 1024u
#define FIRST_FILE 3u /* after the root and what ".." is counted as */
#define DOT 1u
#define DOT_DOT 2u

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

static struct timespec now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return time;
}

static void set_times(struct node *node)
{
	node->atime = node->mtime = node->ctime = now();
}

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
	set_times(&tree->root);
	return tree;
}

static void free_node(struct node *node)
{
	free(node->file_name);
	free(node);
}

void tree_free(struct tree *tree)
{
	if (tree == NULL) {
		return;
	}
	for (size_t i = 0; i < tree->count; i++) {
		free_node(tree->files[i]);
	}
	free(tree->files);
	pthread_mutex_destroy(&tree->lock);
	free(tree);
}

/* ---- Nodes; the lock is held ---- */

/* Where the first file with an id above `id` is. */
static size_t index_after(const struct tree *tree, tree_id id)
{
	size_t low = 0;
	size_t high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tree->files[middle]->id <= id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static struct node *by_id(struct tree *tree, tree_id id)
{
	size_t at;

	if (id == TREE_ROOT) {
		return &tree->root;
	}
	at = index_after(tree, id);
	if (at == 0 || tree->files[at - 1]->id != id) {
		return NULL;
	}
	return tree->files[at - 1];
}

static struct node *file_by_id(struct tree *tree, tree_id id)
{
	return id == TREE_ROOT ? NULL : by_id(tree, id);
}

static struct node *by_name(struct tree *tree, const char *name)
{
	for (size_t i = 0; i < tree->count; i++) {
		struct node *node = tree->files[i];

		if (node->linked && efivars_same_file(node->file_name, name)) {
			return node;
		}
	}
	return NULL;
}

static bool make_room(struct tree *tree)
{
	size_t room = tree->room == 0 ? 64 : tree->room * 2;
	struct node **files;

	if (tree->count < tree->room) {
		return true;
	}
	files = realloc(tree->files, room * sizeof(struct node *));
	if (files == NULL) {
		return false;
	}
	tree->files = files;
	tree->room = room;
	return true;
}

/* What firmware says of a variable, asked for when tree->writes was `writes`. */
static void describe(struct node *node, size_t value_bytes, uint32_t attributes,
		     uint64_t writes)
{
	node->size_bytes = EFIVARS_ATTRIBUTES_BYTES + value_bytes;
	node->sized_after = writes;
	if (attributes != 0) {
		node->is_volatile =
			(attributes & CZ_EFI_VARIABLE_NON_VOLATILE) == 0;
	}
}

static struct node *add(struct tree *tree, const struct efivars_name *name)
{
	char file_name[EFIVARS_FILE_NAME_BYTES];
	struct node *node = calloc(1, sizeof(*node));

	if (node == NULL) {
		return NULL;
	}
	efivars_file_name(name, file_name);
	node->file_name = strdup(file_name);
	if (node->file_name == NULL || !make_room(tree)) {
		free_node(node);
		return NULL;
	}
	node->id = tree->next_id++;
	node->name = *name;
	node->linked = true;
	node->immutable = !efivars_is_removable(name);
	node->mode = S_IFREG | 0644;
	set_times(node);
	tree->files[tree->count++] = node;
	return node;
}

/* Frees a node that nobody can come by any more. */
static void drop_if_unused(struct tree *tree, struct node *node)
{
	size_t at;

	if (node->linked || node->references > 0 || node->open_count > 0) {
		return;
	}
	at = index_after(tree, node->id);
	memmove(&tree->files[at - 1], &tree->files[at],
		(tree->count - at) * sizeof(struct node *));
	tree->count--;
	free_node(node);
}

static void unlink_node(struct tree *tree, struct node *node)
{
	node->linked = false;
	node->size_bytes = 0;
	node->ctime = now();
	tree->root.mtime = tree->root.ctime = node->ctime;
	drop_if_unused(tree, node);
}

/* ---- Names ---- */

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
	if (by_name(tree, file_name) != NULL) {
		pthread_mutex_unlock(&tree->lock);
		file_name[EFIVARS_LOGGED_CHARS] = 0;
		efivars_warn(tree->cz, "efivars: two variables are called %s",
			     file_name);
		return 0;
	}
	node = add(tree, name);
	if (node != NULL) {
		describe(node, size, attributes, 0);
	}
	pthread_mutex_unlock(&tree->lock);
	return node != NULL ? 0 : ENOMEM;
}

int tree_fill(struct tree *tree, const struct efivars_limit *limit)
{
	struct filling filling = {tree, limit};

	return -efivars_list(tree->cz, limit, fill_in, &filling);
}

static uint64_t writes_until_now(struct tree *tree)
{
	uint64_t writes;

	pthread_mutex_lock(&tree->lock);
	writes = tree->writes;
	pthread_mutex_unlock(&tree->lock);
	return writes;
}

/* What was known before a write that was tried may be otherwise now. */
static void note_write_tried(struct tree *tree)
{
	pthread_mutex_lock(&tree->lock);
	tree->writes++;
	pthread_mutex_unlock(&tree->lock);
}

/* A file that is known, with a reference; 0 when it is not. Its size may be old: then
 * its variable's name is said. */
static tree_id refer(struct tree *tree, const char *name, bool *is_old,
		     struct efivars_name *variable)
{
	struct node *node;
	tree_id id = 0;

	*is_old = false;
	pthread_mutex_lock(&tree->lock);
	node = by_name(tree, name);
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

/* Asks for the size anew, once after a write. What is not told stays as it was. */
static void refresh(struct tree *tree, tree_id id,
		    const struct efivars_name *name,
		    const struct efivars_limit *limit)
{
	uint64_t writes = writes_until_now(tree);
	struct node *node;
	uint32_t attributes;
	size_t size;
	int error;

	error = efivars_size(tree->cz, name, limit, &size, &attributes);
	pthread_mutex_lock(&tree->lock);
	node = file_by_id(tree, id);
	if (node != NULL && node->linked && error == 0) {
		describe(node, size, attributes, writes);
	} else if (node != NULL && error != EINTR && error != ETIMEDOUT) {
		node->sized_after = writes;
	}
	pthread_mutex_unlock(&tree->lock);
}

/* Asks firmware for a variable that was not in its list. */
static int discover(struct tree *tree, const char *file_name,
		    const struct efivars_name *name,
		    const struct efivars_limit *limit, tree_id *id)
{
	uint64_t writes = writes_until_now(tree);
	struct node *node;
	uint32_t attributes;
	size_t size;
	int error = efivars_size(tree->cz, name, limit, &size, &attributes);

	if (error != 0) {
		return error == EINTR || error == ETIMEDOUT ? -error : -ENOENT;
	}
	pthread_mutex_lock(&tree->lock);
	node = by_name(tree, file_name);
	if (node == NULL && tree->count < EFIVARS_MAX_VARIABLES) {
		node = add(tree, name);
		if (node != NULL) {
			describe(node, size, attributes, writes);
		}
	}
	if (node != NULL) {
		node->references++;
		*id = node->id;
	}
	pthread_mutex_unlock(&tree->lock);
	return node != NULL ? 0 : -ENOMEM;
}

/* A write or a removal has been given up, and firmware has not ended it. */
static void note_unsure(struct tree *tree, tree_id id)
{
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = file_by_id(tree, id);
	if (node != NULL) {
		node->given_up++;
	}
	pthread_mutex_unlock(&tree->lock);
}

static bool is_unsure(struct tree *tree, tree_id id, struct efivars_name *name,
		      uint64_t *given_up)
{
	struct node *node;
	bool unsure;

	pthread_mutex_lock(&tree->lock);
	node = file_by_id(tree, id);
	unsure = node != NULL && node->settled != node->given_up;
	if (unsure) {
		*given_up = node->given_up;
		*name = node->name;
	}
	pthread_mutex_unlock(&tree->lock);
	return unsure;
}

/* What such a file is by now. Firmware answers once the call that was given up has
 * ended, as it makes one at a time. A file without a variable that was made and never
 * written stays. */
static int settle(struct tree *tree, tree_id id,
		  const struct efivars_limit *limit)
{
	uint64_t writes = writes_until_now(tree);
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
	node = file_by_id(tree, id);
	/* There is a reference to it. Another asker may have been told more. */
	if (node->settled < given_up) {
		node->settled = given_up;
	}
	if (error == 0) {
		describe(node, size, attributes, writes);
	} else if (node->linked && node->size_bytes != 0 &&
		   node->given_up == given_up) {
		unlink_node(tree, node);
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

void tree_forget(struct tree *tree, tree_id id, uint64_t count)
{
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = file_by_id(tree, id);
	if (node != NULL) {
		node->references -=
			count < node->references ? count : node->references;
		drop_if_unused(tree, node);
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
	at = index_after(tree, *cookie);
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
	node = by_id(tree, id);
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
	node->ctime = now();
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
	node = by_id(tree, id);
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
	node = file_by_id(tree, id);
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
	node = file_by_id(tree, id);
	if (node != NULL) {
		node->immutable = (flags & FS_IMMUTABLE_FL) != 0;
		node->ctime = now();
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
	node = file_by_id(tree, id);
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
	node = file_by_id(tree, id);
	if (node != NULL && node->open_count > 0) {
		node->open_count--;
		drop_if_unused(tree, node);
	}
	pthread_mutex_unlock(&tree->lock);
}

/* Makes a node, open and referred to; or opens the one that has come up. */
static int make(struct tree *tree, const char *file_name,
		const struct efivars_name *name, mode_t mode, int flags,
		tree_id *id)
{
	struct node *node = by_name(tree, file_name);
	int error;

	if (node != NULL) {
		error = (flags & O_EXCL) != 0 ? -EEXIST
					      : open_node(node, flags);
	} else if (tree->count >= EFIVARS_MAX_VARIABLES) {
		error = -ENOSPC;
	} else {
		node = add(tree, name);
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
	/* Of a known file that cannot be parsed back, only by_name() matters. */
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
	node = by_name(tree, name);
	if (node != NULL) {
		error = node->immutable ? -EPERM : 0;
		variable = node->name;
		id = node->id;
	}
	pthread_mutex_unlock(&tree->lock);
	if (error == 0) {
		error = -efivars_delete(tree->cz, &variable, limit);
		note_write_tried(tree);
	}
	if (error == -EINPROGRESS) {
		note_unsure(tree, id);
	}
	if (error != 0) {
		return error;
	}
	pthread_mutex_lock(&tree->lock);
	node = file_by_id(tree, id);
	if (node != NULL && node->linked) {
		unlink_node(tree, node);
	}
	pthread_mutex_unlock(&tree->lock);
	return 0;
}

/* ---- Contents ---- */

/* The variable of a file that is still there, and the file's size. */
static bool variable_of(struct tree *tree, tree_id id,
			struct efivars_name *name, size_t *size_bytes)
{
	struct node *node;
	bool linked = false;

	pthread_mutex_lock(&tree->lock);
	node = file_by_id(tree, id);
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
	node = file_by_id(tree, id);
	if (node != NULL && node->linked) {
		describe(node, contents->size_bytes - EFIVARS_ATTRIBUTES_BYTES,
			 attributes, writes);
	}
	pthread_mutex_unlock(&tree->lock);
}

ssize_t tree_read(struct tree *tree, tree_id id, size_t size, off_t offset,
		  const struct efivars_limit *limit, uint8_t **bytes,
		  const uint8_t **part)
{
	uint64_t writes = writes_until_now(tree);
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
	node = file_by_id(tree, id);
	if (node != NULL && node->linked) {
		node->size_bytes = EFIVARS_ATTRIBUTES_BYTES + value_bytes;
		node->mtime = node->ctime = now();
		if (!exists) {
			unlink_node(tree, node);
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
	note_write_tried(tree);
	if (error == EINPROGRESS) {
		note_unsure(tree, id);
	}
	if (error != 0) {
		return -error;
	}
	note_write(tree, id, value_bytes, exists);
	return (ssize_t)size;
}
