/* SPDX-License-Identifier: MIT */
#include "efivars/tree_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct timespec tree_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return time;
}

void node_set_times(struct node *node)
{
	node->atime = node->mtime = node->ctime = tree_now();
}

void node_free(struct node *node)
{
	free(node->file_name);
	free(node);
}

size_t tree_index_after(const struct tree *tree, tree_id id)
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

struct node *tree_node(struct tree *tree, tree_id id)
{
	size_t at;

	if (id == TREE_ROOT) {
		return &tree->root;
	}
	at = tree_index_after(tree, id);
	if (at == 0 || tree->files[at - 1]->id != id) {
		return NULL;
	}
	return tree->files[at - 1];
}

struct node *tree_file(struct tree *tree, tree_id id)
{
	return id == TREE_ROOT ? NULL : tree_node(tree, id);
}

struct node *tree_file_by_name(struct tree *tree, const char *name)
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

void node_describe(struct node *node, size_t value_bytes, uint32_t attributes,
		   uint64_t writes)
{
	node->size_bytes = EFIVARS_ATTRIBUTES_BYTES + value_bytes;
	node->sized_after = writes;
	if (attributes != 0) {
		node->is_volatile =
			(attributes & CZ_EFI_VARIABLE_NON_VOLATILE) == 0;
	}
}

struct node *tree_add(struct tree *tree, const struct efivars_name *name)
{
	char file_name[EFIVARS_FILE_NAME_BYTES];
	struct node *node = calloc(1, sizeof(*node));

	if (node == NULL) {
		return NULL;
	}
	efivars_file_name(name, file_name);
	node->file_name = strdup(file_name);
	if (node->file_name == NULL || !make_room(tree)) {
		node_free(node);
		return NULL;
	}
	node->id = tree->next_id++;
	node->name = *name;
	node->linked = true;
	node->immutable = !efivars_is_removable(name);
	node->mode = S_IFREG | 0644;
	node_set_times(node);
	tree->files[tree->count++] = node;
	return node;
}

void tree_drop_if_unused(struct tree *tree, struct node *node)
{
	size_t at;

	if (node->linked || node->references > 0 || node->open_count > 0) {
		return;
	}
	at = tree_index_after(tree, node->id);
	memmove(&tree->files[at - 1], &tree->files[at],
		(tree->count - at) * sizeof(struct node *));
	tree->count--;
	node_free(node);
}

void tree_unlink_node(struct tree *tree, struct node *node)
{
	node->linked = false;
	node->size_bytes = 0;
	node->ctime = tree_now();
	tree->root.mtime = tree->root.ctime = node->ctime;
	tree_drop_if_unused(tree, node);
}

uint64_t tree_writes(struct tree *tree)
{
	uint64_t writes;

	pthread_mutex_lock(&tree->lock);
	writes = tree->writes;
	pthread_mutex_unlock(&tree->lock);
	return writes;
}

void tree_note_write(struct tree *tree)
{
	pthread_mutex_lock(&tree->lock);
	tree->writes++;
	pthread_mutex_unlock(&tree->lock);
}

void tree_note_unsure(struct tree *tree, tree_id id)
{
	struct node *node;

	pthread_mutex_lock(&tree->lock);
	node = tree_file(tree, id);
	if (node != NULL) {
		node->given_up++;
	}
	pthread_mutex_unlock(&tree->lock);
}
