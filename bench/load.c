/* SPDX-License-Identifier: MIT */
/*
 * The loads. The load "control" makes the same system calls as "setvariable",
 * but on a file system in memory. The difference between the two is the path to
 * firmware, and firmware itself.
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/rtc.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* The first four bytes of a file in efivarfs are the attributes, little-endian:
 * non-volatile, boot services, run time. */
static const uint8_t attributes[] = {7, 0, 0, 0};

static uint8_t buffer[sizeof(attributes) + LOAD_MAX_BYTES];

uint64_t load_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void progress_stop(struct progress *progress)
{
	__atomic_store_n(&progress->stop, true, __ATOMIC_RELEASE);
}

bool progress_ended(const struct progress *progress)
{
	return __atomic_load_n(&progress->ended, __ATOMIC_ACQUIRE);
}

static bool failed(const char *what, const char *path)
{
	fprintf(stderr, "meter: %s %s: %s\n", what, path, strerror(errno));
	return false;
}

/* Writes a new value each time, because firmware does not write a value that
 * the variable already has. */
static bool write_file(struct load *load)
{
	size_t size = sizeof(attributes) + load->value_bytes;
	int file = open(load->path, O_WRONLY | O_CREAT, 0644);

	if (file < 0) {
		return failed("open", load->path);
	}
	memcpy(buffer, attributes, sizeof(attributes));
	memset(buffer + sizeof(attributes), (int)(load->number + 1),
	       load->value_bytes);
	if (write(file, buffer, size) != (ssize_t)size) {
		failed("write", load->path);
		close(file);
		return false;
	}
	return close(file) == 0 || failed("close", load->path);
}

/* efivarfs makes all variables immutable that it does not know to be harmless.
 * A new file becomes immutable when it is opened for the second time. */
static bool make_mutable(const char *path)
{
	int file = open(path, O_RDONLY);
	int flags;

	if (file < 0) {
		return failed("open", path);
	}
	if (ioctl(file, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & FS_IMMUTABLE_FL) != 0) {
		flags &= ~FS_IMMUTABLE_FL;
		if (ioctl(file, FS_IOC_SETFLAGS, &flags) != 0) {
			failed("FS_IOC_SETFLAGS", path);
			close(file);
			return false;
		}
	}
	close(file);
	return true;
}

static bool set_variable(struct load *load)
{
	return write_file(load) &&
	       (load->number > 0 || make_mutable(load->path));
}

/* If value_bytes is 0, the value may have any size: the driver that masks
 * interrupts does not set the size. */
static bool get_variable(struct load *load)
{
	ssize_t size = (ssize_t)(sizeof(attributes) + load->value_bytes);
	int file = open(load->path, O_RDONLY);
	ssize_t got;

	if (file < 0) {
		return failed("open", load->path);
	}
	got = read(file, buffer, sizeof(buffer));
	close(file);
	if (load->value_bytes == 0 && got >= 0) {
		return true;
	}
	if (got >= 0 && got != size) {
		fprintf(stderr, "meter: %s: %zd bytes, not %zd\n", load->path,
			got, size);
	}
	return got < 0 ? failed("read", load->path) : got == size;
}

static bool get_time(struct load *load)
{
	struct rtc_time now;

	if (load->file < 0) {
		load->file = open(load->path, O_RDONLY);
	}
	return ioctl(load->file, RTC_RD_TIME, &now) == 0 ||
	       failed("RTC_RD_TIME", load->path);
}

static const struct {
	const char *phase;
	bool (*call)(struct load *load);
} calls[] = {
	{"idle", NULL},
	{"control", write_file},
	{"setvariable", set_variable},
	{"getvariable", get_variable},
	{"gettime", get_time},
	{"mask", get_variable},
};

bool load_init(struct load *load)
{
	load->file = -1;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(load->phase, calls[i].phase) == 0) {
			load->call = calls[i].call;
			return load->call == NULL || load->path != NULL;
		}
	}
	return false;
}

/* Makes one call. Returns false if it failed. */
static bool call_once(struct load *load, struct progress *progress)
{
	uint64_t start_ns = load_now_ns(), took_ns;

	if (!load->call(load)) {
		return false;
	}
	took_ns = load_now_ns() - start_ns;
	progress->calls++;
	progress->total_ns += took_ns;
	if (took_ns > progress->max_ns) {
		progress->max_ns = took_ns;
	}
	return true;
}

int load_run(struct load *load, struct progress *progress)
{
	uint64_t start_ns = load_now_ns();
	bool well = true;

	while (load->call != NULL && well && load->number < load->calls &&
	       load_now_ns() - start_ns < load->limit_ns &&
	       !__atomic_load_n(&progress->stop, __ATOMIC_ACQUIRE)) {
		well = call_once(load, progress);
		load->number++;
	}
	if (load->call != NULL) {
		__atomic_store_n(&progress->ended, true, __ATOMIC_RELEASE);
	}
	return well ? 0 : 1;
}
