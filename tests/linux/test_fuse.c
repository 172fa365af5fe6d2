/* SPDX-License-Identifier: MIT */
/*
 * The FUSE front end on a real mount, through the system calls that tools make.
 * Where mounting is impossible (no /dev/fuse, not root), these tests are
 * skipped.
 */
#include "efivars/fuse.h"
#include "linux_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOOT "Boot0001-" GLOBAL
#define TIMEOUT "Timeout-" GLOBAL
#define MINE "Mine-" OTHER

struct mounted {
	struct linux_fixture *fixture;
	struct fuse_front *front;
	char directory[64];
	char path[400];
	pthread_t server;
	sem_t ready;
	bool serving;
	bool read_only;
	int error;
};

static void is_ready(void *argument)
{
	sem_post(argument);
}

static void *run_server(void *argument)
{
	struct mounted *mounted = argument;

	mounted->error = fuse_serve(mounted->front, &mounted->fixture->cz,
				    is_ready, &mounted->ready);
	return NULL;
}

/* Returns false when mounting is impossible here. */
static bool attach(struct mounted *mounted)
{
	struct fuse_options options = {
		.mount_point = mounted->directory,
		.deadline_ns = 2000000000ull,
		.read_only = mounted->read_only,
	};
	int error = fuse_attach(&mounted->front, &options);

	if (error == EPERM || error == EACCES || error == ENOENT ||
	    error == ENODEV) {
		return false;
	}
	assert_int_equal(error, 0);
	return true;
}

static void stop(struct mounted *mounted)
{
	if (mounted->serving) {
		fuse_stop(mounted->front);
		pthread_join(mounted->server, NULL);
		mounted->serving = false;
		assert_int_equal(mounted->error, 0);
	}
	fuse_detach(mounted->front);
	mounted->front = NULL;
}

static void serve(struct mounted *mounted)
{
	assert_int_equal(
		pthread_create(&mounted->server, NULL, run_server, mounted), 0);
	mounted->serving = true;
	sem_wait(&mounted->ready);
}

static int setup(void **state)
{
	struct mounted *mounted = calloc(1, sizeof(*mounted));

	assert_non_null(mounted);
	linux_setup((void **)&mounted->fixture);
	strcpy(mounted->directory, "/tmp/caesura-fuse-XXXXXX");
	assert_non_null(mkdtemp(mounted->directory));
	sem_init(&mounted->ready, 0, 0);
	*state = mounted;
	if (!attach(mounted)) {
		return 0;
	}
	put_variable(mounted->fixture, BOOT, 7, "abc", 3);
	put_variable(mounted->fixture, TIMEOUT, 7, "\5\0", 2);
	put_variable(mounted->fixture, MINE, 6, "mine", 4);
	serve(mounted);
	return 0;
}

static int teardown(void **state)
{
	struct mounted *mounted = *state;

	sim_release_hold(&mounted->fixture->sim);
	if (mounted->front != NULL) {
		stop(mounted);
	}
	assert_int_equal(rmdir(mounted->directory), 0);
	linux_teardown((void **)&mounted->fixture);
	sem_destroy(&mounted->ready);
	free(mounted);
	return 0;
}

static struct mounted *here(void **state)
{
	struct mounted *mounted = *state;

	if (mounted->front == NULL) {
		print_message("skipped: nothing can be mounted here\n");
		skip();
	}
	return mounted;
}

static const char *path(struct mounted *mounted, const char *name)
{
	snprintf(mounted->path, sizeof(mounted->path), "%s/%s",
		 mounted->directory, name);
	return mounted->path;
}

