/* SPDX-License-Identifier: MIT */
/*
 * The copy of the flash chip that firmware works on, and the list of what it
 * changed, see flash.h. Until flash_finish() everything runs in a signal handler.
 */
#include "commit/flash.h"

#include "arm64/access.h"
#include "commit/a64.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the chip is waiting for. */
enum cycle {
	CYCLE_COMMAND,
	CYCLE_WORD,
	CYCLE_ERASE,
	CYCLE_LOCK,
	CYCLE_COUNT,
	CYCLE_DATA,
	CYCLE_CONFIRM,
};

/* What a read gives. */
enum mode { MODE_ARRAY, MODE_STATUS, MODE_QUERY, MODE_IDENTIFY };

#define NOWHERE UINT32_MAX
/* In the log, with the offset of a word. */
#define LOG_ERASE 1u
#define LOG_BUFFERED 2u
#define LOG_OFFSET (~3u)
/* Instructions after which going on with firmware's code has not paid; and at a
 * time, for a call to be ended in between. */
#define FOLLOW_IDLE 160u
#define FOLLOW_MOST 4096u
#define CHUNK 256u
#define WINDOW 4096u

/* The chip's state. */
struct machine {
	enum cycle cycle;
	enum mode mode;
	uint32_t status; /* of one lane */
	uint32_t page; /* a buffered program's, from its count on; or NOWHERE */
	uint32_t block; /* and the number of its block */
	uint32_t left; /* words that it expects */
};

/* A block that was erased in this call, and is being written anew: upwards. */
struct rewrite {
	struct nor_block block;
	uint32_t next; /* offset */
	bool active;
};

/* The page that was reached last, of each kind: to ask may take a search. */
struct window {
	uint64_t address;
	uint8_t *memory; /* NULL: none yet */
};

struct flash {
	struct flash_config config;
	struct nor nor;
	struct flash_counts counts;
	struct machine machine;
	struct rewrite rewrite;
	bool is_touched; /* in this call: anything */
	bool is_failed; /* an access of it could not be done */

	/* By the number of the block. */
	uint8_t filled[NOR_MAX_BLOCKS], touched[NOR_MAX_BLOCKS];
	uint8_t locked[NOR_MAX_BLOCKS], locked_before[NOR_MAX_BLOCKS];
	uint32_t first_filled, last_filled;

	/* What firmware's mapping allows, of what is filled. */
	enum flash_access shown;
	uint32_t open_page; /* writable, or NOWHERE */
	uint32_t page_bytes;
	struct window window[FLASH_REACH_EXECUTE + 1]; /* during a fault */
	/* In this call, buffered programs of this block were confirmed at this page,
	 * and not at the one that they were of: that one can be opened. */
	uint32_t confirm_page, confirm_block;

	/* Mapped at once, touched as far as needed. */
	size_t mapped_bytes;
	uint8_t *chip; /* what the chip holds, of blocks that are filled */
	uint8_t *before; /* the block that is being rewritten */
	uint8_t *snapshot; /* the page of a buffered program */
	uint32_t *log_offset, *log_value;
	uint32_t log_count, log_capacity;
};

static uint8_t *copy(const struct flash *flash)
{
	return flash->config.memory.bytes;
}

static uint32_t word_at(const uint8_t *bytes, uint32_t offset)
{
	uint32_t word;

	memcpy(&word, bytes + offset, 4);
	return word;
}

static void protect(struct flash *flash, uint32_t offset, uint32_t size_bytes,
		    enum flash_access access)
{
	flash->counts.protects++;
	flash->config.memory.protect(flash->config.memory.context, offset,
				     size_bytes, access);
}

/* ---- Opening ---- */

static size_t room_for(const struct nor *nor, uint32_t page_bytes,
		       uint32_t log_capacity)
{
	return (size_t)nor->size_bytes + nor->largest_block_bytes + page_bytes +
	       8ull * log_capacity;
}

