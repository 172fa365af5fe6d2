/* SPDX-License-Identifier: MIT */
/*
 * The real flash chip, see nor.h. A process that was killed may have left the
 * chip in the middle of any command, where it takes the next word as data. So
 * this file first writes words of all ones. To a chip that waits for a command
 * they mean read-array, and as data they program nothing.
 */
#include "commit/nor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SAMPLES 16u
/* A buffered program can expect 65,536 words. */
#define MAX_ESCAPES 65600u
/* Five seconds in all: longer than any chip needs to erase a block. */
#define BUSY_TRIES 100u
#define BUSY_PAUSE_NS 50000000
/* After this many polls, the chip is polled only after pauses. */
#define BUSY_POLLS 4096u
#define POLL_PAUSE_NS 50000
#define PROGRAM_LIMIT_NS 2000000000ull
#define ERASE_LIMIT_NS 20000000000ull
/* From how many words on a buffered program is faster; and the most words of
 * one, for which every chip has room and which EDK II's drivers use. */
#define BUFFER_WORTH 4u
#define BUFFER_MOST 32u

#define QUERY_SIGNATURE 0x10
#define QUERY_COMMAND_SET 0x13
#define QUERY_EXTENDED 0x15 /* the offset of Intel's own table */
#define QUERY_SIZE 0x27
#define QUERY_BUFFER 0x2a
#define QUERY_REGIONS 0x2c
#define QUERY_REGION 0x2d
/* Offsets in Intel's table: "PRI", a version, and the features. */
#define EXTENDED_FEATURES 5
#define FEATURE_PARTITIONS (1u << 9) /* one can be read while another is busy */
#define INTEL_EXTENDED 1
#define INTEL_STANDARD 3

__attribute__((format(printf, 2, 3))) static bool
refuse(struct nor *nor, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	(void)vsnprintf(nor->error, sizeof(nor->error), format, list);
	va_end(list);
	return false;
}

static uint32_t get(struct nor *nor, uint32_t offset)
{
	return nor->port.read(nor->port.context, offset);
}

static void put(struct nor *nor, uint32_t offset, uint32_t value)
{
	nor->port.write(nor->port.context, offset, value);
}

static void command(struct nor *nor, uint32_t offset, uint32_t value)
{
	put(nor, offset, nor_command(nor, value));
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void pause_ns(long ns)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

/* ---- Out of any command ---- */

/* Returns whether the whole chip reads as one word that may be a status
 * register. */
static bool shows_status(struct nor *nor)
{
	uint32_t step = nor->size_bytes / SAMPLES & ~3u;
	uint32_t first = get(nor, 0);

	if ((first & NOR_READY) == 0 || (first & 0xff00ff00u) != 0) {
		return false;
	}
	for (uint32_t i = 1; i < SAMPLES; i++) {
		if (get(nor, i * step) != first) {
			return false;
		}
	}
	return true;
}

/* Writes to the chip's last word, so that stray data do not hit variables. */
static bool escape(struct nor *nor)
{
	for (uint32_t i = 0; i < MAX_ESCAPES; i++) {
		put(nor, nor->size_bytes - 4, UINT32_MAX);
		if (!shows_status(nor)) {
			command(nor, 0, NOR_CLEAR_STATUS);
			command(nor, 0, NOR_READ_ARRAY);
			command(nor, nor->size_bytes - 4, NOR_READ_ARRAY);
			return true;
		}
	}
	return refuse(nor,
		      "flash at 0x%" PRIx64
		      ": says nothing but its status, 0x%08" PRIx32,
		      nor->address, get(nor, 0));
}

/* ---- What it is ---- */

static uint32_t query(const struct nor *nor, uint32_t index, uint32_t bytes)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < bytes; i++) {
		value |= (nor->query[index + i] & 0xff) << (8 * i);
	}
	return value;
}

/* A chip that is erasing reads as the same status everywhere, not ready. */
static bool is_busy(const struct nor *nor)
{
	const uint32_t *answer = &nor->query[QUERY_SIGNATURE];

	return answer[0] == answer[1] && answer[1] == answer[2] &&
	       (answer[0] & (0xff00ff00u | NOR_READY)) == 0;
}

static bool find_signature(struct nor *nor)
{
	static const char signature[] = {'Q', 'R', 'Y'};

	nor->lanes = nor->query[QUERY_SIGNATURE] >> 16 == 'Q' ? 2 : 1;
	for (uint32_t i = 0; i < 3; i++) {
		if (nor->query[QUERY_SIGNATURE + i] !=
		    nor_command(nor, (uint32_t)signature[i])) {
			return refuse(nor,
				      "flash at 0x%" PRIx64
				      ": no CFI chip of 32 or twice 16 bits: "
				      "the query answers %08" PRIx32
				      " %08" PRIx32 " %08" PRIx32,
				      nor->address, nor->query[QUERY_SIGNATURE],
				      nor->query[QUERY_SIGNATURE + 1],
				      nor->query[QUERY_SIGNATURE + 2]);
		}
	}
	return true;
}