/* Runs a shell command in the mount. Returns its exit code. */
static int shell(struct mounted *mounted, const char *command)
{
	char line[1024];
	int status;

	snprintf(line, sizeof(line), "cd %s && { %s; } 2>/dev/null",
		 mounted->directory, command);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define assert_fails(call, error)                 \
	do {                                      \
		errno = 0;                        \
		assert_int_equal((call), -1);     \
		assert_int_equal(errno, (error)); \
	} while (0)

static void shows_files(void **state)
{
	struct mounted *mounted = here(state);
	struct statvfs statvfs_of;
	struct stat stat_of;
	struct dirent *entry;
	int count = 0;
	DIR *directory = opendir(mounted->directory);

	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		count++;
	}
	closedir(directory);
	assert_int_equal(count, 5);
	assert_int_equal(stat(path(mounted, MINE), &stat_of), 0);
	assert_int_equal(stat_of.st_size, 8);
	assert_int_equal(stat_of.st_mode, S_IFREG | 0644);
	assert_fails(stat(path(mounted, "None-" OTHER), &stat_of), ENOENT);
	assert_fails(stat(path(mounted, "none"), &stat_of), EINVAL);
	assert_int_equal(statvfs(mounted->directory, &statvfs_of), 0);
	assert_int_equal(statvfs_of.f_blocks, 65536);
	assert_int_equal(statvfs_of.f_bsize, 1);
}

/* The commands that users of efivarfs type. */
static void shell_commands(void **state)
{
	struct mounted *mounted = here(state);
	const struct sim_variable *variable;

	assert_int_equal(shell(mounted, "test \"$(cat " MINE
					" | od -An -c | tr -d ' ')\" = "
					"'006\\0\\0\\0mine'"),
			 0);
	assert_int_equal(shell(mounted, "test $(ls | wc -l) = 3"), 0);
	assert_int_equal(shell(mounted, "ls -l >/dev/null"), 0);
	assert_int_equal(
		shell(mounted, "printf '\\007\\0\\0\\0\\3\\0' > " TIMEOUT), 0);
	variable = get_variable(mounted->fixture, TIMEOUT);
	assert_int_equal(variable->size, 2);
	assert_memory_equal(variable->data, "\3\0", 2);
	assert_int_equal(
		shell(mounted, "printf '\\007\\0\\0\\0\\4\\0' >> " TIMEOUT), 0);
	assert_memory_equal(variable->data, "\4\0", 2);
	assert_int_equal(
		shell(mounted, "printf '\\007\\0\\0\\0new' > New-" OTHER), 0);
	assert_non_null(get_variable(mounted->fixture, "New-" OTHER));
	assert_int_not_equal(
		shell(mounted, "printf '\\007\\0\\0\\0x' > New-" OTHER), 0);
	assert_int_equal(shell(mounted, "rm " TIMEOUT), 0);
	assert_null(get_variable(mounted->fixture, TIMEOUT));
	assert_int_not_equal(shell(mounted, "rm -f " MINE), 0);
	assert_non_null(get_variable(mounted->fixture, MINE));
}

static void chattr(void **state)
{
	struct mounted *mounted = here(state);

	if (system("command -v chattr >/dev/null") != 0) {
		skip();
	}
	assert_int_equal(shell(mounted, "lsattr " MINE " | grep -q '^----i'"),
			 0);
	assert_int_equal(shell(mounted, "chattr -i " MINE), 0);
	assert_int_equal(shell(mounted, "lsattr " MINE " | grep -q '^-----'"),
			 0);
	assert_int_equal(shell(mounted, "chattr +i " MINE), 0);
	assert_int_not_equal(shell(mounted, "rm -f " MINE), 0);
	assert_int_not_equal(shell(mounted, "chattr +a " MINE), 0);
	assert_int_equal(shell(mounted, "chattr -i " MINE " && rm " MINE), 0);
	assert_null(get_variable(mounted->fixture, MINE));
}

static void flags(void **state)
{
	struct mounted *mounted = here(state);
	struct fsxattr extended;
	int fd = open(path(mounted, MINE), O_RDONLY);
	int value = -1;

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, FS_IOC_GETFLAGS, &value), 0);
	assert_int_equal(value, FS_IMMUTABLE_FL);
	assert_int_equal(ioctl(fd, FS_IOC_FSGETXATTR, &extended), 0);
	assert_int_equal(extended.fsx_xflags, FS_XFLAG_IMMUTABLE);
	extended.fsx_xflags = 0;
	assert_fails(ioctl(fd, FS_IOC_FSSETXATTR, &extended), EOPNOTSUPP);
	assert_fails(open(path(mounted, MINE), O_WRONLY), EPERM);
	value = FS_NODUMP_FL;
	assert_fails(ioctl(fd, FS_IOC_SETFLAGS, &value), EOPNOTSUPP);
	value = 0;
	assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &value), 0);
	assert_fails(ioctl(fd, FS_IOC_GETVERSION, &value), ENOTTY);
	close(fd);
	fd = open(path(mounted, MINE), O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "\6\0\0\0x", 5), 5);
	close(fd);
}

