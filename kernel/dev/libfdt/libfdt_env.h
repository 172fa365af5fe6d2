/* SPDX-License-Identifier: MIT */
/*
 * Replaces libfdt's own header of this name, which needs a hosted C library. It
 * defines the types that libfdt's headers use, and the conversion of their byte
 * order.
 */
#ifndef LIBFDT_ENV_H
#define LIBFDT_ENV_H

#include <kernel/string.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Integers that are big-endian in memory. */
typedef uint16_t fdt16_t;
typedef uint32_t fdt32_t;
typedef uint64_t fdt64_t;

static inline uint16_t fdt16_to_cpu(fdt16_t x)
{
	return __builtin_bswap16(x);
}

static inline uint32_t fdt32_to_cpu(fdt32_t x)
{
	return __builtin_bswap32(x);
}

static inline uint64_t fdt64_to_cpu(fdt64_t x)
{
	return __builtin_bswap64(x);
}

#define cpu_to_fdt16 fdt16_to_cpu
#define cpu_to_fdt32 fdt32_to_cpu
#define cpu_to_fdt64 fdt64_to_cpu

#endif