/* The chip is in query mode. Intel's table may be anywhere behind the query's
 * words. */
static bool has_partitions(struct nor *nor)
{
	static const char signature[] = {'P', 'R', 'I'};
	uint32_t at = query(nor, QUERY_EXTENDED, 2);
	uint32_t features = 0;

	if (at == 0 || 4 * (at + EXTENDED_FEATURES + 4) > nor->size_bytes) {
		return false;
	}
	for (uint32_t i = 0; i < 3; i++) {
		if ((get(nor, 4 * (at + i)) & 0xff) != (uint8_t)signature[i]) {
			return false;
		}
	}
	for (uint32_t i = 0; i < 4; i++) {
		features |= (get(nor, 4 * (at + EXTENDED_FEATURES + i)) & 0xff)
			    << (8 * i);
	}
	return (features & FEATURE_PARTITIONS) != 0;
}

static void ask(struct nor *nor)
{
	/* Addresses both devices at once; a single 32-bit device uses the low
	 * half. */
	put(nor, 0x55 * 4, NOR_QUERY << 16 | NOR_QUERY);
	for (uint32_t i = 0; i < NOR_QUERY_WORDS; i++) {
		nor->query[i] = get(nor, 4 * i);
	}
	nor->has_partitions = has_partitions(nor);
	put(nor, 0, NOR_READ_ARRAY << 16 | NOR_READ_ARRAY);
	put(nor, 0, NOR_IDENTIFY << 16 | NOR_IDENTIFY);
	nor->identity[0] = get(nor, 0);
	nor->identity[1] = get(nor, 4);
	put(nor, 0, NOR_READ_ARRAY << 16 | NOR_READ_ARRAY);
}

/* Asks a second time even if the chip is not busy: it may have become ready
 * during the first query. */
static bool ask_until_ready(struct nor *nor)
{
	for (uint32_t i = 0, others = 0; i < BUSY_TRIES && others < 2; i++) {
		if (i > 0) {
			pause_ns(BUSY_PAUSE_NS);
		}
		if (!escape(nor)) {
			return false;
		}
		ask(nor);
		if (find_signature(nor)) {
			return true;
		}
		others += is_busy(nor) ? 0 : 1;
		nor->lanes = 2;
	}
	return false;
}

static bool add_region(struct nor *nor, uint32_t index, uint64_t *offset)
{
	struct nor_region *region = &nor->region[index];
	uint32_t count = query(nor, QUERY_REGION + 4 * index, 2) + 1;
	uint32_t units = query(nor, QUERY_REGION + 4 * index + 2, 2);
	uint32_t bytes = (units == 0 ? 128 : units * 256) * nor->lanes;

	/* The region may cover only the beginning of a larger chip. */
	if (count > (nor->port.size_bytes - *offset) / bytes) {
		count = (uint32_t)((nor->port.size_bytes - *offset) / bytes);
	}
	if (bytes % 4096 != 0 || *offset % bytes != 0 || count == 0 ||
	    count > NOR_MAX_BLOCKS - nor->block_count) {
		return refuse(nor,
			      "flash at 0x%" PRIx64 ": erase region %" PRIu32
			      " of %" PRIu32 " blocks of %" PRIu32
			      " bytes at 0x%" PRIx64
			      " does not fit a chip of %" PRIu64 " bytes",
			      nor->address, index, count, bytes, *offset,
			      nor->port.size_bytes);
	}
	*region = (struct nor_region){
		.offset = (uint32_t)*offset,
		.block_bytes = bytes,
		.block_count = count,
		.first_block = nor->block_count,
	};
	*offset += (uint64_t)count * bytes;
	nor->block_count += count;
	if (bytes > nor->largest_block_bytes) {
		nor->largest_block_bytes = bytes;
	}
	return true;
}

