/* SPDX-License-Identifier: MIT */
/*
 * caesurad serves EFI variables on kernels that do not call runtime services.
 * This file has its commands, and the order of a start: look at the machine,
 * check that nobody else uses firmware, map its memory, start the library, drop
 * privileges, serve.
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

#define KEPT_STATE "state" /* name of the descriptor that systemd keeps */
#define LOCK "/sys/firmware/fdt"
/* For one second: when a daemon is killed during its start, children that it
 * forked hold its lock for a moment longer. */
#define LOCK_TRIES 100u
#define LOCK_POLL_NS 10000000
#define CONTROL OPTIONS_DIRECTORY "/control"
#define SUPPORTS_SET_VARIABLE 0x40u /* in EFI_RT_PROPERTIES_TABLE */

static struct daemon {
	struct options options;
	struct provider provider;
	bool has_module;
	struct machine machine;
	struct cz_host host;
	struct cz cz;
	struct persist persist;
	struct fuse_front *front;
	int unmounter; /* see unmount.h; -1 without a mount */
	int control;
	int lock;
} daemon_state = {.unmounter = -1, .control = -1, .lock = -1};

/* ---- Firmware ---- */

/* Allows one daemon at a time, until the process ends. The lock is on a file
 * that every start reads and that nobody can remove. A file of the daemon's own
 * could be removed, and the lock with it. */
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

/* Opens the module's device if there is one. Returns 0 or an exit code. */
static int open_module(struct daemon *daemon)
{
	const struct options *options = &daemon->options;
	int error;

	if (options->no_module) {
		return 0;
	}
	error = provider_open(&daemon->provider, options->device);
	daemon->has_module = error == 0;
	if (error == 0 || error == -ENOENT) {
		return 0;
	}
	fprintf(stderr, "caesurad: %s: %s\n", options->device,
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

/* A call that was ended has been rolled back exactly, so no service is
 * withdrawn. The exception is a call that wrote to a device that is passed
 * through: after it, services that write are withdrawn. */
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

/* Finds out where variables persist. That decides whether writes are served. */
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
	struct cz_policy rules = policy(daemon->options.kill_limit_ns);
	struct cz_config config = {
		.host = host,
		.gate = CZ_GATE_SANDBOX,
		.map_mode = CZ_MAP_EXISTING,
		.policy = &rules,
		.max_data_bytes = EFIVARS_MAX_READ_BYTES,
	};

	host->machine = &daemon->machine;
	host->options = daemon->options.host;
	host->to_terminal = getenv("JOURNAL_STREAM") == NULL;
	signals_install(host);
	if (!waiting_start(host) || !firmware_memory_open(host)) {
		fprintf(stderr, "caesurad: this machine cannot be served: %s\n",
			host->why);
		return EXIT_NOT_HERE;
	}
	/* A device of --direct is unknown: its registers may differ between
	 * CPUs. */
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
				   daemon->options.deadline_ns);

	if (error != 0) {
		report_log(&daemon->host, CZ_LOG_ERROR, "the module: %s",
			   strerror(-error));
	}
	return error;
}

/* Serves the module while the mount is served. If the module fails the mount
 * must end too, because the kernel's callers would wait for ever. Returns
 * non-NULL if it has failed. */
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
		report_log(&daemon->host, CZ_LOG_ERROR,
			   "a thread cannot be started: %s", strerror(error));
	}
	return error == 0;
}

/* Also serves the module, if there is one. */
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
 * Front ends have answered all requests. But a call may still be in flight, if
 * its caller has given up or if it came by the control socket. New calls are
 * refused, and this one is waited for, since it may be at the clock's
 * registers. If it takes too long, what it did is dropped; or, if its commit
 * has begun, the next daemon completes it.
 */
static void end_calls(struct daemon *daemon)
{
	uint64_t until_ns =
		cz_host_now_ns(&daemon->host) + daemon->options.deadline_ns;

	for (int i = 0; i < CZ_NULL_SERVICE; i++) {
		cz_withdraw(&daemon->cz, (enum cz_service)i);
	}
	if (cz_null_service(&daemon->cz, until_ns) != CZ_OK) {
		report_log(&daemon->host, CZ_LOG_WARNING,
			   "a call has not ended in time; what it did is "
			   "dropped, or committed by the next caesurad");
	}
}

/* Drops privileges. Everything that needs root is open by now. */
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
	if (!confine_process(daemon->options.user, false, why, sizeof(why)) ||
	    !confine_calls(&firmware, &changing, why, sizeof(why))) {
		report_log(&daemon->host, CZ_LOG_ERROR, "%s", why);
		return 1;
	}
	return 0;
}