struct flash *flash_open(const struct flash_config *config,
			 char error[NOR_ERROR_CHARS])
{
	struct flash *flash = calloc(1, sizeof(*flash));
	uint8_t *room;

	(void)snprintf(error, NOR_ERROR_CHARS, "no memory for a flash chip");
	if (flash == NULL) {
		return NULL;
	}
	flash->config = *config;
	if (!nor_open(&flash->nor, &config->port, config->physical)) {
		memcpy(error, flash->nor.error, NOR_ERROR_CHARS);
		free(flash);
		return NULL;
	}
	flash->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	flash->log_capacity = 2 * flash->nor.largest_block_bytes;
	flash->mapped_bytes =
		room_for(&flash->nor, flash->page_bytes, flash->log_capacity);
	room = mmap(NULL, flash->mapped_bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED) {
		free(flash);
		return NULL;
	}
	flash->chip = room;
	flash->before = flash->chip + flash->nor.size_bytes;
	flash->snapshot = flash->before + flash->nor.largest_block_bytes;
	flash->log_offset = (uint32_t *)(flash->snapshot + flash->page_bytes);
	flash->log_value = flash->log_offset + flash->log_capacity;
	flash->machine = (struct machine){.status = NOR_READY, .page = NOWHERE};
	flash->shown = FLASH_READ;
	flash->open_page = flash->confirm_page = NOWHERE;
	flash->first_filled = NOWHERE;
	return flash;
}

void flash_close(struct flash *flash)
{
	if (flash != NULL) {
		(void)munmap(flash->chip, flash->mapped_bytes);
		free(flash);
	}
}

bool flash_holds(const struct flash *flash, uint64_t address)
{
	return address - flash->config.address < flash->nor.size_bytes;
}

const struct flash_counts *flash_counts(const struct flash *flash)
{
	return &flash->counts;
}

const char *flash_error(const struct flash *flash)
{
	return flash->nor.error;
}

/* ---- The copy ---- */

static struct nor_block fill(struct flash *flash, uint32_t offset)
{
	struct nor_block block = nor_block_of(&flash->nor, offset);
	const struct flash_port *port = &flash->config.port;

	if (flash->filled[block.number] != 0) {
		return block;
	}
	flash->counts.fills++;
	for (uint32_t i = 0; i < block.size_bytes; i += 4) {
		uint32_t word = port->read(port->context, block.offset + i);

		memcpy(flash->chip + block.offset + i, &word, 4);
	}
	memcpy(copy(flash) + block.offset, flash->chip + block.offset,
	       block.size_bytes);
	flash->locked[block.number] = nor_lock_status(&flash->nor, &block) != 0;
	flash->locked_before[block.number] = flash->locked[block.number];
	flash->filled[block.number] = 1;
	if (flash->first_filled == NOWHERE ||
	    block.number < flash->first_filled) {
		flash->first_filled = block.number;
	}
	if (block.number > flash->last_filled) {
		flash->last_filled = block.number;
	}
	if (flash->shown != FLASH_NONE) {
		protect(flash, block.offset, block.size_bytes, flash->shown);
	}
	return block;
}

static uint32_t first_block_offset(const struct flash *flash, uint32_t number)
{
	const struct nor_region *region = flash->nor.region;

	while (number - region->first_block >= region->block_count) {
		region++;
	}
	return region->offset +
	       (number - region->first_block) * region->block_bytes;
}

/* All that is filled, neighbours at once. */
static void show(struct flash *flash, enum flash_access access)
{
	uint32_t from = NOWHERE, end = 0;

	flash->shown = access;
	if (flash->first_filled == NOWHERE) {
		return;
	}
	for (uint32_t i = flash->first_filled; i <= flash->last_filled; i++) {
		uint32_t offset = first_block_offset(flash, i);

		if (flash->filled[i] != 0 && from == NOWHERE) {
			from = offset;
		} else if (flash->filled[i] == 0 && from != NOWHERE) {
			protect(flash, from, offset - from, access);
			from = NOWHERE;
		}
		if (flash->filled[i] != 0) {
			end = offset +
			      nor_block_of(&flash->nor, offset).size_bytes;
		}
	}
	protect(flash, from, end - from, access);
}

/* The page that firmware may write by itself now, or NOWHERE. */
static uint32_t page_to_open(const struct flash *flash)
{
	const struct machine *machine = &flash->machine;

	return machine->cycle == CYCLE_DATA && flash->confirm_page != NOWHERE &&
			       flash->confirm_page != machine->page
		       ? machine->page
		       : NOWHERE;
}

