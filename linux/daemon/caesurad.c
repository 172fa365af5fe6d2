/* SPDX-License-Identifier: MIT */
/*
 * caesurad: EFI variables for kernels whose runtime services are off. The command
 * line, and the order in which a daemon becomes one: what the machine is, whose
 * firmware is, its memory, the library, then away with privileges, then the front
 * ends.
 */
#include "daemon/control.h"
#include "daemon/life.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/unmount.h"
#include "efivars/efivars.h"
#include "efivars/fuse.h"
#include "host/confine.h"
#include "host/firmware_memory.h"
#include "host/process.h"
#include "host/report.h"
#include "host/signals.h"
#include "host/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEPT_STATE "state" /* of systemd's descriptors */
#define LOCK "/sys/firmware/fdt"
/* A second: children that a daemon forks as it starts have its lock for a moment after
 * it has been killed. */
#define LOCK_TRIES 100u
#define LOCK_POLL_NS 10000000
#define CONTROL OPTIONS_DIRECTORY "/control"
#define SUPPORTS_SET_VARIABLE 0x40u /* EFI_RT_PROPERTIES_TABLE's */

static struct daemon {
	struct options arguments;
	struct provider provider;
	bool has_module;
	struct machine machine;
	struct cz_host host;
	struct cz cz;
	struct persist persist;
	struct fuse_front *front;
	int unmounter; /* unmount.h's, where there is a mount */
	int control;
	int lock;
} daemon_state = {.unmounter = -1, .control = -1, .lock = -1};

/* ---- Firmware ---- */

/*
 * One daemon at a time, until the process ends. By the file that every start reads,
 * and that nobody can remove: with one of the daemon's own the lock would go.
 */
static int take_lock(struct daemon *daemon)
{
	daemon->lock = open(LOCK, O_RDONLY | O_CLOEXEC);
	if (daemon->lock < 0) {
		fprintf(stderr,
			"caesurad: " LOCK ": %s; a kernel that was started by "
			"UEFI firmware has it, for root\n",
			strerror(errno));
		return EXIT_NOT_HERE;
	}
	for (unsigned tries = 0; flock(daemon->lock, LOCK_EX | LOCK_NB) != 0;
	     tries++) {
		if (tries == LOCK_TRIES) {
			fprintf(stderr,
				"caesurad: another caesurad is running\n");
			return EXIT_BUSY;
		}
		(void)nanosleep(&(struct timespec){.tv_nsec = LOCK_POLL_NS},
				NULL);
	}
	return 0;
}

static int make_directory(void)
{
	if (mkdir(OPTIONS_DIRECTORY, 0700) != 0 && errno != EEXIST) {
		fprintf(stderr, "caesurad: " OPTIONS_DIRECTORY ": %s\n",
			strerror(errno));
		return EXIT_NOT_HERE;
	}
	return 0;
}

/* The module where it is there; 0, or an exit code. */
static int open_module(struct daemon *daemon)
{
	const struct options *arguments = &daemon->arguments;
	int error;

	if (arguments->no_module) {
		return 0;
	}
	error = provider_open(&daemon->provider, arguments->device);
	daemon->has_module = error == 0;
	if (error == 0 || error == -ENOENT) {
		return 0;
	}
	fprintf(stderr, "caesurad: %s: %s\n", arguments->device,
		error == -EPROTO ? "the module is of another version"
				 : strerror(-error));
	return error == -EBUSY ? EXIT_BUSY : EXIT_NOT_HERE;
}

static int open_machine(struct daemon *daemon)
{
	struct machine *machine = &daemon->machine;
	int code = open_module(daemon);

	if (code != 0) {
		return code;
	}
	if (!machine_open(machine,
			  daemon->has_module ? &daemon->provider : NULL) ||
	    !machine_is_ours(machine)) {
		fprintf(stderr, "caesurad: this machine cannot be served:\n%s",
			machine->why);
		return EXIT_NOT_HERE;
	}
	return 0;
}

/*
 * What was ended has been put back, exactly, unless it wrote to a device that is
 * passed through: nothing is withdrawn after the one, what writes after the other.
 */
static struct cz_policy policy(uint64_t kill_limit_ns)
{
	struct cz_policy policy = cz_default_policy;

	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		policy.service[i].exact = 0;
		if (kill_limit_ns != 0) {
			policy.service[i].kill_limit_ns = kill_limit_ns;
		}
	}
	return policy;
}

/* Where variables persist, which decides whether they are served for writing. */
static void find_persistence(struct daemon *daemon)
{
	daemon->host.facts.has_set_variable =
		cz_service_available(&daemon->cz, CZ_SET_VARIABLE);
	daemon->persist = persist_judge(&daemon->host.facts);
}

static bool is_read_only(const struct daemon *daemon)
{
	return daemon->persist.service != PERSIST_SERVED;
}

