/* SPDX-License-Identifier: MIT */
/*
 * torture: writes variables and interrupts the writes, in the guest.
 *
 * torture kills DIR FRONT COUNT SEED   kills caesurad COUNT times in the middle
 *                     of a write, and checks after each kill what the next
 *                     daemon has. At half of COUNT it turns the state into one
 *                     of caesurad 0.1.0
 * torture cuts DIR FRONT SEED AFTER POINT   makes writes, and prints a line
 *                     before and after each. In the write that follows number
 *                     AFTER it stops the whole machine, to be switched off, at
 *                     POINT: a digit (enum point), a comma, and a fraction of
 *                     65536. With "-" as POINT it never stops
 * torture list DIR    prints a line for each variable of the tests' GUID
 * torture set FILE    writes 8 bytes, and prints the name of the errno
 * torture get FILE    reads, and prints the name of the errno
 * torture without-rawio COMMAND...     runs it as root without CAP_SYS_RAWIO
 * torture hold FILE   locks it, returns, and releases the lock after 300 ms
 * torture scribble    writes to the flash chip as somebody else would: a word
 *                     of 0 at the end of the variable store of QEMU's firmware
 * torture silent SOCKET COMMAND...   runs it while a silent connection is open
 *
 * FRONT is fuse, module or kernel. SEED determines the writes. A thread of a
 * higher priority waits for the moment by the guest's clock: on one CPU in
 * counted time that is the same instruction each time. Exit codes: 0, 1
 * something is lost or wrong, 2 could not run.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define GUID "7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e12"
#define GUID_CHARS 36
#define NAMES 24 /* many, so that the next boot still has what was cut off */
#define FURTHER NAMES /* the variable of writes that are not cut off */
#define MOST_BYTES 4096u
#define ATTRIBUTES 7u
#define APPEND 0x40u
#define STATE "/run/caesurad/state"
#define STATE_BODY 48 /* where the offset of the journal's pages is stored */
#define STATE_CONTROL 4096
#define STATE_VERSION 8
#define STATE_HEADER 1608 /* its last eight bytes are the checksum */
#define DAEMON_LOG "/tmp/caesurad.log"
#define PRIORITY 40 /* below the kernel's interrupt threads */
#define SAMPLE_NS 10000u
#define VALID_NS 20000u /* how long a journal stays valid, in counted time */
#define START_NS 10000000000ull
#define NS_PER_S 1000000000ull
#define FUSE_MAGIC 0x65735546
#define EFIVARFS_MAGIC 0xde5e81e4

struct value {
	bool exists;
	size_t size;
	uint8_t bytes[MOST_BYTES];
};

enum kind { SET, APPENDED, DELETED };

struct write {
	unsigned name;
	enum kind kind;
	size_t size; /* of the bytes that are passed to write() */
	uint8_t bytes[4 + MOST_BYTES];
	struct value after;
};

/*
 * The head of the journal and its first page record, laid out as in
 * linux/commit/state_file.h. They show how far a commit has come. The first
 * page is written first, and its address or its bytes differ between journals.
 */
struct journal {
	uint32_t is_valid, page_count, change_count, unused;
	uint64_t body_bytes, checksum;
	uint8_t page[8 + 4096];
};

/* Where a write is cut off: at any time, or within some time after the journal
 * reached a stage. */
enum point { ANYWHERE, JOURNAL_BEGUN, JOURNAL_VALID, JOURNAL_DONE, POINTS };

struct counts {
	unsigned before, pending, after, answered, again, wrong;
};

static struct torture {
	const char *directory, *front;
	uint64_t random;
	struct value value[NAMES + 1];
	uint64_t total_ns[2]; /* of a write, small and large */
	uint64_t start_ns; /* of a daemon */
	int state;
	pid_t daemon;
	struct counts counts;
} torture = {.state = -1};

static const size_t sizes[] = {64, 1024};

__attribute__((format(printf, 1, 2), noreturn)) static void
give_up(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	(void)vprintf(format, list);
	va_end(list);
	printf(": %s\n", strerror(errno));
	exit(2);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec when = {.tv_sec = (time_t)(ns / NS_PER_S),
				.tv_nsec = (long)(ns % NS_PER_S)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) ==
	       EINTR) {
	}
}

static uint64_t random_below(uint64_t bound)
{
	torture.random ^= torture.random << 13;
	torture.random ^= torture.random >> 7;
	torture.random ^= torture.random << 17;
	return torture.random % bound;
}