/* Before firmware runs by itself: what it can reach is as the chip has it. */
static void settle(struct flash *flash)
{
	uint32_t page = page_to_open(flash);
	enum flash_access access =
		page != NOWHERE ? flash->shown
		: flash->machine.mode == MODE_ARRAY &&
				flash->machine.cycle == CYCLE_COMMAND
			? FLASH_READ
			: FLASH_NONE;

	if (flash->open_page != NOWHERE && flash->open_page != page) {
		if (access == flash->shown) {
			protect(flash, flash->open_page, flash->page_bytes,
				access);
		}
		flash->open_page = NOWHERE;
	}
	if (access != flash->shown) {
		show(flash, access);
	}
	if (page != NOWHERE && flash->open_page != page) {
		protect(flash, page, flash->page_bytes, FLASH_WRITE);
		flash->open_page = page;
	}
}

/* ---- The log ---- */

/* For what a word or the end of a rewrite adds at most. */
static bool has_room(const struct flash *flash)
{
	uint32_t most = flash->nor.largest_block_bytes / 4 + 1;

	return flash->log_capacity - flash->log_count > 2 * most;
}

static void note(struct flash *flash, uint32_t offset, uint32_t value)
{
	flash->log_offset[flash->log_count] = offset;
	flash->log_value[flash->log_count] = value;
	flash->log_count++;
}

/* The block is written: what is different from before is what was changed. */
static void end_rewrite(struct flash *flash)
{
	const struct nor_block *block = &flash->rewrite.block;
	const uint8_t *now = copy(flash) + block->offset;
	bool needs_erase = false;

	if (!flash->rewrite.active) {
		return;
	}
	flash->rewrite.active = false;
	for (uint32_t i = 0; i < block->size_bytes && !needs_erase; i += 4) {
		needs_erase =
			(word_at(now, i) & ~word_at(flash->before, i)) != 0;
	}
	if (needs_erase) {
		note(flash, block->offset | LOG_ERASE, block->size_bytes);
	}
	for (uint32_t i = 0; i < block->size_bytes; i += 4) {
		uint32_t word = word_at(now, i);

		if (word !=
		    (needs_erase ? UINT32_MAX : word_at(flash->before, i))) {
			note(flash, (block->offset + i) | LOG_BUFFERED, word);
		}
	}
}

/* Programs a word, or bytes of one. False: no room. */
static bool program(struct flash *flash, uint32_t offset, uint64_t value,
		    uint32_t bytes, uint32_t how)
{
	struct nor_block block = fill(flash, offset);
	struct rewrite *rewrite = &flash->rewrite;
	uint32_t start = offset & ~3u, shift = 8 * (offset & 3);
	uint32_t mask = bytes == 4 ? UINT32_MAX : (1u << 8 * bytes) - 1;
	uint32_t before = word_at(copy(flash), start);
	uint32_t after = before & ((uint32_t)value << shift | ~(mask << shift));

	if (!has_room(flash)) {
		return false;
	}
	if (flash->locked[block.number] != 0) {
		flash->machine.status |= NOR_PROGRAM_ERROR | NOR_LOCK_ERROR;
		return true;
	}
	if (rewrite->active &&
	    (block.number != rewrite->block.number || start < rewrite->next)) {
		end_rewrite(flash);
	}
	flash->touched[block.number] = 1;
	memcpy(copy(flash) + start, &after, 4);
	if (rewrite->active) {
		rewrite->next = start + 4;
	} else if (after != before) {
		note(flash, start | how, after);
	}
	return true;
}

static bool erase(struct flash *flash, uint32_t offset)
{
	struct nor_block block = fill(flash, offset);

	if (!has_room(flash)) {
		return false;
	}
	if (flash->locked[block.number] != 0) {
		flash->machine.status |= NOR_ERASE_ERROR | NOR_LOCK_ERROR;
		return true;
	}
	end_rewrite(flash);
	flash->counts.erases++;
	flash->touched[block.number] = 1;
	memcpy(flash->before, copy(flash) + block.offset, block.size_bytes);
	memset(copy(flash) + block.offset, 0xff, block.size_bytes);
	flash->rewrite = (struct rewrite){
		.block = block,
		.next = block.offset,
		.active = true,
	};
	return true;
}

