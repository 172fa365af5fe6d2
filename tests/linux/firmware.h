/* SPDX-License-Identifier: MIT */
/* The interface between the tests and their firmware, which is arm64 code. */
#ifndef TESTS_LINUX_FIRMWARE_H
#define TESTS_LINUX_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum operation { OPERATION_SET, OPERATION_BLOCK, OPERATION_ABANDON };

/* A request to firmware. All addresses are firmware's. */
struct request {
	uint64_t operation;
	uint64_t device; /* of the flash chip that holds the store */
	uint64_t confirm; /* confirms a buffered program */
	uint64_t block_bytes;
	uint64_t shadow; /* address of RAM for one block */
	uint64_t name, data, size_bytes; /* of the variable */
};

#define STORE_OFFSET 0x64
#define VARIABLE_START 0x55aa

/* States: 0x7f header written, 0x3f data written, 0x3e about to be replaced,
 * 0x3c deleted. */
struct variable {
	uint16_t start;
	uint8_t state, reserved;
	uint32_t size_bytes, name, more[3];
};

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
uint64_t entry(struct request *request);

#endif