static uint64_t hash(const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i++) {
		hash = (hash ^ from[i]) * 0x100000001b3u;
	}
	return hash;
}

/* ---- Variables ---- */

static const char *name_of(unsigned name)
{
	static char text[32];

	if (name == FURTHER) {
		return "Further";
	}
	(void)snprintf(text, sizeof(text), "Torture%u", name);
	return text;
}

static const char *path_of(unsigned name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s-" GUID, torture.directory,
		       name_of(name));
	return path;
}

/* A file that was created without a variable counts as missing. */
static void read_value(const char *path, struct value *value)
{
	uint8_t bytes[4 + MOST_BYTES + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	*value = (struct value){.exists = got >= 4};
	if (got < 0 && errno != ENOENT) {
		give_up("%s", path);
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	if (got > 4 && got < (ssize_t)sizeof(bytes)) {
		value->size = (size_t)got - 4;
		memcpy(value->bytes, bytes + 4, value->size);
	}
}

static bool same(const struct value *a, const struct value *b)
{
	return a->exists == b->exists && a->size == b->size &&
	       memcmp(a->bytes, b->bytes, a->size) == 0;
}

static const char *text_of(const struct value *value)
{
	static char texts[4][48];
	static unsigned next;
	char *text = texts[next++ % 4];

	if (!value->exists) {
		return "absent";
	}
	(void)snprintf(text, sizeof(texts[0]), "%zu:%016" PRIx64, value->size,
		       hash(value->bytes, value->size));
	return text;
}

/* Does what chattr -i does. A file that does not exist is not immutable. */
static void make_mutable(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int flags = 0;

	if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & FS_IMMUTABLE_FL) != 0) {
		flags &= ~FS_IMMUTABLE_FL;
		if (ioctl(fd, FS_IOC_SETFLAGS, &flags) != 0) {
			give_up("chattr -i %s", path);
		}
	}
	if (fd >= 0) {
		(void)close(fd);
	}
}

static void fill(struct write *write, size_t size)
{
	uint32_t attributes =
		ATTRIBUTES | (write->kind == APPENDED ? APPEND : 0);

	write->size = 4 + size;
	memcpy(write->bytes, &attributes, 4);
	for (size_t i = 0; i < size; i++) {
		write->bytes[4 + i] = (uint8_t)random_below(256);
	}
	memcpy(write->after.bytes + write->after.size, write->bytes + 4, size);
	write->after.size += size;
}

/* Chooses the next write: of any kind, to any of the variables. */
static void choose(struct write *write, size_t size)
{
	uint64_t kind = random_below(10);

	*write = (struct write){.name = (unsigned)random_below(NAMES),
				.after.exists = true};
	if (torture.value[write->name].exists && kind < 2) {
		write->kind = DELETED;
		write->after.exists = false;
		return;
	}
	if (torture.value[write->name].exists && kind < 4 &&
	    torture.value[write->name].size + size <= MOST_BYTES / 2) {
		write->kind = APPENDED;
		write->after = torture.value[write->name];
	}
	fill(write, size);
}

static void choose_set(struct write *write, unsigned name, size_t size)
{
	*write = (struct write){.name = name, .after.exists = true};
	fill(write, size);
}

/* Makes the write. Returns errno, or 0. Preparations are made first; then it
 * waits until `begin` can be read. */
static int make_write(const struct write *request, int begin)
{
	const char *path = path_of(request->name);
	char go = 0;
	int fd = -1;

	make_mutable(path);
	if (request->kind != DELETED) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0) {
			return errno;
		}
	}
	if (begin >= 0 && read(begin, &go, 1) != 1) {
		return ECANCELED;
	}
	if (request->kind == DELETED) {
		return unlink(path) == 0 ? 0 : errno;
	}
	return write(fd, request->bytes, request->size) ==
			       (ssize_t)request->size
		       ? 0
		       : errno;
}

/* ---- A write in another process ---- */

struct writer {
	pid_t pid;
	int begin;
};

static void set_priority(int priority)
{
	struct sched_param param = {.sched_priority = priority};

	if (sched_setscheduler(0, priority > 0 ? SCHED_FIFO : SCHED_OTHER,
			       &param) != 0) {
		give_up("SCHED_FIFO");
	}
}