static int open_firmware(struct daemon *daemon)
{
	struct cz_host *host = &daemon->host;
	struct cz_policy rules = policy(daemon->arguments.kill_limit_ns);
	struct cz_config config = {
		.host = host,
		.gate = CZ_GATE_SANDBOX,
		.map_mode = CZ_MAP_EXISTING,
		.policy = &rules,
		.max_data_bytes = EFIVARS_MAX_READ_BYTES,
	};

	host->machine = &daemon->machine;
	host->options = daemon->arguments.host;
	host->to_terminal = getenv("JOURNAL_STREAM") == NULL;
	signals_install(host);
	if (!waiting_start(host) || !firmware_memory_open(host)) {
		fprintf(stderr, "caesurad: this machine cannot be served: %s\n",
			host->why);
		return EXIT_NOT_HERE;
	}
	/* What is passed through is not known: its registers may be different
	 * ones on each CPU. */
	host->pin.one_cpu = host->options.direct_count != 0;
	pin_read(&host->pin, PIN_CPUS);
	config.memory_map = daemon->machine.map;
	config.memory_map_size_bytes = daemon->machine.map_bytes;
	config.descriptor_size_bytes = daemon->machine.descriptor_bytes;
	config.descriptor_version = daemon->machine.descriptor_version;
	config.system_table = daemon->machine.system_table;
	config.window_address = host->window_address;
	config.window_bytes = host->window_bytes;
	host->cz = &daemon->cz;
	if (cz_init(&daemon->cz, &config) != CZ_OK) {
		return EXIT_NOT_HERE;
	}
	find_persistence(daemon);
	return 0;
}

static int open_all(struct daemon *daemon)
{
	int code = take_lock(daemon);

	if (code == 0) {
		code = make_directory();
	}
	if (code == 0) {
		code = open_machine(daemon);
	}
	return code == 0 ? open_firmware(daemon) : code;
}

/* ---- run ---- */

static void on_end(int number)
{
	(void)number;
	if (daemon_state.front != NULL) {
		fuse_stop(daemon_state.front);
	}
	if (daemon_state.has_module) {
		provider_stop(&daemon_state.provider);
	}
}

static void say_ready(void *argument)
{
	struct daemon *daemon = argument;

	report_log(&daemon->host, CZ_LOG_INFO, "ready");
	notify_say(is_read_only(daemon)
			   ? "READY=1\nSTATUS=Serving EFI variables, read-only"
			   : "READY=1\nSTATUS=Serving EFI variables");
}

static int serve_module(struct daemon *daemon)
{
	int error = provider_serve(&daemon->provider, &daemon->cz,
				   daemon->arguments.deadline_ns);

	if (error != 0) {
		report_log(&daemon->host, CZ_LOG_ERROR, "the module: %s",
			   strerror(-error));
	}
	return error;
}

/* Beside the mount, which is not to go on alone: the kernel's callers would wait.
 * NULL, or not when it has failed. */
static void *serve_module_too(void *argument)
{
	struct daemon *daemon = argument;
	bool failed = serve_module(daemon) != 0;

	fuse_stop(daemon->front);
	return failed ? daemon : NULL;
}

static void *serve_control(void *argument)
{
	struct daemon *daemon = argument;

	control_serve(daemon->control, &daemon->cz);
	return NULL;
}

static bool start_thread(pthread_t *thread, void *(*function)(void *),
			 struct daemon *daemon)
{
	int error = pthread_create(thread, NULL, function, daemon);

	if (error != 0) {
		report_log(&daemon->host, CZ_LOG_ERROR, "no thread: %s",
			   strerror(error));
	}
	return error == 0;
}

/* With the module too, if it is there. */
static int serve_mount(struct daemon *daemon)
{
	pthread_t module;
	void *failed = NULL;
	int error;

	if (daemon->has_module &&
	    !start_thread(&module, serve_module_too, daemon)) {
		return 1;
	}
	error = fuse_serve(daemon->front, &daemon->cz, say_ready, daemon);
	if (error != 0) {
		report_log(&daemon->host, CZ_LOG_ERROR, "the mount: %s",
			   strerror(error));
	}
	if (daemon->has_module) {
		provider_stop(&daemon->provider);
		(void)pthread_join(module, &failed);
	}
	return error == 0 && failed == NULL ? 0 : 1;
}

static int serve(struct daemon *daemon)
{
	pthread_t thread; /* ends with the process */

	if (daemon->control >= 0 &&
	    !start_thread(&thread, serve_control, daemon)) {
		return 1;
	}
	if (daemon->front == NULL) {
		say_ready(daemon);
		return serve_module(daemon) == 0 ? 0 : 1;
	}
	return serve_mount(daemon);
}

