/* SPDX-License-Identifier: MIT */
/* Doubly linked circular lists, whose nodes are embedded in the objects. */
#ifndef KERNEL_LIST_H
#define KERNEL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *previous;
};

#define container_of(pointer, type, member) \
	((type *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
	list->next = list;
	list->previous = list;
}

static inline bool list_empty(const struct list *list)
{
	return list->next == list;
}

/* Inserts `node` before `where`; at the tail if `where` is the list's head. */
static inline void list_insert_before(struct list *where, struct list *node)
{
	struct list *previous = where->previous;

	node->next = where;
	node->previous = previous;
	previous->next = node;
	where->previous = node;
}

/* Removes `node` from its list. The pointers in `node` are undefined
 * afterwards. */
static inline void list_remove(struct list *node)
{
	struct list *next = node->next, *previous = node->previous;

	next->previous = previous;
	previous->next = next;
}

/* Removes `node` and reinitialises it, so that list_empty(node) tells later
 * that it is in no list. */
static inline void list_remove_init(struct list *node)
{
	list_remove(node);
	list_init(node);
}

#endif