static void start_writer(struct writer *writer, const struct write *write)
{
	int ends[2];

	if (pipe(ends) != 0) {
		give_up("pipe");
	}
	(void)fflush(stdout);
	writer->pid = fork();
	if (writer->pid == 0) {
		(void)close(ends[1]);
		set_priority(0);
		_exit(make_write(write, ends[0]));
	}
	(void)close(ends[0]);
	writer->begin = ends[1];
	/* It is up to the read. */
	sleep_until(now_ns() + 20000000);
}

static void begin(const struct writer *writer)
{
	if (write(writer->begin, "", 1) != 1) {
		give_up("writer");
	}
}

static int end_writer(const struct writer *writer)
{
	int status = 0;

	(void)waitpid(writer->pid, &status, 0);
	(void)close(writer->begin);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static bool has_ended(const struct writer *writer)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)writer->pid, &info,
		      WEXITED | WNOHANG | WNOWAIT) != 0 ||
	       info.si_pid == writer->pid;
}

static struct journal journal(void)
{
	struct journal journal = {0};
	uint64_t body = 0;

	if (torture.state < 0) {
		torture.state = open(STATE, O_RDONLY | O_CLOEXEC);
	}
	(void)!pread(torture.state, &journal, offsetof(struct journal, page),
		     STATE_CONTROL);
	(void)!pread(torture.state, &body, sizeof(body), STATE_BODY);
	(void)!pread(torture.state, journal.page, sizeof(journal.page),
		     (off_t)body);
	return journal;
}

static bool is_reached(enum point point, const struct journal *before,
		       bool *was_valid)
{
	struct journal now = journal();

	*was_valid |= now.is_valid != 0;
	switch (point) {
	case JOURNAL_BEGUN:
		return memcmp(&now, before, sizeof(now)) != 0;
	case JOURNAL_VALID:
		return now.is_valid != 0;
	default:
		return now.is_valid == 0 && *was_valid;
	}
}

/* Begins the write, and returns in the middle of it, at this fraction of
 * 65536. Sampling the journal takes time from firmware, so it does not start
 * at once. */
static void go_to(const struct writer *writer, uint64_t total_ns,
		  enum point point, uint64_t fraction)
{
	static const uint64_t reach_ns[POINTS] = {
		[JOURNAL_BEGUN] = 800000,
		[JOURNAL_VALID] = VALID_NS,
		[JOURNAL_DONE] = 300000,
	};
	struct journal before = journal();
	bool was_valid = false;
	uint64_t start = now_ns();

	begin(writer);
	if (point == ANYWHERE) {
		sleep_until(start + total_ns * fraction / 65536);
		return;
	}
	sleep_until(start + total_ns / 8);
	while (!has_ended(writer) && !is_reached(point, &before, &was_valid)) {
		sleep_until(now_ns() + SAMPLE_NS);
	}
	sleep_until(now_ns() + reach_ns[point] * fraction / 65536);
}

/* Makes the write. Returns how long it took. */
static uint64_t measure(const struct write *write)
{
	struct writer writer;
	uint64_t start, total_ns;
	int error;

	start_writer(&writer, write);
	start = now_ns();
	begin(&writer);
	error = end_writer(&writer);
	total_ns = now_ns() - start;
	if (error != 0) {
		errno = error;
		give_up("%s", name_of(write->name));
	}
	torture.value[write->name] = write->after;
	printf("# %zu bytes: %" PRIu64 " us\n", write->size - 4,
	       total_ns / 1000);
	return total_ns;
}

/* ---- The daemon ---- */

static bool is_module(void)
{
	return strcmp(torture.front, "module") == 0;
}

static void start_daemon(void)
{
	(void)fflush(stdout);
	torture.daemon = fork();
	if (torture.daemon < 0) {
		give_up("fork");
	}
	if (torture.daemon == 0) {
		int log = open(DAEMON_LOG, O_WRONLY | O_CREAT | O_APPEND, 0600);

		set_priority(0);
		(void)dup2(log, STDERR_FILENO);
		if (is_module()) {
			execlp("caesurad", "caesurad", "run", NULL);
		}
		execlp("caesurad", "caesurad", "run", "--mount",
		       torture.directory, NULL);
		_exit(127);
	}
}

static void end_daemon(int number)
{
	int status;

	(void)kill(torture.daemon, number);
	(void)waitpid(torture.daemon, &status, 0);
}

/* Returns whether the daemon's file system answers, rather than the one below
 * its mount point. */