/*
 * Front ends have answered, but a call whose caller has given up, or the control
 * socket's, may be in flight. No more begin, and that one is waited for: it may be at
 * the clock's registers. If it takes too long, what it did is dropped; or, where its
 * commit had begun, completed by the next daemon.
 */
static void end_calls(struct daemon *daemon)
{
	uint64_t until_ns =
		cz_host_now_ns(&daemon->host) + daemon->arguments.deadline_ns;

	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		cz_withdraw(&daemon->cz, (enum cz_service)i);
	}
	if (cz_null_service(&daemon->cz, until_ns) != CZ_OK) {
		report_log(&daemon->host, CZ_LOG_WARNING,
			   "a call is left in the middle");
	}
}

/* What needs root is open: the rest is done without. */
static int confine(struct daemon *daemon)
{
	char why[256] = "";
	struct confine_range firmware, changing;

	machine_shut(&daemon->machine);
	firmware_memory_range(&daemon->host, &firmware.start, &firmware.end);
	firmware_memory_changing_code(&daemon->host, &changing.start,
				      &changing.end);
	if (!confine_memory()) {
		report_log(&daemon->host, CZ_LOG_WARNING,
			   "memory is not locked: %s", strerror(errno));
	}
	if (!confine_process(daemon->arguments.user, false, why, sizeof(why)) ||
	    !confine_calls(&firmware, &changing, why, sizeof(why))) {
		report_log(&daemon->host, CZ_LOG_ERROR, "%s", why);
		return 1;
	}
	return 0;
}

/* What the module offers to the kernel: without SetVariable it mounts efivarfs
 * read-only. */
static uint32_t supported(const struct daemon *daemon)
{
	return is_read_only(daemon)
		       ? daemon->cz.rt_supported & ~SUPPORTS_SET_VARIABLE
		       : daemon->cz.rt_supported;
}

static int attach(struct daemon *daemon)
{
	struct fuse_options options = {
		.mount_point = daemon->arguments.mount_point,
		.deadline_ns = daemon->arguments.deadline_ns,
		.read_only = is_read_only(daemon),
	};
	int error;

	daemon->provider.read_only = options.read_only;
	if (options.mount_point != NULL) {
		error = fuse_attach(&daemon->front, &options);
		if (error != 0) {
			fprintf(stderr, "caesurad: %s: %s\n",
				options.mount_point, strerror(error));
			return 1;
		}
		return 0;
	}
	if (!daemon->has_module) {
		fprintf(stderr,
			"caesurad: neither a module nor --mount: nobody would "
			"be served\n");
		return EXIT_NOT_HERE;
	}
	error = provider_register(&daemon->provider, supported(daemon));
	if (error != 0) {
		fprintf(stderr,
			"caesurad: the kernel does not take EFI "
			"variables from it: %s\n",
			strerror(-error));
		return 1;
	}
	return 0;
}

/* Through the queue, like any call. */
static int set_cpus(struct daemon *daemon)
{
	if (!daemon->arguments.has_cpus) {
		return 0;
	}
	if (cz_set_worker_cpus(&daemon->cz, &daemon->arguments.cpus,
			       CZ_FOREVER) != CZ_OK) {
		fprintf(stderr, "caesurad: --cpus: none of them is there\n");
		return EXIT_NOT_HERE;
	}
	return 0;
}

/* First of all: what is forked has nothing of what is opened later. */
static int prepare_unmount(struct daemon *daemon)
{
	const struct options *arguments = &daemon->arguments;

	if (arguments->mount_point == NULL) {
		return 0;
	}
	daemon->unmounter =
		unmount_prepare(arguments->mount_point, arguments->user);
	if (daemon->unmounter < 0) {
		fprintf(stderr, "caesurad: no process to unmount: %s\n",
			strerror(errno));
		return 1;
	}
	return 0;
}

static void end_mount(struct daemon *daemon)
{
	int error = daemon->front == NULL ? 0 : unmount_now(daemon->unmounter);

	/* Somebody's umount has been the end: nothing is there. */
	if (error != 0 && error != EINVAL) {
		report_log(&daemon->host, CZ_LOG_WARNING,
			   "%s stays mounted, until the next caesurad: %s",
			   daemon->arguments.mount_point, strerror(error));
	}
}

static int start_life(struct daemon *daemon)
{
	uint64_t period_ns = notify_watchdog_ns();
	int error = period_ns == 0 ? 0 : life_start(&daemon->host, period_ns);

	if (error != 0) {
		report_log(&daemon->host, CZ_LOG_ERROR,
			   "no signs of life for systemd: %s", strerror(error));
	}
	return error == 0 ? 0 : 1;
}

