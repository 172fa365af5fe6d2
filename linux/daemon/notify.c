/* SPDX-License-Identifier: MIT */
#include "daemon/notify.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define MAX_FDS 16l

static int notify_socket = -1;

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = path == NULL ? 0 : strlen(path);

	if (length == 0 || length >= sizeof(address.sun_path)) {
		return;
	}
	memcpy(address.sun_path, path, length);
	if (path[0] == '@') {
		address.sun_path[0] = '\0';
	}
	notify_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify_socket >= 0 &&
	    connect(notify_socket, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				length)) != 0) {
		(void)close(notify_socket);
		notify_socket = -1;
	}
}

void notify_say(const char *text)
{
	if (notify_socket >= 0) {
		(void)!send(notify_socket, text, strlen(text), MSG_NOSIGNAL);
	}
}

/* Returns whether an environment variable contains this process's number, or is
 * not set. */
static bool is_for_us(const char *variable)
{
	const char *pid = getenv(variable);

	return pid == NULL || strtol(pid, NULL, 10) == (long)getpid();
}

uint64_t notify_watchdog_ns(void)
{
	const char *us = getenv("WATCHDOG_USEC");

	if (us == NULL || !is_for_us("WATCHDOG_PID")) {
		return 0;
	}
	return strtoull(us, NULL, 10) * 1000;
}

/* ---- Descriptors that are kept ---- */

static void send_with(const char *text, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.room),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	(void)!sendmsg(notify_socket, &message, MSG_NOSIGNAL);
}

/* Removes what was kept by that name; otherwise each start would add one more
 * descriptor. */
void notify_keep(const char *name, int fd)
{
	char text[64];

	if (notify_socket < 0) {
		return;
	}
	(void)snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	notify_say(text);
	(void)snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
	send_with(text, fd);
}

int notify_kept(const char *name)
{
	const char *count = getenv("LISTEN_FDS");
	const char *at = getenv("LISTEN_FDNAMES");
	long left = count == NULL ? 0 : strtol(count, NULL, 10);

	if (at == NULL || left > MAX_FDS || !is_for_us("LISTEN_PID")) {
		return 0;
	}
	for (int fd = FIRST_FD; left > 0; fd++, left--) {
		size_t chars = strcspn(at, ":");

		if (chars == strlen(name) && memcmp(at, name, chars) == 0) {
			return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : 0;
		}
		at += chars + (at[chars] == ':');
	}
	return 0;
}