static bool find_geometry(struct nor *nor)
{
	uint32_t set = query(nor, QUERY_COMMAND_SET, 2);
	uint32_t exponent = query(nor, QUERY_BUFFER, 2);
	uint32_t count = query(nor, QUERY_REGIONS, 1);
	uint64_t offset = 0;

	if (set != INTEL_EXTENDED && set != INTEL_STANDARD) {
		return refuse(nor,
			      "flash at 0x%" PRIx64 ": CFI command set %" PRIu32
			      ", not Intel's (1 or 3)",
			      nor->address, set);
	}
	if (count == 0 || count > NOR_MAX_REGIONS) {
		return refuse(nor,
			      "flash at 0x%" PRIx64 ": %" PRIu32
			      " erase regions, not 1 to %d",
			      nor->address, count, NOR_MAX_REGIONS);
	}
	while (nor->region_count < count && offset < nor->port.size_bytes) {
		if (!add_region(nor, nor->region_count, &offset)) {
			return false;
		}
		nor->region_count++;
	}
	if (offset != nor->port.size_bytes) {
		return refuse(nor,
			      "flash at 0x%" PRIx64 ": a chip of %" PRIu64
			      " bytes in a region of %" PRIu64,
			      nor->address, offset, nor->port.size_bytes);
	}
	if (exponent >= 5 && exponent <= 16) {
		nor->buffer_bytes = (1u << exponent) * nor->lanes;
	}
	return true;
}

struct nor_block nor_block_of(const struct nor *nor, uint32_t offset)
{
	const struct nor_region *region = &nor->region[nor->region_count - 1];
	uint32_t number;

	while (offset < region->offset) {
		region--;
	}
	number = (offset - region->offset) / region->block_bytes;
	return (struct nor_block){
		.number = region->first_block + number,
		.offset = region->offset + number * region->block_bytes,
		.size_bytes = region->block_bytes,
	};
}

/* ---- Opening ---- */

/* Waits until every device is ready. Returns the status, or 0 after limit_ns.
 * The time is read before the status: if this thread is delayed between the
 * two, a chip that became ready meanwhile is still seen as ready. */
static uint32_t wait_ready(struct nor *nor, uint32_t offset, uint64_t limit_ns)
{
	uint32_t ready = nor_command(nor, NOR_READY);
	uint64_t from_ns = 0;

	for (uint32_t polls = 0;; polls++) {
		bool is_over = from_ns != 0 && now_ns() - from_ns > limit_ns;
		uint32_t status = get(nor, offset);

		if ((status & ready) == ready) {
			return status;
		}
		if (is_over) {
			return 0;
		}
		if (polls < BUSY_POLLS) {
			continue;
		}
		if (from_ns == 0) {
			from_ns = now_ns();
		}
		pause_ns(POLL_PAUSE_NS);
	}
}

/*
 * Each partition has a read mode of its own, set by the latest command to it,
 * and may be busy while others can be read. A partition has at least one whole
 * block. So this function waits for each block and sets it to read-array mode.
 */
static bool show_partitions(struct nor *nor)
{
	uint32_t offset = 0;

	command(nor, 0, NOR_CLEAR_STATUS);
	while (offset < nor->size_bytes) {
		struct nor_block block = nor_block_of(nor, offset);

		command(nor, offset, NOR_STATUS);
		if (wait_ready(nor, offset, ERASE_LIMIT_NS) == 0) {
			return refuse(nor,
				      "flash at 0x%" PRIx64
				      ": the block at 0x%" PRIx32
				      " does not become ready",
				      nor->address, offset);
		}
		command(nor, offset, NOR_READ_ARRAY);
		offset += block.size_bytes;
	}
	return true;
}

bool nor_open(struct nor *nor, const struct flash_port *port, uint64_t address)
{
	*nor = (struct nor){
		.port = *port,
		.address = address,
		.lanes = 2, /* until known, commands go to both halves */
		.size_bytes = (uint32_t)port->size_bytes,
	};
	if (port->size_bytes < 65536 || port->size_bytes > 1u << 30 ||
	    port->size_bytes % 4096 != 0) {
		return refuse(nor,
			      "flash at 0x%" PRIx64 ": a region of %" PRIu64
			      " bytes, not 64 KiB to 1 GiB",
			      address, port->size_bytes);
	}
	return ask_until_ready(nor) && find_geometry(nor) &&
	       (!nor->has_partitions || show_partitions(nor));
}

/* ---- Programs and erases ---- */

static const char *describe(uint32_t status)
{
	status |= status >> 16;
	if (status == 0) {
		return "it does not become ready";
	}
	if ((status & NOR_LOCK_ERROR) != 0) {
		return "the block is locked";
	}
	if ((status & NOR_VOLTAGE_ERROR) != 0) {
		return "the programming voltage is too low";
	}
	return (status & NOR_ERASE_ERROR) != 0 &&
			       (status & NOR_PROGRAM_ERROR) != 0
		       ? "it does not understand the command"
		       : "it failed";
}

/* Ends an operation: clears the status and returns to read-array mode. */
static bool conclude(struct nor *nor, const char *what, uint32_t offset,
		     uint32_t status)
{
	command(nor, offset, NOR_CLEAR_STATUS);
	command(nor, offset, NOR_READ_ARRAY);
	if (status == nor_command(nor, NOR_READY)) {
		return true;
	}
	(void)escape(nor);
	return refuse(nor,
		      "flash at 0x%" PRIx64 ": %s at 0x%" PRIx32
		      ": %s (status 0x%08" PRIx32 ")",
		      nor->address, what, offset, describe(status), status);
}