static bool is_served(void)
{
	struct statfs status;

	if (is_module()) {
		(void)mount("efivarfs", torture.directory, "efivarfs", 0, NULL);
	}
	return statfs(torture.directory, &status) == 0 &&
	       (unsigned long)status.f_type ==
		       (is_module() ? EFIVARFS_MAGIC : FUSE_MAGIC);
}

static void await_daemon(void)
{
	uint64_t start = now_ns();

	while (!is_served()) {
		if (waitpid(torture.daemon, NULL, WNOHANG) != 0 ||
		    now_ns() - start > START_NS) {
			printf("not ok - a new daemon serves\n");
			(void)fflush(stdout);
			exit(1);
		}
		sleep_until(now_ns() + 1000000);
	}
}

/* ---- kills ---- */

static bool check(unsigned name, const struct value *wanted,
		  const struct value * or)
{
	static struct value found;

	read_value(path_of(name), &found);
	if (same(&found, wanted) || (or != NULL && same(&found, or))) {
		return true;
	}
	printf("# %s is %s, not %s", name_of(name), text_of(&found),
	       text_of(wanted));
	printf(" nor %s\n", or != NULL ? text_of(or) : "anything else");
	torture.counts.wrong++;
	return false;
}

/* Checks all other variables, including those that must not exist. */
static void check_others(unsigned name)
{
	for (unsigned i = 0; i <= NAMES; i++) {
		if (i != name) {
			(void)check(i, &torture.value[i], NULL);
		}
	}
}

static void write_further(void)
{
	struct write further;
	int error;

	choose_set(&further, FURTHER, 16);
	error = make_write(&further, -1);
	if (error != 0) {
		printf("# a further write: %s\n", strerror(error));
		torture.counts.wrong++;
		return;
	}
	torture.value[FURTHER] = further.after;
	(void)check(FURTHER, &further.after, NULL);
}

/* Checks the result of the killed write, and records the value for later
 * checks. */
static void judge(const struct write *write, int error, bool was_pending)
{
	struct value *value = &torture.value[write->name];
	bool is_old = same(value, &write->after);

	/* A valid journal must be completed by the next daemon. A write that
	 * has succeeded is committed. */
	if (was_pending || error == 0) {
		torture.counts.pending += was_pending;
		torture.counts.answered += !was_pending;
		(void)check(write->name, &write->after, NULL);
		*value = write->after;
		return;
	}
	if (!check(write->name, value, &write->after) || is_old) {
		read_value(path_of(write->name), value);
		return;
	}
	read_value(path_of(write->name), value);
	if (same(value, &write->after)) {
		torture.counts.after++;
	} else {
		torture.counts.before++;
	}
}

/* The hash function of linux/lib/hash.h. */
static uint64_t state_hash(const uint8_t *bytes, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i += 8) {
		uint64_t word;

		memcpy(&word, bytes + i, 8);
		hash = (hash ^ word) * 0x100000001b3u;
		hash ^= hash >> 29;
	}
	return hash;
}

/* Marks the killed daemon's state as one of caesurad 0.1.0, so that the next
 * daemon performs an upgrade. */
static void make_first_version(void)
{
	uint8_t header[STATE_HEADER];
	uint64_t checksum;
	int fd = open(STATE, O_RDWR | O_CLOEXEC);

	if (pread(fd, header, sizeof(header), 0) != sizeof(header)) {
		give_up("no state");
	}
	header[STATE_VERSION] = 1;
	checksum = state_hash(header, STATE_HEADER - 8);
	memcpy(header + STATE_HEADER - 8, &checksum, 8);
	if (pwrite(fd, header, sizeof(header), 0) != sizeof(header)) {
		give_up("no state");
	}
	(void)close(fd);
}

static void kill_once(unsigned number, bool is_upgrade)
{
	static struct write write;
	unsigned which = number / POINTS % 2;
	struct writer writer;
	bool was_pending;
	int error;

	choose(&write, sizes[which]);
	start_writer(&writer, &write);
	go_to(&writer, torture.total_ns[which], (enum point)(number % POINTS),
	      random_below(65536));
	end_daemon(SIGKILL);
	was_pending = journal().is_valid != 0;
	if (is_upgrade) {
		make_first_version();
	}
	start_daemon();
	if (random_below(4) == 0) {
		torture.counts.again++;
		sleep_until(now_ns() + random_below(torture.start_ns));
		end_daemon(SIGKILL);
		start_daemon();
	}
	await_daemon();
	error = end_writer(&writer);
	judge(&write, error, was_pending);
	check_others(write.name);
	write_further();
}

