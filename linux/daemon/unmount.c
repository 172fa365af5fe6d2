/* SPDX-License-Identifier: MIT */
#include "daemon/unmount.h"
#include "host/confine.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A signal that ends the daemon's process group or its service also reaches
 * this process, which has to outlive the daemon. */
static void ignore_ends(void)
{
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
}

/* Closes all descriptors but `fd` and standard error. */
static void close_others(int fd)
{
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	if (fd > STDERR_FILENO + 1) {
		(void)close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
	}
	(void)close_range((unsigned)fd + 1, ~0u, 0);
}

/* Returns the exit code. */
static int wait_and_unmount(int fd, const char *mount_point, const char *user)
{
	char why[256] = "";
	uint8_t word;

	ignore_ends();
	close_others(fd);
	(void)prctl(PR_SET_NAME, "caesurad-umount");
	if (!confine_process(user, true, why, sizeof(why)) ||
	    !confine_to_unmount(why, sizeof(why))) {
		fprintf(stderr, "caesurad: to unmount: %s\n", why);
		return 1;
	}
	if (read(fd, &word, 1) != 1) {
		return 0;
	}
	word = umount2(mount_point, MNT_DETACH) == 0 ? 0 : (uint8_t)errno;
	(void)!write(fd, &word, 1);
	return word != 0;
}

int unmount_prepare(const char *mount_point, const char *user)
{
	int fds[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		return -1;
	}
	child = fork();
	if (child == 0) {
		_exit(wait_and_unmount(fds[1], mount_point, user));
	}
	(void)close(fds[1]);
	if (child < 0) {
		(void)close(fds[0]);
		return -1;
	}
	return fds[0];
}

int unmount_now(int fd)
{
	uint8_t word = 0;
	ssize_t got = -1;

	if (send(fd, &word, 1, MSG_NOSIGNAL) == 1) {
		do {
			got = read(fd, &word, 1);
		} while (got < 0 && errno == EINTR);
	}
	return got == 1 ? word : ECONNRESET;
}
