/* SPDX-License-Identifier: MIT */
#include "daemon/control.h"
#include "efivars/late.h"
#include "host/process.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define QUESTION_CHARS 32
#define LIMIT_NS 5000000000ull
#define SILENCE_MS 1000
#define US 1000u
#define UNSPECIFIED_ZONE 2047 /* EFI_UNSPECIFIED_TIMEZONE */

static int say_time(struct cz *cz, int fd)
{
	struct cz_efi_time now;
	cz_status status = cz_get_time(cz, &now, NULL,
				       cz_host_now_ns(cz->host) + LIMIT_NS);

	if (status != CZ_OK) {
		dprintf(fd, "GetTime: %s\n", cz_status_name(status));
		return 1;
	}
	dprintf(fd, "%04u-%02u-%02u %02u:%02u:%02u", now.year, now.month,
		now.day, now.hour, now.minute, now.second);
	if (now.timezone == UNSPECIFIED_ZONE) {
		dprintf(fd, " (of no time zone)\n");
	} else {
		dprintf(fd, " %+d minutes\n", -now.timezone);
	}
	return 0;
}

/* Sets firmware's clock to the system's time, in the time zone that firmware
 * keeps, or in UTC if it keeps none. */
static int set_time(struct cz *cz, int fd)
{
	uint64_t deadline_ns = cz_host_now_ns(cz->host) + LIMIT_NS;
	struct cz_efi_time now;
	cz_status status = cz_get_time(cz, &now, NULL, deadline_ns);
	time_t seconds = time(NULL);
	struct tm parts;

	if (status == CZ_OK && now.timezone != UNSPECIFIED_ZONE) {
		seconds -= now.timezone * 60;
	}
	if (status != CZ_OK || gmtime_r(&seconds, &parts) == NULL) {
		dprintf(fd, "GetTime: %s\n", cz_status_name(status));
		return 1;
	}
	now.year = (uint16_t)(parts.tm_year + 1900);
	now.month = (uint8_t)(parts.tm_mon + 1);
	now.day = (uint8_t)parts.tm_mday;
	now.hour = (uint8_t)parts.tm_hour;
	now.minute = (uint8_t)parts.tm_min;
	now.second = (uint8_t)(parts.tm_sec < 60 ? parts.tm_sec : 59);
	now.nanosecond = 0;
	status = cz_set_time(cz, &now, deadline_ns);
	if (status != CZ_OK) {
		dprintf(fd, "SetTime: %s\n", cz_status_name(status));
		return 1;
	}
	return say_time(cz, fd);
}

static void say_service(int fd, const char *name,
			const struct cz_service_stats *stats)
{
	if (stats->calls != 0) {
		dprintf(fd, "%-28s %8llu %8llu %10llu %10llu %10llu\n", name,
			(unsigned long long)stats->calls,
			(unsigned long long)stats->failures,
			(unsigned long long)(stats->total_ns / stats->calls /
					     US),
			(unsigned long long)(stats->max_ns / US),
			(unsigned long long)(stats->masked_max_ns / US));
	}
}

/* The worker updates these counters while this thread reads them. Each figure
 * is correct by itself. */
static void say_flash(const struct cz_host *host, int fd)
{
	const struct flash_counts *counts;

	if (host->flash == NULL) {
		return;
	}
	counts = flash_counts(host->flash);
	dprintf(fd,
		"flash: %llu faults, %llu accesses, %llu instructions gone on "
		"with, %llu protections, %llu erases of the copy; chip: %llu "
		"words programmed, "
		"%llu blocks erased\n",
		(unsigned long long)counts->faults,
		(unsigned long long)counts->accesses,
		(unsigned long long)counts->instructions,
		(unsigned long long)counts->protects,
		(unsigned long long)counts->erases,
		(unsigned long long)counts->chip_words,
		(unsigned long long)counts->chip_erases);
}

