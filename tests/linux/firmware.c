/* SPDX-License-Identifier: MIT */
/*
 * Firmware for the tests of linux/commit/flash.c, built as arm64 code, which
 * the tests interpret: a NOR flash driver and a small variable store. They
 * write as EDK II does: up to 128 bytes as single words if no bit has to be
 * set; otherwise they erase the whole block and write it with buffered
 * programs.
 */
#include "firmware.h"

#define READ_ARRAY 0x00ff00ffu
#define WORDS_OF_BUFFER 32u

static __attribute__((noinline)) void put(uint64_t address, uint32_t value)
{
	__asm__ volatile("dmb sy" ::: "memory");
	*(volatile uint32_t *)address = value;
	__asm__ volatile("dmb sy" ::: "memory");
}

static __attribute__((noinline)) uint32_t get(uint64_t address)
{
	uint32_t value = *(volatile uint32_t *)address;

	__asm__ volatile("dmb sy" ::: "memory");
	return value;
}

static void send(uint64_t address, uint32_t command)
{
	put(address, command << 16 | command);
}

static __attribute__((noinline)) uint32_t wait(struct request *request)
{
	uint32_t status;

	do {
		send(request->device, 0x70);
		status = get(request->device);
	} while ((status & 0x80) == 0);
	return status;
}

static uint64_t conclude(struct request *request, uint32_t status)
{
	send(request->device, 0x50);
	send(request->device, 0xff);
	return (status & 0x3a) != 0 ? 1 : 0;
}

static void unlock(struct request *request, uint64_t block)
{
	uint32_t status;

	send(block + 8, 0x90);
	status = get(block + 8);
	if ((status & 1) != 0) {
		send(block, 0x60);
		send(block, 0xd0);
		(void)wait(request);
	}
	send(block, 0xff);
}

static uint64_t write_word(struct request *request, uint64_t address,
			   uint32_t value)
{
	send(address, 0x40);
	put(address, value);
	return conclude(request, wait(request));
}

static __attribute__((noinline)) uint64_t
write_buffer(struct request *request, uint64_t address, const uint32_t *words)
{
	do {
		send(address, 0xe8);
	} while ((get(address) & 0x80) == 0);
	send(address, WORDS_OF_BUFFER - 1);
	for (uint32_t i = 0; i < WORDS_OF_BUFFER; i++) {
		put(address + 4 * i, words[i]);
	}
	send(request->confirm, 0xd0);
	return conclude(request, wait(request));
}

static uint64_t erase(struct request *request, uint64_t block)
{
	unlock(request, block);
	send(block, 0x20);
	send(block, 0xd0);
	return conclude(request, wait(request));
}

static uint64_t write_block(struct request *request, uint64_t block)
{
	const uint32_t *words = (const uint32_t *)request->shadow;
	uint64_t result = erase(request, block);

	for (uint32_t i = 0; i < request->block_bytes && result == 0;
	     i += 4 * WORDS_OF_BUFFER, words += WORDS_OF_BUFFER) {
		for (uint32_t k = 0; k < WORDS_OF_BUFFER; k++) {
			if (~words[k] != 0) {
				result =
					write_buffer(request, block + i, words);
				break;
			}
		}
	}
	send(request->device, 0xff);
	return result;
}

static void copy(uint8_t *to, const uint8_t *from, uint64_t size)
{
	while (size >= 8 && (((uint64_t)to | (uint64_t)from) & 7) == 0) {
		*(uint64_t *)to = *(const uint64_t *)from;
		to += 8;
		from += 8;
		size -= 8;
	}
	while (size-- > 0) {
		*to++ = *from++;
	}
}

/* Writes word by word. Returns false when a bit would have to become 1. */
static bool write_words(struct request *request, uint64_t address,
			const uint8_t *data, uint64_t size)
{
	while (size > 0) {
		uint64_t start = address & ~3ull;
		uint32_t word, before;

		send(request->device, 0xff);
		before = word = get(start);
		while (size > 0 && (address & ~3ull) == start) {
			uint32_t shift = 8 * (address & 3);

			word = (word & ~(0xffu << shift)) | (uint32_t)*data++
								    << shift;
			address++;
			size--;
		}
		if ((word & ~before) != 0) {
			return false;
		}
		unlock(request, start & ~(request->block_bytes - 1));
		if (write_word(request, start, word) != 0) {
			return false;
		}
	}
	return true;
}

static uint64_t write_flash(struct request *request, uint64_t address,
			    const uint8_t *data, uint64_t size)
{
	uint64_t block = address & ~(request->block_bytes - 1);

	if (size <= 128 && write_words(request, address, data, size)) {
		return 0;
	}
	send(request->device, 0xff);
	copy((uint8_t *)request->shadow, (const uint8_t *)block,
	     request->block_bytes);
	copy((uint8_t *)request->shadow + (address - block), data, size);
	return write_block(request, block);
}

static uint64_t set_state(struct request *request, uint64_t at, uint8_t state)
{
	return write_flash(request, at + 2, &state, 1);
}

static uint64_t set_variable(struct request *request)
{
	struct variable header = {
		.start = VARIABLE_START,
		.state = 0xff,
		.size_bytes = (uint32_t)request->size_bytes,
		.name = (uint32_t)request->name,
		.more = {0x00010002, 0x00030004, 0x00050006},
	};
	uint64_t at = request->device + STORE_OFFSET, old = 0, result;

	for (;;) {
		const struct variable *found = (const struct variable *)at;

		if (found->start != VARIABLE_START) {
			break;
		}
		if (found->name == request->name &&
		    (found->state == 0x3f || found->state == 0x3e)) {
			old = at;
		}
		at += sizeof(header) + ((found->size_bytes + 3) & ~3u);
	}
	result = old == 0 ? 0 : set_state(request, old, 0x3e);
	result |= write_flash(request, at, (const uint8_t *)&header,
			      sizeof(header));
	result |= set_state(request, at, 0x7f);
	result |= write_flash(request, at + sizeof(header),
			      (const uint8_t *)request->data,
			      request->size_bytes);
	result |= set_state(request, at, 0x3f);
	if (old != 0) {
		result |= set_state(request, old, 0x3c);
	}
	return result;
}

__attribute__((section(".entry"))) uint64_t entry(struct request *request)
{
	switch (request->operation) {
	case OPERATION_SET:
		return set_variable(request);
	case OPERATION_BLOCK:
		return write_block(request, request->device);
	case OPERATION_ABANDON: /* stops in the middle of a buffered program */
		send(request->device, 0xe8);
		send(request->device, 31);
		put(request->device, 0);
		return 0;
	default:
		return 1;
	}
}

void *memcpy(void *to, const void *from, size_t size)
{
	copy(to, from, size);
	return to;
}

void *memset(void *to, int value, size_t size)
{
	uint8_t *bytes = to;

	while (size-- > 0) {
		*bytes++ = (uint8_t)value;
		__asm__ volatile("" ::: "memory");
	}
	return to;
}