/* ---- Buffered programs: in the page, as it was in the snapshot ---- */

static bool begin_buffer(struct flash *flash, uint32_t offset, uint32_t count)
{
	struct machine *machine = &flash->machine;

	if (count * 4ull > flash->nor.buffer_bytes) {
		machine->status |= NOR_PROGRAM_ERROR | NOR_ERASE_ERROR;
		machine->cycle = CYCLE_COMMAND;
		return true;
	}
	machine->block = fill(flash, offset).number;
	machine->page = offset & ~(flash->page_bytes - 1);
	machine->left = count;
	machine->cycle = CYCLE_DATA;
	memcpy(flash->snapshot, copy(flash) + machine->page, flash->page_bytes);
	return true;
}

/* Puts the page back, and programs what was stored there if that was confirmed. */
static bool end_buffer(struct flash *flash, bool is_confirmed)
{
	uint8_t stored[CHUNK];
	uint32_t from = flash->machine.page;

	flash->machine.page = NOWHERE;
	for (uint32_t i = 0; i < flash->page_bytes; i += CHUNK) {
		uint8_t *page = copy(flash) + from + i;

		if (memcmp(page, flash->snapshot + i, CHUNK) == 0) {
			continue;
		}
		memcpy(stored, page, CHUNK);
		memcpy(page, flash->snapshot + i, CHUNK);
		for (uint32_t k = 0; k < CHUNK && is_confirmed; k += 4) {
			if (word_at(stored, k) != word_at(page, k) &&
			    !program(flash, from + i + k, word_at(stored, k), 4,
				     LOG_BUFFERED)) {
				return false;
			}
		}
	}
	return true;
}

static bool confirm_buffer(struct flash *flash, uint32_t offset, uint32_t value)
{
	struct machine *machine = &flash->machine;
	uint32_t page = machine->page;
	bool is_confirmed = (value & 0xff) == NOR_CONFIRM;

	machine->cycle = CYCLE_COMMAND;
	if (!is_confirmed) {
		machine->status |= NOR_PROGRAM_ERROR | NOR_ERASE_ERROR;
	} else if ((offset & ~(flash->page_bytes - 1)) != page) {
		flash->confirm_page = offset & ~(flash->page_bytes - 1);
		flash->confirm_block = machine->block;
	} else if (flash->confirm_page != page) {
		flash->confirm_page = NOWHERE;
	}
	return end_buffer(flash, is_confirmed);
}

static bool buffer_data(struct flash *flash, uint32_t offset, uint32_t value,
			uint32_t bytes)
{
	struct machine *machine = &flash->machine;

	if (page_to_open(flash) != NOWHERE) {
		/* Its words went to memory: this is what follows. */
		return confirm_buffer(flash, offset, value);
	}
	if (offset - machine->page >= flash->page_bytes) {
		return false;
	}
	memcpy(copy(flash) + offset, &value, bytes);
	machine->left--;
	if (machine->left == 0) {
		machine->cycle = CYCLE_CONFIRM;
	}
	return true;
}

/* ---- The chip ---- */

static void begin(struct machine *machine, enum cycle cycle)
{
	machine->cycle = cycle;
	machine->mode = MODE_STATUS;
	machine->status |= NOR_READY;
}

static void obey(struct flash *flash, uint32_t command)
{
	struct machine *machine = &flash->machine;

	switch (command) {
	case NOR_PROGRAM:
	case NOR_PROGRAM_TOO:
		begin(machine, CYCLE_WORD);
		break;
	case NOR_ERASE:
		begin(machine, CYCLE_ERASE);
		break;
	case NOR_LOCK:
		begin(machine, CYCLE_LOCK);
		break;
	case NOR_BUFFER:
		begin(machine, CYCLE_COUNT);
		break;
	case NOR_STATUS:
		machine->mode = MODE_STATUS;
		break;
	case NOR_IDENTIFY:
		machine->mode = MODE_IDENTIFY;
		break;
	case NOR_QUERY:
		machine->mode = MODE_QUERY;
		break;
	case NOR_CLEAR_STATUS:
		machine->status = NOR_READY;
		machine->mode = MODE_ARRAY;
		break;
	default:
		machine->mode = MODE_ARRAY;
		break;
	}
}

