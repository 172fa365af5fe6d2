/* SPDX-License-Identifier: MIT */
/*
 * The headers of EDK II's variable store in a flash chip, which
 * linux/commit/store_check.c looks for.
 */
#ifndef TESTS_LINUX_STORE_H
#define TESTS_LINUX_STORE_H

#include <stdint.h>
#include <string.h>

#define STORE_VOLUME_HEADER 72u
#define STORE_HEADER 28u

static inline void store_put_header(uint8_t *to, uint32_t store_bytes)
{
	static const char kind[] = "\x78\x2c\xf3\xaa\x7b\x94\x9a\x43"
				   "\xa1\x80\x2e\x14\x4e\xc3\x77\x92";

	memset(to, 0, STORE_HEADER);
	memcpy(to, kind, 16);
	memcpy(to + 16, &store_bytes, 4);
	memcpy(to + 20, "\x5a\xfe", 2);
}

/* Writes the header of a volume of 64 KiB. */
static inline void store_put_volume(uint8_t *to)
{
	static const char file_system[] = "\x8d\x2b\xf1\xff\x96\x76\x8b\x4c"
					  "\xa9\x85\x27\x47\x07\x5b\x4f\x50";

	memset(to, 0, STORE_VOLUME_HEADER);
	memcpy(to + 16, file_system, 16);
	to[34] = 1;
	memcpy(to + 40, "_FVH", 4);
	to[48] = STORE_VOLUME_HEADER;
}

#endif
