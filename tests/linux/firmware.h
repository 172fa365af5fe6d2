/* SPDX-License-Identifier: MIT */
/* Between the firmware of the tests, which is arm64 code, and the tests. */
#ifndef TESTS_LINUX_FIRMWARE_H
#define TESTS_LINUX_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum operation { OPERATION_SET, OPERATION_BLOCK, OPERATION_ABANDON };

/* What to do, in firmware's addresses. */
struct request {
	uint64_t operation;
	uint64_t device; /* the flash, where the store is */
	uint64_t confirm; /* where buffered programs are confirmed */
	uint64_t block_bytes;
	uint64_t shadow; /* RAM for a block */
	uint64_t name, data, size_bytes; /* of the variable */
};

#define STORE_OFFSET 0x64
#define VARIABLE_START 0x55aa

/* States: header written 7f, data written 3f, about to be replaced 3e, gone 3c. */
struct variable {
	uint16_t start;
	uint8_t state, reserved;
	uint32_t size_bytes, name, more[3];
};

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
uint64_t entry(struct request *request);

#endif