/* The second word of an erase, or of a change of a lock. */
static bool second(struct flash *flash, uint32_t offset, uint32_t command)
{
	struct machine *machine = &flash->machine;
	bool is_erase = machine->cycle == CYCLE_ERASE;
	struct nor_block block;

	machine->cycle = CYCLE_COMMAND;
	if (command == NOR_CONFIRM && is_erase) {
		return erase(flash, offset);
	}
	if (!is_erase && (command == NOR_CONFIRM || command == NOR_LOCK_SET)) {
		block = fill(flash, offset);
		flash->locked[block.number] = command == NOR_LOCK_SET;
	} else if (command == NOR_READ_ARRAY) {
		machine->mode = MODE_ARRAY;
	} else {
		machine->status |= NOR_PROGRAM_ERROR | NOR_ERASE_ERROR;
	}
	return true;
}

static bool chip_write(struct flash *flash, uint32_t offset, uint32_t value,
		       uint32_t bytes)
{
	struct machine *machine = &flash->machine;

	flash->is_touched = true;
	switch (machine->cycle) {
	case CYCLE_WORD:
		machine->cycle = CYCLE_COMMAND;
		return program(flash, offset, value, bytes, 0);
	case CYCLE_ERASE:
	case CYCLE_LOCK:
		return second(flash, offset, value & 0xff);
	case CYCLE_COUNT:
		return begin_buffer(flash, offset, (value & 0xffff) + 1);
	case CYCLE_DATA:
		return buffer_data(flash, offset, value, bytes);
	case CYCLE_CONFIRM:
		return confirm_buffer(flash, offset, value);
	default:
		obey(flash, value & 0xff);
		return true;
	}
}

static uint32_t chip_read(struct flash *flash, uint32_t offset)
{
	struct nor_block block;
	uint32_t index;

	switch (flash->machine.mode) {
	case MODE_STATUS:
		return nor_command(&flash->nor, flash->machine.status);
	case MODE_ARRAY:
		(void)fill(flash, offset);
		return word_at(copy(flash), offset);
	default:
		break;
	}
	block = nor_block_of(&flash->nor, offset);
	index = (offset - block.offset) / 4;
	if (flash->machine.mode == MODE_QUERY) {
		return index < NOR_QUERY_WORDS ? flash->nor.query[index] : 0;
	}
	if (index == 2) {
		(void)fill(flash, offset);
		return nor_command(&flash->nor, flash->locked[block.number]);
	}
	return index < 2 ? flash->nor.identity[index] : 0;
}

/* ---- Firmware's accesses ---- */

static uint64_t load(struct flash *flash, uint32_t offset, uint32_t bytes)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < bytes; i++) {
		uint32_t word = chip_read(flash, (offset + i) & ~3u);

		value |= (uint64_t)(word >> 8 * ((offset + i) & 3) & 0xff)
			 << 8 * i;
	}
	return value;
}

static bool store(struct flash *flash, uint32_t offset, uint64_t value,
		  uint32_t bytes)
{
	if (bytes == 8) {
		return chip_write(flash, offset, (uint32_t)value, 4) &&
		       chip_write(flash, offset + 4, (uint32_t)(value >> 32),
				  4);
	}
	return chip_write(flash, offset, (uint32_t)value, bytes);
}

static bool move(struct flash *flash, struct cz_frame *frame,
		 const struct cz_access *access, uint32_t number,
		 uint32_t offset)
{
	if (access->is_store) {
		return store(flash, offset, cz_frame_register(frame, number),
			     access->bytes);
	}
	cz_set_frame_register(
		frame, number,
		cz_access_extend(access, load(flash, offset, access->bytes)));
	return true;
}

static bool fits(const struct flash *flash, const struct cz_access *access)
{
	uint64_t offset = access->address - flash->config.address;
	uint32_t bytes = cz_access_bytes(access);

	return offset < flash->nor.size_bytes &&
	       bytes <= flash->nor.size_bytes - offset &&
	       (!access->is_store || offset % access->bytes == 0);
}