static void writes_are_whole(void **state)
{
	struct mounted *mounted = here(state);
	static uint8_t bytes[70000] = {7};
	struct iovec parts[5];
	const struct sim_variable *variable;
	int fd = open(path(mounted, TIMEOUT), O_RDWR | O_TRUNC);

	assert_true(fd >= 0);
	memset(bytes + 4, 'v', sizeof(bytes) - 4);
	mounted->fixture->sim.order_count = 0;
	assert_int_equal(write(fd, bytes, 4004), 4004);
	variable = get_variable(mounted->fixture, TIMEOUT);
	assert_int_equal(variable->size, 4000);
	/* One SetVariable, and one read of the size. */
	assert_int_equal(mounted->fixture->sim.order_count, 2);
	/* The position does not matter. */
	assert_int_equal(write(fd, bytes, 6), 6);
	assert_int_equal(variable->size, 2);
	assert_int_equal(pwrite(fd, bytes, 7, 1000), 7);
	assert_int_equal(variable->size, 3);
	for (size_t i = 0; i < 5; i++) {
		parts[i] = (struct iovec){bytes + 4 * i, 4};
	}
	assert_int_equal(writev(fd, parts, 5), 20);
	assert_int_equal(variable->size, 16);
	mounted->fixture->sim.order_count = 0;
	assert_fails(write(fd, bytes, sizeof(bytes)), ENOSPC);
	assert_fails(write(fd, bytes, 3), EINVAL);
	assert_fails(write(fd, bytes + 4, 8), EINVAL);
	assert_int_equal(mounted->fixture->sim.order_count, 0);
	assert_int_equal(variable->size, 16);
	close(fd);
}

/* As many pieces as a request has pages. The kernel splits a write of more. */
static void pieces_are_put_together(void **state)
{
	struct mounted *mounted = here(state);
	static uint8_t bytes[256] = {7};
	struct iovec parts[256];
	int fd = open(path(mounted, TIMEOUT), O_WRONLY);

	assert_true(fd >= 0);
	for (size_t i = 0; i < 256; i++) {
		parts[i] = (struct iovec){bytes + i, 1};
	}
	assert_int_equal(writev(fd, parts, 256), 256);
	assert_int_equal(get_variable(mounted->fixture, TIMEOUT)->size, 252);
	close(fd);
}

/* The kernel splits a write that exceeds a request. Nothing is written then. */
static void split_writes_are_refused(void **state)
{
	struct mounted *mounted = here(state);
	const size_t size = 3u << 20;
	uint8_t *bytes = calloc(1, size);
	int fd = open(path(mounted, TIMEOUT), O_RDWR | O_TRUNC);

	assert_non_null(bytes);
	assert_true(fd >= 0);
	bytes[0] = 7;
	mounted->fixture->sim.order_count = 0;
	for (size_t shift = 0; shift < 3; shift++) {
		assert_fails(write(fd, bytes + shift, size - shift), ENOSPC);
		bytes[shift] = 0;
		bytes[shift + 1] = 7;
	}
	assert_int_equal(mounted->fixture->sim.order_count, 0);
	close(fd);
	free(bytes);
}

static void reads_in_parts(void **state)
{
	struct mounted *mounted = here(state);
	char bytes[16];
	int fd = open(path(mounted, MINE), O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, bytes, 4), 4);
	assert_int_equal(read(fd, bytes, 16), 4);
	assert_memory_equal(bytes, "mine", 4);
	assert_int_equal(read(fd, bytes, 16), 0);
	/* A read does not come from a cache. */
	put_variable(mounted->fixture, MINE, 6, "ours, now", 9);
	assert_int_equal(pread(fd, bytes, 16, 4), 9);
	close(fd);
}

