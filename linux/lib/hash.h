/* SPDX-License-Identifier: MIT */
/*
 * A hash of 64 bits that recognizes what was seen before. It is FNV-1a, but
 * takes eight bytes a step, since a commit hashes half a megabyte. It is no
 * protection against somebody who wants two inputs to have one hash.
 */
#ifndef LINUX_HASH_H
#define LINUX_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `hash` is 0, or the hash of the bytes that come before these. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes,
				  size_t size_bytes)
{
	const uint8_t *from = bytes;

	hash ^= 0xcbf29ce484222325u;
	while (size_bytes > 0) {
		uint64_t word = 0;
		size_t some = size_bytes < 8 ? size_bytes : 8;

		memcpy(&word, from, some);
		hash = (hash ^ word) * 0x100000001b3u;
		hash ^= hash >> 29;
		from += some;
		size_bytes -= some;
	}
	return hash;
}

#endif
