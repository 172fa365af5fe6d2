/* SPDX-License-Identifier: MIT */
/*
 * starve: runs a busy real-time thread on the CPU of caesurad's worker, in the
 * guest.
 *
 * starve hog PID SECONDS   waits until the daemon's worker is in the middle of
 *                     a call, then takes its CPU at SCHED_FIFO 50, prints the
 *                     CPU, and ends after SECONDS or when it is killed
 * starve pause MS     sleeps as an urgent thread
 * starve watch SECONDS COMMAND...   starts a daemon as systemd does, and aborts
 *                     it when it has sent no watchdog message for SECONDS
 *
 * Exit codes: 0, 1 the daemon was aborted, 2 could not run.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
#define PRIORITY 50
/* A worker that has run for this long since it last slept is in firmware. */
#define IN_CALL_NS 1000000ull
#define SAMPLE_NS 500000ull
#define SETTLE_NS 20000000ull
#define FIND_TRIES 10000
#define SOCKET "/run/starve.notify"

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

static void pause_ns(uint64_t ns)
{
	(void)nanosleep(&(struct timespec){.tv_sec = (time_t)(ns / NS_PER_S),
					   .tv_nsec = (long)(ns % NS_PER_S)},
			NULL);
}

static void become_urgent(int priority)
{
	struct sched_param param = {.sched_priority = priority};

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) !=
	    0) {
		give_up("SCHED_FIFO");
	}
}

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0) {
		give_up("CPU %d", cpu);
	}
}

/* ---- The daemon's worker ---- */

static bool read_file(const char *path, char *text, size_t room)
{
	FILE *file = fopen(path, "re");
	size_t got;

	if (file == NULL) {
		return false;
	}
	got = fread(text, 1, room - 1, file);
	text[got] = '\0';
	(void)fclose(file);
	return got > 0;
}

/* Only the worker blocks SIGTERM and not SIGSEGV, because it handles the traps
 * of firmware. */
static bool is_worker(const char *status)
{
	const char *blocked = strstr(status, "SigBlk:");
	uint64_t mask = blocked == NULL ? 0 : strtoull(blocked + 7, NULL, 16);

	return (mask >> (SIGTERM - 1) & 1) != 0 &&
	       (mask >> (SIGSEGV - 1) & 1) == 0;
}

static int look_for_worker(int pid)
{
	char path[128], text[4096];
	struct dirent *entry;
	DIR *tasks;
	int found = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (tasks == NULL) {
		give_up("%s", path);
	}
	while (found == 0 && (entry = readdir(tasks)) != NULL) {
		int thread = (int)strtol(entry->d_name, NULL, 10);

		(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/status",
			       pid, thread);
		if (thread > 0 && read_file(path, text, sizeof(text)) &&
		    is_worker(text)) {
			found = thread;
		}
	}
	(void)closedir(tasks);
	return found;
}

/* Tries repeatedly: while the worker handles a trap it blocks SIGSEGV too, and
 * looks like another thread. That takes only a short time. */
static int find_worker(int pid)
{
	for (int tries = 0; tries < FIND_TRIES; tries++) {
		int found = look_for_worker(pid);

		if (found != 0) {
			return found;
		}
		pause_ns(SAMPLE_NS);
	}
	errno = ESRCH;
	give_up("the worker of %d", pid);
}

struct worker_now {
	char state;
	int cpu;
	uint64_t ran_ns;
};

static struct worker_now look_at(int pid, int thread)
{
	struct worker_now now = {0};
	char path[128], text[1024];
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid,
		       thread);
	if (!read_file(path, text, sizeof(text))) {
		give_up("%s", path);
	}
	at = strrchr(text, ')') + 2;
	now.state = *at;
	/* The processor is field 39, the state field 3. */
	for (int field = 3; field < 39; field++) {
		at = strchr(at, ' ') + 1;
	}
	now.cpu = (int)strtol(at, NULL, 10);
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid,
		       thread);
	if (!read_file(path, text, sizeof(text))) {
		give_up("%s", path);
	}
	now.ran_ns = strtoull(text, NULL, 10);
	return now;
}

/* ---- hog ---- */

__attribute__((noreturn)) static void spin(uint64_t seconds)
{
	uint64_t end_ns = now_ns() + seconds * NS_PER_S;

	while (now_ns() < end_ns) {
	}
	printf("the hog has ended by itself\n");
	exit(0);
}

/* Waits until the worker has run for a while without sleeping: it is in a
 * call. */
static struct worker_now await_call(int pid, int thread)
{
	uint64_t asleep_ns = 0;