/* Reads a file by sendfile(), as BusyBox's cat does. */
static size_t send_all(struct mounted *mounted, const char *name, uint8_t *to,
		       size_t room)
{
	FILE *file = tmpfile();
	int fd = open(path(mounted, name), O_RDONLY);
	size_t count;

	assert_non_null(file);
	assert_true(fd >= 0);
	while (sendfile(fileno(file), fd, NULL, room) > 0) {
	}
	close(fd);
	rewind(file);
	count = fread(to, 1, room, file);
	(void)fclose(file);
	return count;
}

/* A value that firmware generates for each read, as U-Boot's VarToFile, may
 * have another size than stat() reported. A reader gets all of it. */
static void reads_past_the_size(void **state)
{
	struct mounted *mounted = here(state);
	static uint8_t value[3000], bytes[4096];
	struct stat stat_of;

	memset(value, 'v', sizeof(value));
	put_variable(mounted->fixture, MINE, 6, value, sizeof(value));
	assert_int_equal(shell(mounted, "test $(cat " MINE " | wc -c) = 3004"),
			 0);
	put_variable(mounted->fixture, MINE, 6, value, 2000);
	assert_int_equal(
		shell(mounted, "test $(head -c 9999 " MINE " | wc -c) = 2004"),
		0);
	/* sendfile() stops at the size that the kernel knows. */
	assert_int_equal(
		shell(mounted, "printf '\\007\\0\\0\\0\\3\\0' > " TIMEOUT), 0);
	put_variable(mounted->fixture, MINE, 6, value, sizeof(value));
	assert_int_equal(send_all(mounted, MINE, bytes, sizeof(bytes)), 3004);
	assert_memory_equal(bytes + 4, value, sizeof(value));
	assert_int_equal(stat(path(mounted, MINE), &stat_of), 0);
	assert_int_equal(stat_of.st_size, 3004);
}

/* Looks up a missing file in a child with this user ID. Returns its errno. */
static int looks_up(struct mounted *mounted, uid_t uid)
{
	const char *name = path(mounted, "None-" OTHER);
	struct stat stat_of;
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (setreuid(uid, uid) != 0) {
			_exit(0);
		}
		for (int i = 0; i < 50; i++) {
			if (stat(name, &stat_of) == 0) {
				_exit(0);
			}
		}
		_exit(errno);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

static void unprivileged_lookups_make_no_call(void **state)
{
	struct mounted *mounted = here(state);

	mounted->fixture->sim.order_count = 0;
	assert_int_equal(looks_up(mounted, 65534), ENOENT);
	assert_int_equal(mounted->fixture->sim.order_count, 0);
	assert_int_equal(looks_up(mounted, 0), ENOENT);
	assert_int_equal(mounted->fixture->sim.order_count, 50);
}

static void unsupported_operations_are_refused(void **state)
{
	struct mounted *mounted = here(state);
	char other[200];

	snprintf(other, sizeof(other), "%s/%s", mounted->directory,
		 "Lang-" GLOBAL);
	assert_fails(mkdir(path(mounted, "Lang-" GLOBAL), 0700), EPERM);
	assert_fails(symlink("x", path(mounted, "Lang-" GLOBAL)), EPERM);
	assert_fails(mknod(path(mounted, "Lang-" GLOBAL), S_IFIFO | 0600, 0),
		     EPERM);
	assert_fails(rename(path(mounted, BOOT), other), EPERM);
	assert_fails(link(path(mounted, BOOT), other), EPERM);
	assert_fails(open(path(mounted, "wrong"), O_CREAT | O_WRONLY, 0644),
		     EINVAL);
	assert_fails(open(path(mounted, BOOT), O_CREAT | O_EXCL | O_RDWR, 0644),
		     EEXIST);
	assert_fails(rmdir(path(mounted, BOOT)), ENOTDIR);
}

static void deleted_by_writing(void **state)
{
	struct mounted *mounted = here(state);
	struct stat stat_of;
	int fd = open(path(mounted, TIMEOUT), O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "\7\0\0\0", 4), 4);
	assert_fails(stat(path(mounted, TIMEOUT), &stat_of), ENOENT);
	assert_int_equal(fstat(fd, &stat_of), 0);
	assert_fails(write(fd, "\7\0\0\0ab", 6), EIO);
	close(fd);
	/* fwupd creates the file, closes it, makes it mutable, and writes
	 * it. */
	fd = open(path(mounted, "Cap-" OTHER), O_CREAT | O_WRONLY, 0644);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(stat(path(mounted, "Cap-" OTHER), &stat_of), 0);
	assert_int_equal(stat_of.st_size, 0);
	assert_int_equal(unlink(path(mounted, TIMEOUT)) == 0 || errno == ENOENT,
			 1);
}