static int command_run(struct daemon *daemon)
{
	struct sigaction end = {.sa_handler = on_end};
	int code = prepare_unmount(daemon);

	if (code != 0) {
		return code;
	}
	notify_open();
	daemon->arguments.host.kept_state = notify_kept(KEPT_STATE);
	code = open_all(daemon);
	if (code == 0) {
		report_log(&daemon->host,
			   daemon->persist.place == PERSIST_FLASH
				   ? CZ_LOG_INFO
				   : CZ_LOG_WARNING,
			   "%s", daemon->persist.line);
		notify_keep(KEPT_STATE, state_fd(daemon->host.state));
		code = set_cpus(daemon);
	}
	if (code == 0) {
		code = attach(daemon);
	}
	if (code != 0) {
		return code;
	}
	daemon->control = control_open(CONTROL);
	if (daemon->control < 0) {
		report_log(&daemon->host, CZ_LOG_WARNING, CONTROL ": %s",
			   strerror(errno));
	}
	code = start_life(daemon);
	if (code != 0) {
		return code;
	}
	(void)sigaction(SIGTERM, &end, NULL);
	(void)sigaction(SIGINT, &end, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	code = confine(daemon);
	if (code == 0) {
		code = serve(daemon);
	}
	notify_say("STOPPING=1");
	end_mount(daemon);
	end_calls(daemon);
	_exit(code); /* without destructors: threads of ours go on until then */
}

/* ---- check, time, status ---- */

static const char *kind_name(enum host_memory kind)
{
	static const char *const names[] = {
		[HOST_RAM] = "RAM, a private copy",
		[HOST_FLASH] = "flash, a copy; written when a call succeeded",
		[HOST_CLOCK] = "a clock (PL031), passed through",
		[HOST_DIRECT] = "a device, passed through: --direct",
	};

	return names[kind];
}

static int command_check(struct daemon *daemon)
{
	int code = open_all(daemon);

	if (code == EXIT_BUSY) {
		return code;
	}
	if (code == 0 &&
	    cz_host_selftest(&daemon->host, CZ_GATE_SANDBOX) != CZ_OK) {
		code = 1;
	}
	if (code != 0) {
		return code;
	}
	printf("This machine can be served%s, by %s.\n%s.\n",
	       is_read_only(daemon) ? ", read-only" : "",
	       daemon->has_module ? "the module caesura-efivars"
				  : "/dev/mem and /proc/kcore",
	       daemon->persist.line);
	for (unsigned i = 0; i < daemon->host.region_count; i++) {
		const struct host_region *region = &daemon->host.region[i];

		printf("  0x%010llx-0x%010llx  %s\n",
		       (unsigned long long)region->address,
		       (unsigned long long)(region->address +
					    region->size_bytes),
		       kind_name(region->kind));
	}
	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		printf("  %-28s %s\n", cz_service_name((enum cz_service)i),
		       cz_service_available(&daemon->cz, (enum cz_service)i)
			       ? "yes"
			       : "not in this firmware");
	}
	return 0;
}

/* By the daemon, or without one. */
static int command_ask(struct daemon *daemon, const char *question)
{
	int code = control_ask(CONTROL, question);

	if (code >= 0) {
		return code;
	}
	code = open_all(daemon);
	if (code == 0) {
		code = confine(daemon);
	}
	return code == 0 ? control_answer(&daemon->cz, question, STDOUT_FILENO)
			 : code;
}

/* A clock that the kernel drives is the kernel's to set. */
static int command_time(struct daemon *daemon)
{
	if (!daemon->arguments.set) {
		return command_ask(daemon, "time");
	}
	if (access("/sys/class/rtc/rtc0", F_OK) == 0) {
		fprintf(stderr, "caesurad: the kernel has a driver for the "
				"clock: hwclock --systohc sets it\n");
		return EXIT_NOT_HERE;
	}
	return command_ask(daemon, "set-time");
}

/* Whatever it was started with: descriptors 0 to 2 are taken, children can be waited
 * for. */
static void settle(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	(void)close(fd);
	(void)signal(SIGCHLD, SIG_DFL);
}

int main(int count, char **values)
{
	struct daemon *daemon = &daemon_state;
	int code = options_take(count, values, &daemon->arguments);

	settle();
	if (code >= 0) {
		return code;
	}
	if (strcmp(daemon->arguments.command, "run") == 0) {
		return command_run(daemon);
	}
	if (strcmp(daemon->arguments.command, "check") == 0) {
		return command_check(daemon);
	}
	if (strcmp(daemon->arguments.command, "time") == 0) {
		return command_time(daemon);
	}
	if (strcmp(daemon->arguments.command, "status") == 0) {
		code = control_ask(CONTROL, "status");
		if (code < 0) {
			fprintf(stderr, "caesurad: no daemon is running\n");
		}
		return code < 0 ? EXIT_NOT_HERE : code;
	}
	return options_wrong("%s: no such command", daemon->arguments.command);
}
