/* SPDX-License-Identifier: MIT */
/*
 * The state file, see state.h: a header, firmware's RAM, the journal. It is read by a
 * mapping and written by pwrite(): nothing that runs in this process can store to
 * it by accident, and what was written outlives a process that is killed, in the
 * order in which it was written. Nothing in it is believed when it is opened.
 */
#include "commit/state.h"

#include "lib/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

#define VERSION_ALONE 1u /* the machine's RAM has not been kept the same */
#define VERSION_KEEPS_RAM 2u
/* Of parts of the file: pages of any kernel. */
#define ALIGNMENT 65536u
#define DEFAULT_FLASH_BYTES (3u << 19)
#define MAX_RAM_BYTES (1ull << 28)
#define PATH_CHARS 1024

static const char magic[8] = "caesurad";

struct placed_region {
	uint64_t address, size_bytes, offset;
};

/* Written once. */
struct header {
	char magic[8];
	uint32_t version, region_count;
	struct state_identity identity;
	uint64_t file_bytes, journal_offset, journal_bytes;
	struct placed_region region[STATE_MAX_REGIONS];
	uint64_t checksum; /* of all before it */
};

/* At CONTROL_OFFSET; body at journal_offset: pages, then changes. */
struct control {
	uint32_t is_valid;
	uint32_t page_count, change_count;
	uint64_t body_bytes;
	uint64_t checksum; /* of the counts and the body */
};

#define CONTROL_OFFSET 4096u

struct page_record {
	uint64_t offset; /* in the file */
	uint8_t bytes[CZ_EFI_PAGE_SIZE];
};

struct change_record {
	uint32_t kind, offset, size_bytes, byte_count; /* and the bytes */
};

_Static_assert(sizeof(struct header) <= CONTROL_OFFSET, "a page of its own");
_Static_assert(sizeof(struct page_record) == CZ_EFI_PAGE_SIZE + 8,
	       "no padding");

struct state {
	struct state_config config;
	struct header header;
	struct control control; /* the journal's, read or to be written */
	int fd;
	const uint8_t *map; /* not to be stored to */
	uint64_t pages_committed;
	char error[STATE_ERROR_CHARS];
};

__attribute__((format(printf, 2, 3))) static bool
refuse(struct state *state, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	(void)vsnprintf(state->error, sizeof(state->error), format, list);
	va_end(list);
	return false;
}

const char *state_error(const struct state *state)
{
	return state->error;
}

int state_fd(const struct state *state)
{
	return state->fd;
}

uint64_t state_region_offset(const struct state *state, unsigned region)
{
	return state->header.region[region].offset;
}

bool state_keeps_ram(const struct state *state)
{
	return state->header.version == VERSION_KEEPS_RAM;
}

uint64_t state_pages_committed(const struct state *state)
{
	return state->pages_committed;
}

static void step(const struct state *state)
{
	if (state->config.step != NULL) {
		state->config.step(state->config.context);
	}
}

/* To the file; it has a page for every byte already. */
static bool put(struct state *state, uint64_t offset, const void *bytes,
		size_t size_bytes)
{
	const uint8_t *from = bytes;

	step(state);
	while (size_bytes > 0) {
		ssize_t done =
			pwrite(state->fd, from, size_bytes, (off_t)offset);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done <= 0) {
			return refuse(state, "%s: cannot be written: %s",
				      state->config.path, strerror(errno));
		}
		from += done;
		offset += (uint64_t)done;
		size_bytes -= (size_t)done;
	}
	return true;
}

static const uint8_t *body_of(const struct state *state)
{
	return state->map + state->header.journal_offset;
}

/* ---- Opening ---- */