/* ---- While firmware is busy ---- */

static bool has_entered(void *argument)
{
	struct mounted *mounted = argument;

	return __atomic_load_n(&mounted->fixture->sim.entered_hold,
			       __ATOMIC_SEQ_CST);
}

static void hold(struct mounted *mounted, enum cz_service service)
{
	mounted->fixture->sim.entered_hold = false;
	mounted->fixture->sim.held = true;
	mounted->fixture->sim.hook[service] = sim_hold;
}

/* Starts a child that writes and reports the result by its exit code. */
static pid_t writer(struct mounted *mounted)
{
	const char *name = path(mounted, TIMEOUT);
	pid_t child = fork();

	if (child == 0) {
		int fd = open(name, O_WRONLY);

		_exit(write(fd, "\7\0\0\0xy", 6) == 6 ? 0 : errno);
	}
	assert_true(child > 0);
	return child;
}

static pid_t reader(struct mounted *mounted)
{
	const char *name = path(mounted, MINE);
	pid_t child = fork();

	if (child == 0) {
		char bytes[16];
		int fd;

		/* The child must close the server's end of the connection: its
		 * exit would otherwise wait for a server that is gone. */
		for (fd = 3; fd < 1024; fd++) {
			(void)close(fd);
		}
		fd = open(name, O_RDONLY);
		_exit(read(fd, bytes, 16) > 0 ? 0 : errno);
	}
	assert_true(child > 0);
	return child;
}

static void stat_does_not_wait(void **state)
{
	struct mounted *mounted = here(state);
	struct stat stat_of;
	pid_t child;
	int status;

	hold(mounted, CZ_SET_VARIABLE);
	child = writer(mounted);
	assert_true(sim_until(has_entered, mounted));
	assert_int_equal(stat(path(mounted, MINE), &stat_of), 0);
	assert_int_equal(stat(path(mounted, TIMEOUT), &stat_of), 0);
	assert_int_equal(shell(mounted, "test $(ls | wc -l) = 3"), 0);
	sim_release_hold(&mounted->fixture->sim);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void past_its_deadline(void **state)
{
	struct mounted *mounted = here(state);
	pid_t child;
	int status;

	hold(mounted, CZ_GET_VARIABLE);
	child = reader(mounted);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), ETIMEDOUT);
}

static void killed_reader(void **state)
{
	struct mounted *mounted = here(state);
	uint64_t start;
	pid_t child;
	int status;

	hold(mounted, CZ_GET_VARIABLE);
	child = reader(mounted);
	assert_true(sim_until(has_entered, mounted));
	start = cz_host_now_ns(NULL);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(cz_host_now_ns(NULL) - start < 1000000000);
}

static void stopped_while_busy(void **state)
{
	struct mounted *mounted = here(state);
	uint64_t start = cz_host_now_ns(NULL);
	pid_t child;
	int status;

	hold(mounted, CZ_GET_VARIABLE);
	child = reader(mounted);
	assert_true(sim_until(has_entered, mounted));
	stop(mounted);
	assert_true(cz_host_now_ns(NULL) - start < 1500000000);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), EINTR);
}

/* ---- Mounting ---- */

static void unmounted_by_somebody(void **state)
{
	struct mounted *mounted = here(state);

	assert_int_equal(umount(mounted->directory), 0);
	pthread_join(mounted->server, NULL);
	mounted->serving = false;
	assert_int_equal(mounted->error, 0);
}