	for (;;) {
		struct worker_now now = look_at(pid, thread);

		if (now.state == 'S') {
			asleep_ns = now.ran_ns;
		} else if (asleep_ns != 0 &&
			   now.ran_ns - asleep_ns >= IN_CALL_NS) {
			return now;
		}
		pause_ns(SAMPLE_NS);
	}
}

/* Returns whether the worker was interrupted in user space, and not in the
 * kernel, where a real-time kernel may keep it on its CPU. */
static bool is_out_of_the_kernel(int pid, int thread)
{
	char path[128], text[8192];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/stack", pid,
		       thread);
	return read_file(path, text, sizeof(text)) &&
	       strstr(text, "el0t_64_irq_handler") != NULL;
}

/* Takes the worker's CPU. Returns what happened to the worker, or NULL when
 * nothing can be concluded, because its call may just have ended. */
static const char *push_away(int pid, int thread, int cpu)
{
	uint64_t end_ns = now_ns() + SETTLE_NS;
	struct worker_now now;

	go_to(cpu);
	do {
		now = look_at(pid, thread);
		if (now.state != 'R') {
			return NULL;
		}
		if (now.cpu != cpu) {
			return "and the worker went on elsewhere";
		}
	} while (now_ns() < end_ns);
	return is_out_of_the_kernel(pid, thread) ? "and the worker waits for it"
						 : NULL;
}

static void hog(int pid, uint64_t seconds)
{
	int thread = find_worker(pid);
	const char *what = NULL;
	cpu_set_t all;

	(void)sched_getaffinity(0, sizeof(all), &all);
	become_urgent(PRIORITY);
	while (what == NULL) {
		int cpu = await_call(pid, thread).cpu;

		what = push_away(pid, thread, cpu);
		if (what != NULL) {
			printf("the hog is on CPU %d, %s\n", cpu, what);
		} else {
			(void)sched_setaffinity(0, sizeof(all), &all);
		}
	}
	(void)fflush(stdout);
	spin(seconds);
}

/* ---- watch ---- */

static int open_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = SOCKET};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)unlink(SOCKET);
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		give_up(SOCKET);
	}
	return fd;
}

static pid_t start(uint64_t seconds, char **command)
{
	char text[32];
	pid_t pid = fork();

	if (pid != 0) {
		return pid;
	}
	(void)snprintf(text, sizeof(text), "%llu",
		       (unsigned long long)seconds * 1000000);
	(void)setenv("NOTIFY_SOCKET", SOCKET, 1);
	(void)setenv("WATCHDOG_USEC", text, 1);
	(void)execvp(command[0], command);
	_exit(127);
}

/* Starts a daemon and waits for its messages, at a priority above any other
 * thread here, so that no message is read late. */
static int watch(uint64_t seconds, char **command)
{
	struct pollfd said = {.fd = open_socket(), .events = POLLIN};
	uint64_t start_ns = now_ns(), last_ns = start_ns;
	pid_t pid = start(seconds, command);
	char text[4096];
	int status;

	become_urgent(PRIORITY + 10);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (poll(&said, 1, 100) == 1) {
			ssize_t got = recv(said.fd, text, sizeof(text) - 1, 0);

			text[got > 0 ? got : 0] = '\0';
			if (strstr(text, "WATCHDOG=1") != NULL ||
			    strstr(text, "READY=1") != NULL) {
				last_ns = now_ns();
				printf("%llu s: a sign of life\n",
				       (unsigned long long)((last_ns -
							     start_ns) /
							    NS_PER_S));
				(void)fflush(stdout);
			}
		}
		if (now_ns() - last_ns > seconds * NS_PER_S) {
			printf("aborted: no sign of life for %llu s\n",
			       (unsigned long long)seconds);
			(void)fflush(stdout);
			(void)kill(pid, SIGABRT);
			(void)waitpid(pid, &status, 0);
			printf("gone after %llu ms\n",
			       (unsigned long long)((now_ns() - last_ns) /
							    1000000 -
						    seconds * 1000));
			return 1;
		}
	}
	printf("ended with %d\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	return 0;
}

int main(int count, char **words)
{
	if (count == 4 && strcmp(words[1], "hog") == 0) {
		hog((int)strtol(words[2], NULL, 10),
		    strtoull(words[3], NULL, 10));
	}
	if (count == 3 && strcmp(words[1], "pause") == 0) {
		become_urgent(PRIORITY + 10);
		pause_ns(strtoull(words[2], NULL, 10) * 1000000);
		return 0;
	}
	if (count >= 4 && strcmp(words[1], "watch") == 0) {
		return watch(strtoull(words[2], NULL, 10), words + 3);
	}
	printf("usage: starve hog PID SECONDS | pause MS | watch "
	       "SECONDS COMMAND...\n");
	return 2;
}