static uint64_t align(uint64_t value)
{
	return (value + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
}

static uint64_t header_checksum(const struct header *header)
{
	return hash_bytes(0, header, offsetof(struct header, checksum));
}

static void set_version(struct header *header, uint32_t version)
{
	header->version = version;
	header->checksum = header_checksum(header);
}

/* Where everything is: it follows from what is asked for. */
static bool lay_out(struct state *state)
{
	const struct state_config *config = &state->config;
	struct header *header = &state->header;
	uint64_t flash_bytes = config->flash_bytes != 0 ? config->flash_bytes
							: DEFAULT_FLASH_BYTES;
	uint64_t offset = ALIGNMENT, ram_bytes = 0;

	if (config->region_count > STATE_MAX_REGIONS) {
		return refuse(state, "%u regions of RAM, at most %d are known",
			      config->region_count, STATE_MAX_REGIONS);
	}
	memcpy(header->magic, magic, sizeof(magic));
	header->region_count = config->region_count;
	header->identity = config->identity;
	for (unsigned i = 0; i < config->region_count; i++) {
		const struct state_region *region = &config->regions[i];

		if (region->size_bytes == 0 ||
		    region->size_bytes % CZ_EFI_PAGE_SIZE != 0 ||
		    region->size_bytes > MAX_RAM_BYTES - ram_bytes) {
			return refuse(state,
				      "a region of RAM of %" PRIu64
				      " bytes at 0x%" PRIx64
				      ": no pages, or more than 256 MiB",
				      region->size_bytes, region->address);
		}
		header->region[i] = (struct placed_region){
			.address = region->address,
			.size_bytes = region->size_bytes,
			.offset = offset,
		};
		ram_bytes += region->size_bytes;
		offset = align(offset + region->size_bytes);
	}
	header->journal_offset = offset;
	header->journal_bytes = align(ram_bytes / CZ_EFI_PAGE_SIZE *
					      sizeof(struct page_record) +
				      flash_bytes);
	header->file_bytes = offset + header->journal_bytes;
	set_version(header,
		    config->ram != NULL ? VERSION_KEEPS_RAM : VERSION_ALONE);
	return true;
}

static bool map_file(struct state *state)
{
	void *map = mmap(NULL, state->header.file_bytes, PROT_READ, MAP_SHARED,
			 state->fd, 0);

	if (map == MAP_FAILED) {
		return refuse(state, "%s: cannot be mapped: %s",
			      state->config.path, strerror(errno));
	}
	state->map = map;
	return true;
}

static bool is_private_file(struct state *state, const struct stat *status)
{
	if (!S_ISREG(status->st_mode) || status->st_uid != geteuid() ||
	    (status->st_mode & 077) != 0 || status->st_nlink > 1) {
		return refuse(state,
			      "%s: not a file that is this user's alone (mode "
			      "%o, owner %u, %u links): remove it",
			      state->config.path, status->st_mode & 07777,
			      (unsigned)status->st_uid,
			      (unsigned)status->st_nlink);
	}
	return true;
}

/* KEPT, NEW for one of another boot, or FAILED. */
static enum state_result check(struct state *state, const struct header *found,
			       uint64_t size_bytes)
{
	const char *path = state->config.path;

	if (memcmp(found->magic, magic, sizeof(magic)) != 0) {
		(void)refuse(state, "%s: not a state of caesurad's: remove it",
			     path);
		return STATE_FAILED;
	}
	if (found->version != VERSION_ALONE &&
	    found->version != VERSION_KEEPS_RAM) {
		(void)refuse(state,
			     "%s: of version %" PRIu32
			     ", not %u or %u: reboot, or go back to that "
			     "caesurad",
			     path, found->version, VERSION_ALONE,
			     VERSION_KEEPS_RAM);
		return STATE_FAILED;
	}
	if (found->checksum != header_checksum(found)) {
		(void)refuse(state, "%s: damaged: its checksum is wrong", path);
		return STATE_FAILED;
	}
	if (memcmp(&found->identity, &state->header.identity,
		   sizeof(found->identity)) != 0) {
		return STATE_NEW;
	}
	set_version(&state->header, found->version);
	if (memcmp(found, &state->header, sizeof(*found)) != 0 ||
	    size_bytes != found->file_bytes) {
		(void)refuse(state,
			     "%s: of other regions or of another size (%" PRIu64
			     " bytes) than this machine's (%" PRIu64 ")",
			     path, size_bytes, state->header.file_bytes);
		return STATE_FAILED;
	}
	return STATE_KEPT;
}

/* The machine's RAM is out of step from the first commit on that does not reach it. */
static bool keep_version(struct state *state)
{
	if (!state_keeps_ram(state) || state->config.ram != NULL) {
		return true;
	}
	set_version(&state->header, VERSION_ALONE);
	return put(state, 0, &state->header, sizeof(state->header));
}

static enum state_result open_old(struct state *state)
{
	struct header found;
	struct stat status;
	enum state_result result;

	state->fd = open(state->config.path,
			 O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (state->fd < 0 && errno == ENOENT) {
		if (state->config.kept_fd == 0) {
			return STATE_NEW;
		}
		state->fd = fcntl(state->config.kept_fd, F_DUPFD_CLOEXEC, 0);
	}
	if (state->fd < 0 || fstat(state->fd, &status) != 0) {
		(void)refuse(state, "%s: cannot be opened: %s",
			     state->config.path, strerror(errno));
		return STATE_FAILED;
	}
	if (!is_private_file(state, &status)) {
		return STATE_FAILED;
	}
	if (pread(state->fd, &found, sizeof(found), 0) !=
	    (ssize_t)sizeof(found)) {
		(void)refuse(state, "%s: too short to be a state: remove it",
			     state->config.path);
		return STATE_FAILED;
	}
	result = check(state, &found, (uint64_t)status.st_size);
	if (result == STATE_KEPT &&
	    (!map_file(state) || !keep_version(state))) {
		return STATE_FAILED;
	}
	if (result == STATE_NEW) {
		(void)close(state->fd);
		state->fd = -1;
	}
	return result;
}

static bool fill_region(struct state *state, unsigned number)
{
	const struct placed_region *region = &state->header.region[number];
	void *into = mmap(NULL, region->size_bytes, PROT_READ | PROT_WRITE,
			  MAP_SHARED, state->fd, (off_t)region->offset);
	bool is_filled;

	step(state);
	is_filled = into != MAP_FAILED &&
		    state->config.fill(state->config.context, number, into,
				       region->size_bytes);
	if (into != MAP_FAILED) {
		(void)munmap(into, region->size_bytes);
	}
	return is_filled || refuse(state,
				   "RAM at 0x%" PRIx64 ", %" PRIu64
				   " bytes, cannot be copied",
				   region->address, region->size_bytes);
}

static bool fill(struct state *state)
{
	for (unsigned i = 0; i < state->header.region_count; i++) {
		if (!fill_region(state, i)) {
			return false;
		}
	}
	if (state->config.accept != NULL &&
	    !state->config.accept(state->config.context, state->error,
				  sizeof(state->error))) {
		return false;
	}
	return put(state, 0, &state->header, sizeof(state->header));
}

static bool make_file(struct state *state, const char *path)
{
	int error;

	(void)unlink(path); /* of a daemon that was killed here */
	state->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (state->fd < 0) {
		return refuse(state, "%s: cannot be made: %s", path,
			      strerror(errno));
	}
	/* No page is to be missing later: that would be a SIGBUS. */
	error = posix_fallocate(state->fd, 0, (off_t)state->header.file_bytes);
	if (error != 0) {
		return refuse(state, "%s: no room for %" PRIu64 " bytes: %s",
			      path, state->header.file_bytes, strerror(error));
	}
	return map_file(state) && fill(state);
}

static enum state_result make_new(struct state *state)
{
	char path[PATH_CHARS];
	int length = snprintf(path, sizeof(path), "%s.new", state->config.path);

	if (length < 0 || (size_t)length >= sizeof(path)) {
		(void)refuse(state, "the state's path is too long");
		return STATE_FAILED;
	}
	if (!make_file(state, path)) {
		(void)unlink(path);
		return STATE_FAILED;
	}
	step(state);
	if (rename(path, state->config.path) != 0) {
		(void)refuse(state, "%s: cannot be renamed: %s", path,
			     strerror(errno));
		(void)unlink(path);
		return STATE_FAILED;
	}
	return STATE_NEW;
}

enum state_result state_open(struct state **opened,
			     const struct state_config *config)
{
	struct state *state = calloc(1, sizeof(*state));
	enum state_result result;

	*opened = state;
	if (state == NULL) {
		return STATE_FAILED;
	}
	state->config = *config;
	state->fd = -1;
	if (!lay_out(state)) {
		return STATE_FAILED;
	}
	result = open_old(state);
	return result == STATE_NEW ? make_new(state) : result;
}

static void close_file(struct state *state)
{
	if (state->map != NULL) {
		(void)munmap((void *)(uintptr_t)state->map,
			     state->header.file_bytes);
	}
	if (state->fd >= 0) {
		(void)close(state->fd);
	}
	state->map = NULL;
	state->fd = -1;
}

enum state_result state_make_anew(struct state *state)
{
	close_file(state);
	state->control = (struct control){0};
	return lay_out(state) ? make_new(state) : STATE_FAILED;
}

void state_close(struct state *state)
{
	if (state != NULL) {
		close_file(state);
		free(state);
	}
}

/* ---- The journal, read ---- */

static uint64_t journal_checksum(const struct state *state)
{
	const struct control *control = &state->control;
	const uint64_t counts[] = {control->page_count, control->change_count,
				   control->body_bytes};

	return hash_bytes(hash_bytes(0, counts, sizeof(counts)), body_of(state),
			  control->body_bytes);
}

static uint64_t pages_bytes(const struct state *state)
{
	return (uint64_t)state->control.page_count * sizeof(struct page_record);
}

/* The journal's changes of the flash: the cursor is an offset in the body. */
static bool next_change(const void *context, size_t *cursor,
			struct flash_change *change)
{
	const struct state *state = context;
	uint64_t end = state->control.body_bytes;
	uint64_t at = *cursor + pages_bytes(state);
	struct change_record record;

	if (at > end || end - at < sizeof(record)) {
		return false;
	}
	memcpy(&record, body_of(state) + at, sizeof(record));
	at += sizeof(record);
	if (record.byte_count > end - at) {
		return false;
	}
	*cursor += sizeof(record) + record.byte_count;
	*change = (struct flash_change){
		.kind = (enum flash_kind)record.kind,
		.offset = record.offset,
		.size_bytes = record.size_bytes,
		.bytes = record.byte_count == 0 ? NULL : body_of(state) + at,
	};
	return true;
}

static struct flash_list journal_list(const struct state *state)
{
	return (struct flash_list){.context = state, .next = next_change};
}

static bool is_page_of_ram(const struct state *state, uint64_t offset)
{
	for (unsigned i = 0; i < state->header.region_count; i++) {
		const struct placed_region *region = &state->header.region[i];

		if (offset - region->offset < region->size_bytes) {
			return offset % CZ_EFI_PAGE_SIZE == 0;
		}
	}
	return false;
}

static bool are_changes_sound(const struct state *state)
{
	uint64_t end = state->control.body_bytes;
	uint64_t at = pages_bytes(state);
	uint32_t count = 0;

	for (; at < end; count++) {
		struct change_record record;
		bool is_erase;

		if (end - at < sizeof(record)) {
			return false;
		}
		memcpy(&record, body_of(state) + at, sizeof(record));
		at += sizeof(record);
		is_erase = record.kind == FLASH_ERASE;
		if (record.kind > FLASH_ERASE || record.size_bytes % 4 != 0 ||
		    record.byte_count != (is_erase ? 0 : record.size_bytes) ||
		    record.byte_count > end - at) {
			return false;
		}
		at += record.byte_count;
	}
	return count == state->control.change_count;
}

static bool is_journal_sound(struct state *state)
{
	const struct control *control = &state->control;
	const struct page_record *page = (const void *)body_of(state);

	if (control->body_bytes > state->header.journal_bytes ||
	    pages_bytes(state) > control->body_bytes ||
	    control->checksum != journal_checksum(state)) {
		return refuse(state,
			      "%s: the journal is damaged: %" PRIu32
			      " pages, %" PRIu32 " changes, %" PRIu64 " bytes",
			      state->config.path, control->page_count,
			      control->change_count, control->body_bytes);
	}
	for (uint32_t i = 0; i < control->page_count; i++) {
		if (!is_page_of_ram(state, page[i].offset)) {
			return refuse(state,
				      "%s: the journal is damaged: 0x%" PRIx64
				      " is no page of RAM",
				      state->config.path, page[i].offset);
		}
	}
	return are_changes_sound(state) ||
	       refuse(state,
		      "%s: the journal is damaged: a change of the flash is "
		      "cut off or unknown",
		      state->config.path);
}

static bool mark(struct state *state, uint32_t is_valid)
{
	if (!put(state, CONTROL_OFFSET, &is_valid, sizeof(is_valid))) {
		return false;
	}
	state->control.is_valid = is_valid;
	return true;
}

static unsigned region_at(const struct state *state, uint64_t offset)
{
	unsigned i = 0;

	while (offset - state->header.region[i].offset >=
	       state->header.region[i].size_bytes) {
		i++;
	}
	return i;
}

/* The machine's first: what it has to become follows from the copy before. */
static bool apply_page(struct state *state, const struct page_record *page)
{
	const struct state_ram *ram = state->config.ram;

	if (state_keeps_ram(state)) {
		unsigned region = region_at(state, page->offset);

		step(state);
		ram->put(ram->context, region,
			 page->offset - state->header.region[region].offset,
			 state->map + page->offset, page->bytes);
	}
	return put(state, page->offset, page->bytes, CZ_EFI_PAGE_SIZE);
}

/*
 * Again and again, with the same result. The chip first: as long as RAM is older,
 * firmware knows of less than the chip holds, and what comes next at worst takes the
 * place of this one variable; the other way round it would leave a gap, and what is
 * behind a gap is lost.
 */
static bool apply(struct state *state, struct flash *flash)
{
	const struct control *control = &state->control;
	const struct page_record *page = (const void *)body_of(state);
	struct flash_list list = journal_list(state);

	if (control->change_count != 0) {
		if (flash == NULL) {
			return refuse(state,
				      "%s: the journal has changes of a flash "
				      "that is not there",
				      state->config.path);
		}
		if (!flash_apply(flash, &list)) {
			return refuse(state, "%s", flash_error(flash));
		}
	}
	for (uint32_t i = 0; i < control->page_count; i++) {
		if (!apply_page(state, &page[i])) {
			return false;
		}
	}
	return mark(state, 0);
}

bool state_look(struct state *state, bool *is_pending)
{
	uint32_t is_valid;

	memcpy(&state->control, state->map + CONTROL_OFFSET,
	       sizeof(state->control));
	is_valid = state->control.is_valid;
	*is_pending = is_valid != 0;
	if (is_valid > 1) {
		return refuse(state,
			      "%s: damaged: the journal is neither valid nor "
			      "invalid (%u)",
			      state->config.path, is_valid);
	}
	return is_valid == 0 || is_journal_sound(state);
}

bool state_recover(struct state *state, struct flash *flash, bool *was_pending)
{
	bool is_pending;
	bool is_sound = state_look(state, &is_pending);

	if (was_pending != NULL) {
		*was_pending = is_pending;
	}
	if (!is_sound || !is_pending) {
		return is_sound;
	}
	if (!apply(state, flash)) {
		return false;
	}
	if (flash != NULL) {
		flash_keep(flash);
	}
	return true;
}

/* ---- What a commit that is pending will leave ---- */

void state_read(const struct state *state, unsigned region, bool is_after,
		uint8_t *into)
{
	const struct placed_region *placed = &state->header.region[region];
	const struct page_record *page = (const void *)body_of(state);
	uint32_t count = is_after && state->control.is_valid != 0
				 ? state->control.page_count
				 : 0;

	memcpy(into, state->map + placed->offset, placed->size_bytes);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t offset = page[i].offset - placed->offset;

		if (offset < placed->size_bytes) {
			memcpy(into + offset, page[i].bytes, CZ_EFI_PAGE_SIZE);
		}
	}
}

/* The part of a change that lies among the bytes; false: none. */
static bool clip(const struct flash_change *change, uint64_t offset,
		 uint64_t size_bytes, uint64_t *from, uint64_t *end)
{
	*from = change->offset < offset ? 0 : change->offset - offset;
	*end = change->offset + (uint64_t)change->size_bytes;
	*end = *end < offset ? 0 : *end - offset;
	*end = *end < size_bytes ? *end : size_bytes;
	return *from < *end;
}

/* Programming a byte clears its bits one by one; an erase sets them all at once.
 * wanted: NULL for an erase. */
static void change_byte(uint8_t *now, uint8_t *is_on_way, uint8_t found,
			const uint8_t *wanted)
{
	uint8_t next = wanted == NULL ? 0xff : *now & *wanted;

	if (found == next || (wanted != NULL && (found & *now) == found &&
			      (found & next) == next)) {
		*is_on_way = 1;
	}
	*now = next;
}

/* now: what the chip holds before the list, and then after it. */
static void walk(const struct state *state, uint64_t offset, uint8_t *now,
		 uint8_t *is_on_way, const uint8_t *found, uint64_t size_bytes)
{
	struct flash_list list = journal_list(state);
	struct flash_change change;
	uint64_t from, end;
	size_t cursor = 0;

	while (list.next(list.context, &cursor, &change)) {
		if (!clip(&change, offset, size_bytes, &from, &end)) {
			continue;
		}
		for (uint64_t i = from; i < end; i++) {
			change_byte(&now[i], &is_on_way[i], found[i],
				    change.bytes == NULL
					    ? NULL
					    : change.bytes + (offset + i -
							      change.offset));
		}
	}
}

bool state_chip_is_on_way(const struct state *state, uint64_t offset,
			  const uint8_t *before, const uint8_t *found,
			  uint64_t size_bytes)
{
	uint8_t *now = malloc(size_bytes);
	uint8_t *is_on_way = malloc(size_bytes);
	bool are_all = now != NULL && is_on_way != NULL;

	if (are_all) {
		memcpy(now, before, size_bytes);
		for (uint64_t i = 0; i < size_bytes; i++) {
			is_on_way[i] = found[i] == before[i];
		}
		/* A recovery begins the list again, on what the list has left. */
		walk(state, offset, now, is_on_way, found, size_bytes);
		walk(state, offset, now, is_on_way, found, size_bytes);
		are_all = memchr(is_on_way, 0, size_bytes) == NULL;
	}
	free(now);
	free(is_on_way);
	return are_all;
}

/* ---- The pages of a private mapping ---- */

/* dirty: a byte for each page, of every region; or NULL: every page is. */
static bool is_dirty(const uint8_t *const *dirty, unsigned region,
		     uint64_t offset)
{
	return dirty == NULL || dirty[region][offset / CZ_EFI_PAGE_SIZE] != 0;
}

/* In small pieces: kernels without preemption free what is given back at once. */
#define FORGET_BYTES (8 * CZ_EFI_PAGE_SIZE)

static bool forget(struct state *state, uint8_t *from, uint64_t size_bytes)
{
	for (uint64_t at = 0; at < size_bytes; at += FORGET_BYTES) {
		uint64_t rest = size_bytes - at;
		uint64_t some = rest < FORGET_BYTES ? rest : FORGET_BYTES;

		/* Locked memory wants the other word, older kernels do not know
		 * it. */
		if (madvise(from + at, some, MADV_DONTNEED_LOCKED) != 0 &&
		    madvise(from + at, some, MADV_DONTNEED) != 0) {
			return refuse(state, "pages cannot be dropped: %s",
				      strerror(errno));
		}
	}
	return true;
}

/* Those that a commit has looked at: neighbours at once. A page that stays is the same
 * as the copy's: it does no harm. */
static void forget_dirty(struct state *state, unsigned region, uint8_t *mapping,
			 const uint8_t *const *dirty)
{
	uint64_t size_bytes = state->header.region[region].size_bytes, end;

	for (uint64_t at = 0; at < size_bytes; at = end) {
		end = at + CZ_EFI_PAGE_SIZE;
		if (!is_dirty(dirty, region, at)) {
			continue;
		}
		while (end < size_bytes && is_dirty(dirty, region, end)) {
			end += CZ_EFI_PAGE_SIZE;
		}
		(void)forget(state, mapping + at, end - at);
	}
}

bool state_drop(struct state *state, uint8_t *const *mapping)
{
	for (unsigned i = 0; i < state->header.region_count; i++) {
		if (!forget(state, mapping[i],
			    state->header.region[i].size_bytes)) {
			return false;
		}
	}
	return true;
}

/* ---- The journal, written ---- */

/* There is always room for every page once. */
static bool add_page(struct state *state, uint64_t offset, const uint8_t *bytes)
{
	struct page_record page = {.offset = offset};

	memcpy(page.bytes, bytes, CZ_EFI_PAGE_SIZE);
	if (!put(state, state->header.journal_offset + pages_bytes(state),
		 &page, sizeof(page))) {
		return false;
	}
	state->control.page_count++;
	return true;
}

static bool add_region(struct state *state, unsigned region,
		       const uint8_t *mapping, const uint8_t *const *dirty)
{
	const struct placed_region *placed = &state->header.region[region];

	for (uint64_t i = 0; i < placed->size_bytes; i += CZ_EFI_PAGE_SIZE) {
		/* Dirty, but the same: it was written as it was. */
		if (is_dirty(dirty, region, i) &&
		    memcmp(mapping + i, state->map + placed->offset + i,
			   CZ_EFI_PAGE_SIZE) != 0 &&
		    !add_page(state, placed->offset + i, mapping + i)) {
			return false;
		}
	}
	return true;
}

static bool add_changes(struct state *state, const struct flash *flash)
{
	struct control *control = &state->control;
	struct flash_list list = flash_changes(flash);
	struct flash_change change;
	uint64_t body = state->header.journal_offset;
	uint64_t at = control->body_bytes;
	size_t cursor = 0;

	while (list.next(list.context, &cursor, &change)) {
		struct change_record record = {
			.kind = change.kind,
			.offset = change.offset,
			.size_bytes = change.size_bytes,
			.byte_count = change.kind == FLASH_ERASE
					      ? 0
					      : change.size_bytes,
		};

		if (record.byte_count + sizeof(record) >
		    state->header.journal_bytes - at) {
			return refuse(state,
				      "more changes of the flash than the "
				      "journal has room for");
		}
		if (!put(state, body + at, &record, sizeof(record)) ||
		    !put(state, body + at + sizeof(record), change.bytes,
			 record.byte_count)) {
			return false;
		}
		at += sizeof(record) + record.byte_count;
		control->change_count++;
	}
	control->body_bytes = at;
	return true;
}

static bool write_journal(struct state *state, uint8_t *const *mapping,
			  const uint8_t *const *dirty, struct flash *flash)
{
	struct control *control = &state->control;

	*control = (struct control){0};
	for (unsigned i = 0; i < state->header.region_count; i++) {
		if (!add_region(state, i, mapping[i], dirty)) {
			return false;
		}
	}
	control->body_bytes = pages_bytes(state);
	if (flash != NULL && flash_finish(flash, NULL) &&
	    !add_changes(state, flash)) {
		return false;
	}
	if (control->body_bytes == 0) {
		return true;
	}
	control->checksum = journal_checksum(state);
	return put(state, CONTROL_OFFSET, control, sizeof(*control));
}

enum state_commit_result state_commit(struct state *state,
				      uint8_t *const *mapping,
				      const uint8_t *const *dirty,
				      struct flash *flash)
{
	struct control *control = &state->control;

	if (control->is_valid != 0) {
		(void)refuse(state, "the commit before has not ended");
		return STATE_COMMIT_REFUSED;
	}
	if (!write_journal(state, mapping, dirty, flash)) {
		return STATE_COMMIT_REFUSED;
	}
	state->pages_committed = control->page_count;
	if (control->change_count != 0 && !flash_is_same(flash)) {
		(void)refuse(state, "%s", flash_error(flash));
		return STATE_COMMIT_FOREIGN;
	}
	if (control->body_bytes != 0) {
		if (!mark(state, 1)) {
			return STATE_COMMIT_REFUSED;
		}
		if (!apply(state, flash)) {
			return STATE_COMMIT_PENDING;
		}
	}
	for (unsigned i = 0; i < state->header.region_count; i++) {
		forget_dirty(state, i, mapping[i], dirty);
	}
	if (flash != NULL) {
		flash_keep(flash);
	}
	return STATE_COMMITTED;
}