/* The mount that a killed daemon left is removed. */
static void dead_mount(void **state)
{
	struct mounted *mounted = here(state);
	struct stat stat_of;
	pid_t child;

	stop(mounted);
	child = fork();
	if (child == 0) {
		_exit(attach(mounted) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_fails(stat(mounted->directory, &stat_of), ENOTCONN);
	assert_true(attach(mounted));
	serve(mounted);
	assert_int_equal(stat(path(mounted, MINE), &stat_of), 0);
}

static void refused_mounts(void **state)
{
	struct mounted *mounted = here(state);
	struct fuse_options options = {.mount_point = mounted->directory};
	struct fuse_front *front;

	assert_int_equal(fuse_attach(&front, &options), EBUSY);
	options.mount_point = "/nowhere/at/all";
	assert_int_equal(fuse_attach(&front, &options), ENOENT);
	options.mount_point = "/etc/passwd";
	assert_int_equal(fuse_attach(&front, &options), ENOTDIR);
	options.mount_point = NULL;
	assert_int_equal(fuse_attach(&front, &options), EINVAL);
	options = (struct fuse_options){
		.mount_point = mounted->directory,
		.threads = FUSE_MAX_THREADS + 1,
	};
	assert_int_equal(fuse_attach(&front, &options), EINVAL);
}

/* The kernel refuses writes to a read-only mount. The server refuses them too,
 * in case somebody has remounted it writable. */
static void read_only(void **state)
{
	struct mounted *mounted = here(state);
	struct statvfs statvfs_of;
	int fd;

	stop(mounted);
	mounted->read_only = true;
	assert_true(attach(mounted));
	serve(mounted);
	assert_int_equal(statvfs(mounted->directory, &statvfs_of), 0);
	assert_true((statvfs_of.f_flag & ST_RDONLY) != 0);
	assert_int_equal(shell(mounted, "test \"$(tail -c 3 " BOOT ")\" = abc"),
			 0);
	assert_fails(open(path(mounted, BOOT), O_WRONLY), EROFS);
	assert_fails(unlink(path(mounted, BOOT)), EROFS);
	assert_int_equal(
		mount(NULL, mounted->directory, NULL, MS_REMOUNT, NULL), 0);
	fd = open(path(mounted, BOOT), O_WRONLY);
	assert_true(fd >= 0);
	assert_fails(write(fd, "\7\0\0\0new", 7), EROFS);
	assert_int_equal(close(fd), 0);
	assert_fails(unlink(path(mounted, BOOT)), EROFS);
	assert_fails(
		open(path(mounted, "New-" OTHER), O_WRONLY | O_CREAT, 0600),
		EROFS);
	assert_non_null(get_variable(mounted->fixture, BOOT));
	assert_null(get_variable(mounted->fixture, "New-" OTHER));
}

static int open_descriptors(void)
{
	int count = 0;
	DIR *directory = opendir("/proc/self/fd");

	assert_non_null(directory);
	while (readdir(directory) != NULL) {
		count++;
	}
	closedir(directory);
	return count;
}

static void nothing_is_left(void **state)
{
	struct mounted *mounted = here(state);
	int before;

	stop(mounted);
	before = open_descriptors();
	for (int i = 0; i < 3; i++) {
		assert_true(attach(mounted));
		serve(mounted);
		stop(mounted);
	}
	assert_int_equal(open_descriptors(), before);
	assert_true(attach(mounted));
	stop(mounted);
	assert_int_equal(open_descriptors(), before);
	fuse_detach(NULL);
}

#define MOUNTED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int group_fuse(void)
{
	const struct CMUnitTest tests[] = {
		MOUNTED(shows_files),
		MOUNTED(shell_commands),
		MOUNTED(chattr),
		MOUNTED(flags),
		MOUNTED(writes_are_whole),
		MOUNTED(pieces_are_put_together),
		MOUNTED(split_writes_are_refused),
		MOUNTED(reads_in_parts),
		MOUNTED(reads_past_the_size),
		MOUNTED(unprivileged_lookups_make_no_call),
		MOUNTED(unsupported_operations_are_refused),
		MOUNTED(deleted_by_writing),
		MOUNTED(stat_does_not_wait),
		MOUNTED(past_its_deadline),
		MOUNTED(killed_reader),
		MOUNTED(stopped_while_busy),
		MOUNTED(unmounted_by_somebody),
		MOUNTED(dead_mount),
		MOUNTED(refused_mounts),
		MOUNTED(read_only),
		MOUNTED(nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