static void prepare_kills(void)
{
	struct write write;
	uint64_t start;

	start_daemon();
	await_daemon();
	for (unsigned i = 0; i <= NAMES; i++) {
		read_value(path_of(i), &torture.value[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		/* Measures a start after a kill. */
		end_daemon(SIGKILL);
		start = now_ns();
		start_daemon();
		await_daemon();
		torture.start_ns = now_ns() - start;
		write_further();
		choose_set(&write, i, sizes[i]);
		torture.total_ns[i] = measure(&write);
	}
}

static int kills(unsigned count)
{
	const struct counts *counts = &torture.counts;

	set_priority(PRIORITY);
	prepare_kills();
	for (unsigned i = 0; i < count; i++) {
		unsigned wrong = counts->wrong;

		kill_once(i, i == count / 2);
		if (counts->wrong != wrong) {
			printf("# that was kill %u\n", i);
		}
	}
	printf("kills front=%s kills=%u before=%u journal=%u after=%u "
	       "answered=%u again=%u wrong=%u\n",
	       torture.front, count, counts->before, counts->pending,
	       counts->after, counts->answered, counts->again, counts->wrong);
	end_daemon(SIGTERM);
	return counts->wrong == 0 ? 0 : 1;
}

/* ---- list ---- */

static int list(void)
{
	DIR *directory = opendir(torture.directory);
	struct dirent *entry;
	struct value value;
	char path[512];

	if (directory == NULL) {
		give_up("%s", torture.directory);
	}
	while ((entry = readdir(directory)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (length <= GUID_CHARS + 1 ||
		    strcmp(entry->d_name + length - GUID_CHARS, GUID) != 0) {
			continue;
		}
		(void)snprintf(path, sizeof(path), "%s/%s", torture.directory,
			       entry->d_name);
		read_value(path, &value);
		if (value.exists) {
			printf("value %.*s %s\n",
			       (int)(length - GUID_CHARS - 1), entry->d_name,
			       text_of(&value));
		}
	}
	(void)closedir(directory);
	printf("values end\n");
	return 0;
}

/* ---- cuts ---- */

static void say_all(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Prints, and returns only after the text has left the machine. */
static void say_all(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	(void)fflush(stdout);
	(void)tcdrain(STDOUT_FILENO);
}

/* Stops the machine at this instruction, to be switched off: no thread of a
 * lower priority runs, and the program that waits for this line switches it
 * off. */
__attribute__((noreturn)) static void stand_still(unsigned number)
{
	printf("still %u journal=%u\n", number, journal().is_valid);
	(void)fflush(stdout);
	for (;;) {
	}
}

/* Allows real-time threads to take all of a CPU's time. */
static void allow_standing_still(void)
{
	int fd = open("/proc/sys/kernel/sched_rt_runtime_us", O_WRONLY);

	if (fd < 0 || write(fd, "-1", 2) != 2) {
		give_up("sched_rt_runtime_us");
	}
	(void)close(fd);
}

static void cut_write(struct write *write, unsigned number)
{
	int error;

	say_all("begin %u %s %s\n", number, name_of(write->name),
		text_of(&write->after));
	error = make_write(write, -1);
	/* Firmware reclaims space only when it starts, and did not reclaim
	 * enough. */
	if (error == ENOSPC) {
		say_all("full %u\n", number);
		return;
	}
	if (error != 0) {
		say_all("failed %u %s\n", number, strerror(error));
		exit(1);
	}
	torture.value[write->name] = write->after;
	say_all("done %u\n", number);
}

static int cuts(unsigned after, const char *point)
{
	static struct write write;
	struct writer writer;
	bool stands_still = strcmp(point, "-") != 0;
	uint64_t total_ns;

	list();
	for (unsigned i = 0; i < NAMES; i++) {
		read_value(path_of(i), &torture.value[i]);
	}
	if (stands_still) {
		allow_standing_still();
		set_priority(PRIORITY);
	}
	for (unsigned i = 1; i < after || !stands_still; i++) {
		choose(&write, sizes[1]);
		cut_write(&write, i);
		if (i == 100) {
			say_all("enough\n");
			sleep_until(UINT64_MAX / 2);
		}
	}
	choose_set(&write, (unsigned)random_below(NAMES), sizes[1]);
	say_all("begin %u %s %s\n", after, name_of(write.name),
		text_of(&write.after));
	total_ns = measure(&write);
	say_all("done %u\n", after);
	choose(&write, sizes[1]);
	say_all("begin %u %s %s\n", after + 1, name_of(write.name),
		text_of(&write.after));
	start_writer(&writer, &write);
	go_to(&writer, total_ns, (enum point)(point[0] - '0'),
	      strtoull(point + 2, NULL, 10));
	stand_still(after + 1);
}

/* ---- One call; one command ---- */

static int say_error(int error)
{
	printf("%s\n", error == 0 ? "OK" : strerrorname_np(error));
	return 0;
}

static int set(const char *path)
{
	int fd;

	make_mutable(path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return say_error(
		fd >= 0 && write(fd, "\7\0\0\0eight..", 12) == 12 ? 0 : errno);
}

static int get(const char *path)
{
	char bytes[MOST_BYTES];
	int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);

	/* Since 6.14 a created file disappears when its first write is
	 * refused. */
	if (fd < 0 && errno == ENOENT) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	}
	return say_error(
		fd >= 0 && read(fd, bytes, sizeof(bytes)) >= 0 ? 0 : errno);
}

/* Returns while the file stays locked for a moment, by a child that inherited
 * the lock. */
static int hold(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	pid_t child;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 ||
	    (child = fork()) < 0) {
		give_up("%s", path);
	}
	if (child == 0) {
		sleep_until(now_ns() + 300000000);
		_exit(0);
	}
	return 0;
}

static int without_rawio(char **command)
{
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_RAWIO) != 0) {
		give_up("PR_CAPBSET_DROP");
	}
	execvp(command[0], command);
	give_up("%s", command[0]);
}