/* One load or store of the flash, done and stepped over. */
static bool do_access(struct flash *flash, struct cz_frame *frame,
		      const struct cz_access *access)
{
	uint32_t offset = (uint32_t)(access->address - flash->config.address);

	flash->counts.accesses++;
	if (!move(flash, frame, access, access->first, offset) ||
	    (access->second != CZ_ACCESS_NONE &&
	     !move(flash, frame, access, access->second,
		   offset + access->bytes))) {
		flash->is_failed = true;
		return false;
	}
	cz_access_write_back(access, frame);
	frame->pc += 4;
	return true;
}

/* ---- Going on with firmware's code ---- */

static void *reach(struct flash *flash, uint64_t address, uint32_t bytes,
		   enum flash_reach how)
{
	const struct flash_firmware *firmware = &flash->config.firmware;
	struct window *window = &flash->window[how];
	uint64_t start = address & ~(uint64_t)(WINDOW - 1);

	if (window->memory == NULL || window->address != start) {
		window->address = start;
		window->memory =
			firmware->reach(firmware->context, start, WINDOW, how);
	}
	if (window->memory != NULL && address - start <= WINDOW - bytes) {
		return window->memory + (address - start);
	}
	return firmware->reach(firmware->context, address, bytes, how);
}

/* A load or store of firmware's other memory. */
static bool follow_access(struct flash *flash, struct cz_frame *frame,
			  const struct cz_access *access)
{
	uint32_t bytes = cz_access_bytes(access);
	uint8_t *memory =
		reach(flash, access->address, bytes,
		      access->is_store ? FLASH_REACH_WRITE : FLASH_REACH_READ);
	uint32_t number = access->first;

	if (memory == NULL) {
		return false;
	}
	for (uint32_t i = 0; i < bytes; i += access->bytes) {
		uint64_t value = cz_frame_register(frame, number);

		if (access->is_store) {
			memcpy(memory + i, &value, access->bytes);
		} else {
			value = 0;
			memcpy(&value, memory + i, access->bytes);
			cz_set_frame_register(frame, number,
					      cz_access_extend(access, value));
		}
		number = access->second;
	}
	cz_access_write_back(access, frame);
	frame->pc += 4;
	return true;
}

/* Whether to go on after the instruction, or false and nothing is done. */
static bool follow(struct flash *flash, struct cz_frame *frame,
		   uint32_t instruction, uint32_t *idle)
{
	struct cz_access access;

	if (!cz_access_decode(frame, instruction, &access)) {
		return a64_step(frame, instruction);
	}
	if (!flash_holds(flash, access.address)) {
		return follow_access(flash, frame, &access);
	}
	if (!fits(flash, &access)) {
		return false;
	}
	/* A load of the array would not have faulted. */
	if (access.is_store || flash->machine.mode != MODE_ARRAY) {
		*idle = 0;
	}
	return do_access(flash, frame, &access);
}

/*
 * A fault costs as much as some hundred instructions done here. Stops where
 * firmware can run by itself for longer.
 */
static void go_on(struct flash *flash, struct cz_frame *frame)
{
	uint32_t idle = 0;

	memset(flash->window, 0, sizeof(flash->window));
	for (uint32_t i = 0; i < FOLLOW_MOST && idle < FOLLOW_IDLE; i++) {
		const uint32_t *code;

		if (page_to_open(flash) != NOWHERE) {
			return;
		}
		code = reach(flash, frame->pc, 4, FLASH_REACH_EXECUTE);
		idle++;
		if (code == NULL || !follow(flash, frame, *code, &idle)) {
			return;
		}
		flash->counts.instructions++;
	}
}

/* ---- A fault ---- */

bool flash_fault(struct flash *flash, struct cz_frame *frame,
		 uint32_t instruction, uint64_t address)
{
	struct cz_access access;
	uint32_t offset = (uint32_t)(address - flash->config.address);

	if (!flash_holds(flash, address) || flash->is_failed) {
		return false;
	}
	flash->counts.faults++;
	if (!cz_access_decode(frame, instruction, &access)) {
		/* It may be a load by other registers, to be made again. */
		if (flash->machine.mode != MODE_ARRAY ||
		    flash->filled[nor_block_of(&flash->nor, offset).number] !=
			    0) {
			return false;
		}
		(void)fill(flash, offset);
		return true;
	}
	if (!fits(flash, &access) ||
	    address - access.address >= cz_access_bytes(&access) ||
	    !do_access(flash, frame, &access)) {
		return false;
	}
	if (access.is_store || flash->machine.mode != MODE_ARRAY) {
		if (flash->config.firmware.reach != NULL) {
			go_on(flash, frame);
		}
	}
	settle(flash);
	return !flash->is_failed;
}

