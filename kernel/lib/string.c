/* SPDX-License-Identifier: MIT */
/*
 * The memory and string functions for the kernel, for the library, and for
 * calls that the compilers generate. They use no absolute addresses, since the
 * boot code calls them too, and make no unaligned accesses. Because of
 * -ffreestanding and the functions' names, the compilers do not turn the loops
 * into calls of the same functions.
 */
#include <kernel/string.h>
#include <stdbool.h>
#include <stdint.h>

/* A word that may alias objects of any type. */
typedef uint64_t __attribute__((may_alias)) word;

#define WORD sizeof(word)

static bool aligned(const void *a, const void *b)
{
	return (((uintptr_t)a | (uintptr_t)b) & (WORD - 1)) == 0;
}

/* Copies in ascending order, so `f` and `t` may overlap if `t` is below `f`. */
static void copy_up(unsigned char *t, const unsigned char *f, size_t size)
{
	if (aligned(t, f)) {
		for (; size >= 2 * WORD; size -= 2 * WORD) {
			word first = ((const word *)f)[0];
			word second = ((const word *)f)[1];
			((word *)t)[0] = first;
			((word *)t)[1] = second;
			t += 2 * WORD;
			f += 2 * WORD;
		}
	}
	while (size-- > 0) {
		*t++ = *f++;
	}
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	copy_up(to, from, size);
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if ((uintptr_t)t - (uintptr_t)f >= size) {
		copy_up(t, f, size);
		return to;
	}
	t += size;
	f += size;
	if (aligned(t, f)) {
		for (; size >= WORD; size -= WORD) {
			t -= WORD;
			f -= WORD;
			*(word *)t = *(const word *)f;
		}
	}
	while (size-- > 0) {
		*--t = *--f;
	}
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	unsigned char *t = to;
	word pattern = 0x0101010101010101ull * (unsigned char)byte;

	if (aligned(t, t)) {
		for (; size >= 2 * WORD; size -= 2 * WORD) {
			((word *)t)[0] = pattern;
			((word *)t)[1] = pattern;
			t += 2 * WORD;
		}
	}
	while (size-- > 0) {
		*t++ = (unsigned char)byte;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	if (aligned(x, y)) {
		while (size >= WORD && *(const word *)x == *(const word *)y) {
			x += WORD;
			y += WORD;
			size -= WORD;
		}
	}
	for (; size > 0; size--, x++, y++) {
		if (*x != *y) {
			return *x - *y;
		}
	}
	return 0;
}

void *memchr(const void *memory, int byte, size_t size)
{
	const unsigned char *at = memory;

	for (; size > 0; size--, at++) {
		if (*at == (unsigned char)byte) {
			return (void *)(uintptr_t)at;
		}
	}
	return NULL;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0') {
		length++;
	}
	return length;
}

size_t strnlen(const char *text, size_t size)
{
	size_t length = 0;

	while (length < size && text[length] != '\0') {
		length++;
	}
	return length;
}

char *strchr(const char *text, int byte)
{
	return memchr(text, byte, strlen(text) + 1);
}

char *strrchr(const char *text, int byte)
{
	const char *found = NULL;

	do {
		if (*text == (char)byte) {
			found = text;
		}
	} while (*text++ != '\0');
	return (char *)(uintptr_t)found;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t size)
{
	for (; size > 0; size--, a++, b++) {
		if (*a != *b) {
			return (unsigned char)*a - (unsigned char)*b;
		}
		if (*a == '\0') {
			break;
		}
	}
	return 0;
}