/* The services that the module offers to the kernel. Without SetVariable the
 * kernel mounts efivarfs read-only. */
static uint32_t supported(const struct daemon *daemon)
{
	return is_read_only(daemon)
		       ? daemon->cz.rt_supported & ~SUPPORTS_SET_VARIABLE
		       : daemon->cz.rt_supported;
}

static int attach(struct daemon *daemon)
{
	struct fuse_options options = {
		.mount_point = daemon->options.mount_point,
		.deadline_ns = daemon->options.deadline_ns,
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
		fprintf(stderr, "caesurad: there is neither the module nor "
				"--mount: nobody would be served\n");
		return EXIT_NOT_HERE;
	}
	error = provider_register(&daemon->provider, supported(daemon));
	if (error != 0) {
		fprintf(stderr,
			"caesurad: the kernel does not accept the module as "
			"provider of EFI variables: %s\n",
			strerror(-error));
		return 1;
	}
	return 0;
}

/* The request goes through the queue, like any call. */
static int set_cpus(struct daemon *daemon)
{
	if (!daemon->options.has_cpus) {
		return 0;
	}
	if (cz_set_worker_cpus(&daemon->cz, &daemon->options.cpus,
			       CZ_FOREVER) != CZ_OK) {
		fprintf(stderr, "caesurad: --cpus: the machine has none of "
				"these CPUs\n");
		return EXIT_NOT_HERE;
	}
	return 0;
}

/* Called first, so that the child that is forked inherits nothing that is
 * opened later. */
static int prepare_unmount(struct daemon *daemon)
{
	const struct options *options = &daemon->options;

	if (options->mount_point == NULL) {
		return 0;
	}
	daemon->unmounter =
		unmount_prepare(options->mount_point, options->user);
	if (daemon->unmounter < 0) {
		fprintf(stderr,
			"caesurad: cannot start the process that unmounts: "
			"%s\n",
			strerror(errno));
		return 1;
	}
	return 0;
}

static void end_mount(struct daemon *daemon)
{
	int error = daemon->front == NULL ? 0 : unmount_now(daemon->unmounter);

	/* EINVAL: somebody has unmounted it, which ended the daemon. */
	if (error != 0 && error != EINVAL) {
		report_log(
			&daemon->host, CZ_LOG_WARNING,
			"%s stays mounted until the next caesurad starts: %s",
			daemon->options.mount_point, strerror(error));
	}
}

static int start_life(struct daemon *daemon)
{
	uint64_t period_ns = notify_watchdog_ns();
	int error = period_ns == 0 ? 0 : life_start(&daemon->host, period_ns);

	if (error != 0) {
		report_log(&daemon->host, CZ_LOG_ERROR,
			   "systemd's watchdog cannot be served: %s",
			   strerror(error));
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
	daemon->options.host.kept_state = notify_kept(KEPT_STATE);
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
	/* without destructors, since other threads run until then */
	_exit(code);
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

/* Asks the daemon that runs, or firmware if there is none. */
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

/* If the kernel has a driver for the clock, only the kernel may set it. */
static int command_time(struct daemon *daemon)
{
	if (!daemon->options.set) {
		return command_ask(daemon, "time");
	}
	if (access("/sys/class/rtc/rtc0", F_OK) == 0) {
		fprintf(stderr, "caesurad: the kernel has a driver for the "
				"clock; set it with hwclock --systohc\n");
		return EXIT_NOT_HERE;
	}
	return command_ask(daemon, "set-time");
}

/* Makes sure, however the process was started, that descriptors 0 to 2 are open
 * and that children can be waited for. */
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
	int code = options_take(count, values, &daemon->options);

	settle();
	if (code >= 0) {
		return code;
	}
	if (strcmp(daemon->options.command, "run") == 0) {
		return command_run(daemon);
	}
	if (strcmp(daemon->options.command, "check") == 0) {
		return command_check(daemon);
	}
	if (strcmp(daemon->options.command, "time") == 0) {
		return command_time(daemon);
	}
	if (strcmp(daemon->options.command, "status") == 0) {
		code = control_ask(CONTROL, "status");
		if (code < 0) {
			fprintf(stderr, "caesurad: no daemon is running\n");
		}
		return code < 0 ? EXIT_NOT_HERE : code;
	}
	return options_wrong("%s: no such command", daemon->options.command);
}