static void say_late(int fd)
{
	struct late_counts late = late_counts();

	dprintf(fd,
		"late writes: %llu made, %llu not made, %llu not ended yet\n",
		(unsigned long long)late.made,
		(unsigned long long)late.not_made,
		(unsigned long long)late.open);
}

static int say_status(struct cz *cz, int fd)
{
	struct cz_stats *stats = malloc(sizeof(*stats));

	if (stats == NULL) {
		dprintf(fd, "no memory\n");
		return 1;
	}
	cz_get_stats(cz, stats);
	dprintf(fd, "%-28s %8s %8s %10s %10s %10s\n", "service", "calls",
		"failed", "mean us", "longest us", "masked us");
	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		say_service(fd, cz_service_name((enum cz_service)i),
			    &stats->service[i]);
	}
	dprintf(fd,
		"ended by faults %llu, by limits %llu; late %llu; bad statuses "
		"%llu, bad sizes %llu; secure calls refused %llu\n",
		(unsigned long long)stats->faults,
		(unsigned long long)stats->kills,
		(unsigned long long)stats->late,
		(unsigned long long)stats->bad_statuses,
		(unsigned long long)stats->bad_sizes,
		(unsigned long long)stats->secure_refused);
	say_late(fd);
	say_flash(cz->host, fd);
	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		if (cz->function[i] != 0 &&
		    !cz_service_available(cz, (enum cz_service)i)) {
			dprintf(fd, "%s is withdrawn\n",
				cz_service_name((enum cz_service)i));
		}
	}
	free(stats);
	return 0;
}

int control_answer(struct cz *cz, const char *question, int fd)
{
	if (strcmp(question, "time") == 0) {
		return say_time(cz, fd);
	}
	if (strcmp(question, "set-time") == 0) {
		return set_time(cz, fd);
	}
	if (strcmp(question, "status") == 0) {
		return say_status(cz, fd);
	}
	dprintf(fd, "what is %s?\n", question);
	return 1;
}

/* ---- The daemon's side ---- */

static bool set_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address->sun_path, path, strlen(path));
	return true;
}

int control_open(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t mask;
	bool bound;

	if (fd < 0) {
		return -1;
	}
	(void)unlink(path);
	mask = umask(0177);
	bound = set_address(&address, path) &&
		bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(fd, 4) == 0;
	(void)umask(mask);
	if (!bound) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Serves one client at a time, and never blocks for long: a client that sends
 * nothing or does not read must not keep others out. An answer fits the
 * socket's buffer. */
static void serve_client(int fd, struct cz *cz)
{
	struct pollfd said = {.fd = fd, .events = POLLIN};
	char question[QUESTION_CHARS] = "";

	if (poll(&said, 1, SILENCE_MS) == 1 &&
	    read(fd, question, sizeof(question) - 1) > 0) {
		char code = (char)('0' + control_answer(cz, question, fd));

		(void)!write(fd, &code, 1);
	}
}

void control_serve(int socket, struct cz *cz)
{
	for (;;) {
		int fd = accept4(socket, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED) {
				continue;
			}
			return;
		}
		serve_client(fd, cz);
		(void)close(fd);
	}
}

/* ---- The client's ---- */

int control_ask(const char *path, const char *question)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[4096];
	size_t used = 0;
	ssize_t got = 1;

	if (fd < 0 || !set_address(&address, path) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		if (fd >= 0) {
			(void)close(fd);
		}
		return -1;
	}
	(void)!write(fd, question, strlen(question));
	while (got > 0 && used < sizeof(text)) {
		got = read(fd, text + used, sizeof(text) - used);
		used += got > 0 ? (size_t)got : 0;
	}
	(void)close(fd);
	if (used == 0) {
		fprintf(stderr, "caesurad: the daemon does not answer\n");
		return 1;
	}
	/* The last character is the exit code. */
	(void)!write(STDOUT_FILENO, text, used - 1);
	return text[used - 1] - '0';
}