static int silent(const char *path, char **command)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address,
			      sizeof(address)) != 0) {
		give_up("%s", path);
	}
	execvp(command[0], command);
	give_up("%s", command[0]);
}

/* ---- Somebody else's write to the chip ---- */

#define CHIP 0x4000000
#define STORE_END 0x40000u
#define LANES(command) ((command) << 16 | (command))

static int scribble(void)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	volatile uint32_t *words = mmap(NULL, STORE_END, PROT_READ | PROT_WRITE,
					MAP_SHARED, fd, CHIP);
	volatile uint32_t *last = words + STORE_END / 4 - 1;

	if (fd < 0 || words == MAP_FAILED || *last != UINT32_MAX) {
		printf("no chip, or its store is full: %s\n", strerror(errno));
		return 2;
	}
	*last = LANES(0x40u);
	*last = 0;
	while ((*last & LANES(0x80u)) != LANES(0x80u)) {
	}
	*last = LANES(0xffu);
	return *last == 0 ? 0 : 1;
}

int main(int count, char **words)
{
	const char *what = count > 1 ? words[1] : "";

	if (strcmp(what, "set") == 0 && count == 3) {
		return set(words[2]);
	}
	if (strcmp(what, "hold") == 0 && count == 3) {
		return hold(words[2]);
	}
	if (strcmp(what, "get") == 0 && count == 3) {
		return get(words[2]);
	}
	if (strcmp(what, "without-rawio") == 0 && count > 2) {
		return without_rawio(words + 2);
	}
	if (strcmp(what, "scribble") == 0 && count == 2) {
		return scribble();
	}
	if (strcmp(what, "silent") == 0 && count > 3) {
		return silent(words[2], words + 3);
	}

	if (count > 2) {
		torture.directory = words[2];
		torture.front = count > 3 ? words[3] : "";
	}
	if (strcmp(what, "list") == 0 && count == 3) {
		return list();
	}
	if (strcmp(what, "kills") == 0 && count == 6) {
		torture.random =
			0x9e3779b97f4a7c15u ^ strtoull(words[5], NULL, 10);
		return kills((unsigned)strtoul(words[4], NULL, 10));
	}
	if (strcmp(what, "cuts") == 0 && count == 7) {
		torture.random =
			0x9e3779b97f4a7c15u ^ strtoull(words[4], NULL, 10);
		return cuts((unsigned)strtoul(words[5], NULL, 10), words[6]);
	}
	printf("torture: see tests/linux/guest/torture.c\n");
	return 2;
}