uint32_t nor_lock_status(struct nor *nor, const struct nor_block *block)
{
	uint32_t status;

	command(nor, block->offset, NOR_IDENTIFY);
	status = get(nor, block->offset + 8);
	command(nor, block->offset, NOR_READ_ARRAY);
	return status & nor_command(nor, 1);
}

static bool unlock(struct nor *nor, const struct nor_block *block)
{
	if (nor_lock_status(nor, block) == 0) {
		return true;
	}
	command(nor, block->offset, NOR_LOCK);
	command(nor, block->offset, NOR_CONFIRM);
	command(nor, block->offset, NOR_STATUS);
	return conclude(nor, "unlocking", block->offset,
			wait_ready(nor, block->offset, PROGRAM_LIMIT_NS));
}

static bool program_word(struct nor *nor, uint32_t offset, uint32_t value)
{
	command(nor, offset, NOR_PROGRAM);
	put(nor, offset, value);
	return conclude(nor, "programming", offset,
			wait_ready(nor, offset, PROGRAM_LIMIT_NS));
}

static bool program_buffer(struct nor *nor, uint32_t offset,
			   const uint32_t *values, uint32_t count)
{
	command(nor, offset, NOR_BUFFER);
	if (wait_ready(nor, offset, PROGRAM_LIMIT_NS) == 0) {
		return conclude(nor, "buffering", offset, 0);
	}
	command(nor, offset, count - 1);
	for (uint32_t i = 0; i < count; i++) {
		put(nor, offset + 4 * i, values[i]);
	}
	command(nor, offset, NOR_CONFIRM);
	return conclude(nor, "programming", offset,
			wait_ready(nor, offset, PROGRAM_LIMIT_NS));
}

/* Programs those words that change, of a group that fits one buffer. */
static bool program_some(struct nor *nor, uint32_t offset,
			 const uint32_t *words, uint32_t count, bool in_order)
{
	uint32_t values[BUFFER_MOST];
	uint32_t first = count, last = 0, changed = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t before = get(nor, offset + 4 * i);

		values[i] = before & words[i];
		if (values[i] != before) {
			first = i < first ? i : first;
			last = i;
			changed++;
		}
	}
	if (!in_order && changed >= BUFFER_WORTH && nor->buffer_bytes != 0) {
		if (!program_buffer(nor, offset + 4 * first, values + first,
				    last - first + 1)) {
			return false;
		}
	} else {
		for (uint32_t i = first; i < count && i <= last; i++) {
			if (get(nor, offset + 4 * i) != values[i] &&
			    !program_word(nor, offset + 4 * i, values[i])) {
				return false;
			}
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t after = get(nor, offset + 4 * i);

		if (after != values[i]) {
			return refuse(nor,
				      "flash at 0x%" PRIx64
				      ": programmed 0x%08" PRIx32
				      " at 0x%" PRIx32 ", it is 0x%08" PRIx32,
				      nor->address, values[i], offset + 4 * i,
				      after);
		}
	}
	return true;
}

bool nor_program(struct nor *nor, uint32_t offset, const uint32_t *words,
		 uint32_t count, bool in_order)
{
	struct nor_block block = nor_block_of(nor, offset);
	uint32_t most = nor->buffer_bytes / 4;

	if (most == 0 || most > BUFFER_MOST) {
		most = BUFFER_MOST;
	}
	if (!unlock(nor, &block)) {
		return false;
	}
	while (count > 0) {
		uint32_t some = most - offset / 4 % most;

		some = some < count ? some : count;
		if (!program_some(nor, offset, words, some, in_order)) {
			return false;
		}
		offset += 4 * some;
		words += some;
		count -= some;
	}
	return true;
}

bool nor_erase(struct nor *nor, const struct nor_block *block)
{
	if (!unlock(nor, block)) {
		return false;
	}
	command(nor, block->offset, NOR_ERASE);
	command(nor, block->offset, NOR_CONFIRM);
	if (!conclude(nor, "erasing", block->offset,
		      wait_ready(nor, block->offset, ERASE_LIMIT_NS))) {
		return false;
	}
	for (uint32_t i = 0; i < block->size_bytes; i += 4) {
		if (get(nor, block->offset + i) != UINT32_MAX) {
			return refuse(nor,
				      "flash at 0x%" PRIx64
				      ": erased the block at 0x%" PRIx32
				      ", but 0x%" PRIx32 " is 0x%08" PRIx32,
				      nor->address, block->offset,
				      block->offset + i,
				      get(nor, block->offset + i));
		}
	}
	return true;
}
