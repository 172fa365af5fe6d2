/* SPDX-License-Identifier: MIT */
/*
 * The state file, see state.h: a header, firmware's RAM, and the journal. This
 * process reads it through a read-only mapping and writes it with pwrite(). So
 * no stray store of this process can change it, and what was written survives a
 * kill, in the order in which it was written. Nothing in a file that is opened
 * is trusted before it has been checked.
 */
#include "commit/state_file.h"
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

/* Of parts of the file: the largest page of any kernel. */
#define ALIGNMENT 65536u
#define DEFAULT_STORE_BYTES (3u << 19)
#define MAX_RAM_BYTES (1ull << 28)
#define PATH_CHARS 1024

static const char magic[8] = "caesurad";

bool state_refuse(struct state *state, const char *format, ...)
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

void state_step(const struct state *state)
{
	if (state->config.step != NULL) {
		state->config.step(state->config.context);
	}
}

bool state_put(struct state *state, uint64_t offset, const void *bytes,
	       size_t size_bytes)
{
	const uint8_t *from = bytes;

	state_step(state);
	while (size_bytes > 0) {
		ssize_t done =
			pwrite(state->fd, from, size_bytes, (off_t)offset);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done <= 0) {
			return state_refuse(state, "%s: cannot be written: %s",
					    state->config.path,
					    strerror(errno));
		}
		from += done;
		offset += (uint64_t)done;
		size_bytes -= (size_t)done;
	}
	return true;
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

/* Computes the layout, which follows from the configuration. */
static bool lay_out(struct state *state)
{
	const struct state_config *config = &state->config;
	struct header *header = &state->header;
	uint64_t store_bytes = config->store_bytes != 0 ? config->store_bytes
							: DEFAULT_STORE_BYTES;
	uint64_t offset = ALIGNMENT, ram_bytes = 0;

	if (config->region_count > STATE_MAX_REGIONS) {
		return state_refuse(
			state,
			"%u regions of RAM, and at most %d are supported",
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
			return state_refuse(
				state,
				"a region of RAM of %" PRIu64
				" bytes at 0x%" PRIx64
				": not whole pages, or more than 256 MiB",
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
				      store_bytes);
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
		return state_refuse(state, "%s: cannot be mapped: %s",
				    state->config.path, strerror(errno));
	}
	state->map = map;
	return true;
}

static bool is_private_file(struct state *state, const struct stat *status)
{
	if (!S_ISREG(status->st_mode) || status->st_uid != geteuid() ||
	    (status->st_mode & 077) != 0 || status->st_nlink > 1) {
		return state_refuse(
			state,
			"%s: not a regular file of this user's alone (mode "
			"%o, owner %u, %u links): remove it",
			state->config.path, status->st_mode & 07777,
			(unsigned)status->st_uid, (unsigned)status->st_nlink);
	}
	return true;
}

/* STATE_NEW: the state is of another boot. */
static enum state_result check(struct state *state, const struct header *found,
			       uint64_t size_bytes)
{
	const char *path = state->config.path;

	if (memcmp(found->magic, magic, sizeof(magic)) != 0) {
		(void)state_refuse(
			state, "%s: not a state of caesurad: remove it", path);
		return STATE_FAILED;
	}
	if (found->version != VERSION_ALONE &&
	    found->version != VERSION_KEEPS_RAM) {
		(void)state_refuse(state,
				   "%s: its version is %" PRIu32
				   ", and this caesurad knows %u and %u: "
				   "reboot, or use the caesurad that made it",
				   path, found->version, VERSION_ALONE,
				   VERSION_KEEPS_RAM);
		return STATE_FAILED;
	}
	if (found->checksum != header_checksum(found)) {
		(void)state_refuse(state, "%s: damaged: its checksum is wrong",
				   path);
		return STATE_FAILED;
	}
	if (memcmp(&found->identity, &state->header.identity,
		   sizeof(found->identity)) != 0) {
		return STATE_NEW;
	}
	set_version(&state->header, found->version);
	if (memcmp(found, &state->header, sizeof(*found)) != 0 ||
	    size_bytes != found->file_bytes) {
		(void)state_refuse(
			state,
			"%s: its regions or its size (%" PRIu64
			" bytes) differ from those of this machine (%" PRIu64
			")",
			path, size_bytes, state->header.file_bytes);
		return STATE_FAILED;
	}
	return STATE_KEPT;
}

/* If this daemon's commits do not reach the machine's RAM, that RAM is out of
 * date from now on, and the version must say so. */
static bool keep_version(struct state *state)
{
	if (!state_keeps_ram(state) || state->config.ram != NULL) {
		return true;
	}
	set_version(&state->header, VERSION_ALONE);
	return state_put(state, 0, &state->header, sizeof(state->header));
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
		(void)state_refuse(state, "%s: cannot be opened: %s",
				   state->config.path, strerror(errno));
		return STATE_FAILED;
	}
	if (!is_private_file(state, &status)) {
		return STATE_FAILED;
	}
	if (pread(state->fd, &found, sizeof(found), 0) !=
	    (ssize_t)sizeof(found)) {
		(void)state_refuse(state,
				   "%s: too short to be a state: remove it",
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

	state_step(state);
	is_filled = into != MAP_FAILED &&
		    state->config.fill(state->config.context, number, into,
				       region->size_bytes);
	if (into != MAP_FAILED) {
		(void)munmap(into, region->size_bytes);
	}
	return is_filled || state_refuse(state,
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
	return state_put(state, 0, &state->header, sizeof(state->header));
}

static bool make_file(struct state *state, const char *path)
{
	int error;

	(void)unlink(path); /* left by a daemon that was killed here */
	state->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (state->fd < 0) {
		return state_refuse(state, "%s: cannot be made: %s", path,
				    strerror(errno));
	}
	/* Allocates all pages now: one that cannot be allocated later would
	 * cause a SIGBUS. */
	error = posix_fallocate(state->fd, 0, (off_t)state->header.file_bytes);
	if (error != 0) {
		return state_refuse(
			state, "%s: no room for %" PRIu64 " bytes: %s", path,
			state->header.file_bytes, strerror(error));
	}
	return map_file(state) && fill(state);
}

static enum state_result make_new(struct state *state)
{
	char path[PATH_CHARS];
	int length = snprintf(path, sizeof(path), "%s.new", state->config.path);

	if (length < 0 || (size_t)length >= sizeof(path)) {
		(void)state_refuse(state, "the state's path is too long");
		return STATE_FAILED;
	}
	if (!make_file(state, path)) {
		(void)unlink(path);
		return STATE_FAILED;
	}
	state_step(state);
	if (rename(path, state->config.path) != 0) {
		(void)state_refuse(state, "%s: cannot be renamed: %s", path,
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