/* ---- The end of the call ---- */

static void rest(struct flash *flash)
{
	if (flash->machine.page != NOWHERE) {
		(void)end_buffer(flash, false);
	}
	flash->machine = (struct machine){.status = NOR_READY, .page = NOWHERE};
	flash->confirm_page = NOWHERE;
	settle(flash);
}

bool flash_finish(struct flash *flash, unsigned *erases)
{
	unsigned count = 0;

	if (flash->is_touched) {
		rest(flash);
		end_rewrite(flash);
	}
	for (uint32_t i = 0; i < flash->log_count; i++) {
		count += (flash->log_offset[i] & LOG_ERASE) != 0;
	}
	if (erases != NULL) {
		*erases = count;
	}
	return flash->log_count != 0;
}

static bool next_change(const void *context, size_t *cursor,
			struct flash_change *change)
{
	const struct flash *flash = context;
	size_t from = *cursor, i = from;
	uint32_t entry, end;
	struct nor_block block;

	if (from >= flash->log_count) {
		return false;
	}
	entry = flash->log_offset[from];
	block = nor_block_of(&flash->nor, entry & LOG_OFFSET);
	if ((entry & LOG_ERASE) != 0) {
		*cursor = from + 1;
		*change = (struct flash_change){
			.kind = FLASH_ERASE,
			.offset = block.offset,
			.size_bytes = block.size_bytes,
		};
		return true;
	}
	end = block.offset + block.size_bytes;
	do {
		i++;
		entry += 4;
	} while (i < flash->log_count && flash->log_offset[i] == entry &&
		 (entry & LOG_OFFSET) < end);
	*cursor = i;
	*change = (struct flash_change){
		.kind = (entry & LOG_BUFFERED) != 0 ? FLASH_BUFFERED
						    : FLASH_WORDS,
		.offset = flash->log_offset[from] & LOG_OFFSET,
		.size_bytes = (uint32_t)(4 * (i - from)),
		.bytes = (const uint8_t *)&flash->log_value[from],
	};
	return true;
}

struct flash_list flash_changes(const struct flash *flash)
{
	return (struct flash_list){.context = flash, .next = next_change};
}

/* Ends what a call has left, with the chip's image and the copy as one. */
static void forget(struct flash *flash, bool is_kept)
{
	for (uint32_t i = 0; i < flash->nor.block_count; i++) {
		uint32_t offset;
		struct nor_block block;

		if (flash->touched[i] != 0) {
			offset = first_block_offset(flash, i);
			block = nor_block_of(&flash->nor, offset);
			memcpy((is_kept ? flash->chip : copy(flash)) + offset,
			       (is_kept ? copy(flash) : flash->chip) + offset,
			       block.size_bytes);
			flash->touched[i] = 0;
		}
		if (is_kept) {
			flash->locked_before[i] = flash->locked[i];
		} else {
			flash->locked[i] = flash->locked_before[i];
		}
	}
	flash->log_count = 0;
	flash->is_touched = flash->is_failed = false;
}

void flash_keep(struct flash *flash)
{
	if (flash->is_touched) {
		forget(flash, true);
	}
}

void flash_drop(struct flash *flash)
{
	if (flash->is_touched) {
		flash->rewrite.active = false;
		rest(flash);
		forget(flash, false);
	}
}

/* ---- Whether the chip is what it was ---- */

void flash_read_ahead(struct flash *flash, uint64_t offset, uint64_t size_bytes)
{
	uint64_t end = offset + size_bytes;

	while (offset < end && offset < flash->nor.size_bytes) {
		struct nor_block block = fill(flash, (uint32_t)offset);

		offset = block.offset + block.size_bytes;
	}
}

static bool is_block_same(struct flash *flash, const struct nor_block *block)
{
	const struct flash_port *port = &flash->config.port;

	for (uint32_t i = 0; i < block->size_bytes; i += 4) {
		uint32_t offset = block->offset + i;
		uint32_t known = word_at(flash->chip, offset);
		uint32_t found = port->read(port->context, offset);

		if (found != known) {
			(void)snprintf(
				flash->nor.error, NOR_ERROR_CHARS,
				"flash at 0x%" PRIx64 ": 0x%" PRIx32
				" is 0x%08" PRIx32 ", and was 0x%08" PRIx32
				": somebody else has written to it",
				flash->nor.address, offset, found, known);
			return false;
		}
	}
	return true;
}

bool flash_is_same(struct flash *flash)
{
	for (uint32_t i = 0; i < flash->nor.block_count; i++) {
		if (flash->filled[i] != 0) {
			struct nor_block block = nor_block_of(
				&flash->nor, first_block_offset(flash, i));

			if (!is_block_same(flash, &block)) {
				return false;
			}
		}
	}
	return true;
}

/* ---- To the chip ---- */

static bool is_sound(const struct flash *flash,
		     const struct flash_change *change)
{
	struct nor_block block;

	if (change->offset >= flash->nor.size_bytes ||
	    change->offset % 4 != 0 || change->size_bytes % 4 != 0 ||
	    change->size_bytes == 0) {
		return false;
	}
	block = nor_block_of(&flash->nor, change->offset);
	return change->kind == FLASH_ERASE
		       ? change->offset == block.offset &&
				 change->size_bytes == block.size_bytes
		       : change->size_bytes <= block.offset + block.size_bytes -
						       change->offset;
}

static bool apply(struct flash *flash, const struct flash_change *change)
{
	struct nor_block block;

	if (!is_sound(flash, change)) {
		(void)snprintf(flash->nor.error, NOR_ERROR_CHARS,
			       "flash at 0x%" PRIx64 ": no place for a change "
			       "of %" PRIu32 " bytes at 0x%" PRIx32,
			       flash->nor.address, change->size_bytes,
			       change->offset);
		return false;
	}
	if (change->kind != FLASH_ERASE) {
		flash->counts.chip_words += change->size_bytes / 4;
		return nor_program(
			&flash->nor, change->offset,
			(const uint32_t *)(const void *)change->bytes,
			change->size_bytes / 4, change->kind == FLASH_WORDS);
	}
	flash->counts.chip_erases++;
	block = nor_block_of(&flash->nor, change->offset);
	return nor_erase(&flash->nor, &block);
}

/* Whether a change after the cursor has to do with the word. */
static bool is_changed_later(const struct flash_list *list, size_t cursor,
			     uint32_t offset)
{
	struct flash_change later;

	while (list->next(list->context, &cursor, &later)) {
		if (offset - later.offset < later.size_bytes) {
			return true;
		}
	}
	return false;
}

static bool verify(struct flash *flash, const struct flash_list *list,
		   size_t cursor, const struct flash_change *change)
{
	const struct flash_port *port = &flash->config.port;

	if (change->kind == FLASH_ERASE) {
		return true;
	}
	for (uint32_t i = 0; i < change->size_bytes; i += 4) {
		uint32_t offset = change->offset + i;
		uint32_t wanted = word_at(change->bytes, i);
		uint32_t found = port->read(port->context, offset);

		if (found != wanted &&
		    !is_changed_later(list, cursor, offset)) {
			(void)snprintf(flash->nor.error, NOR_ERROR_CHARS,
				       "flash at 0x%" PRIx64 ": 0x%" PRIx32
				       " is 0x%08" PRIx32 ", not 0x%08" PRIx32
				       " as written",
				       flash->nor.address, offset, found,
				       wanted);
			return false;
		}
	}
	return true;
}

bool flash_apply(struct flash *flash, const struct flash_list *list)
{
	struct flash_change change;
	size_t cursor = 0;

	while (list->next(list->context, &cursor, &change)) {
		if (!apply(flash, &change)) {
			return false;
		}
	}
	cursor = 0;
	while (list->next(list->context, &cursor, &change)) {
		if (!verify(flash, list, cursor, &change)) {
			return false;
		}
	}
	return true;
}
