/* SPDX-License-Identifier: MIT */
/* caesurad's command line. */
#ifndef LINUX_OPTIONS_H
#define LINUX_OPTIONS_H

#include "host/process.h"

#include <caesura/caesura.h>
#include <stdbool.h>
#include <stdint.h>

/* The directory of the daemon's files. */
#define OPTIONS_DIRECTORY "/run/caesurad"

enum { EXIT_NOT_HERE = 2, EXIT_BUSY = 3 };

struct options {
	const char *command;
	const char *mount_point;
	const char *device;
	const char *user;
	bool no_module;
	bool set;
	bool has_cpus;
	struct cz_cpu_set cpus;
	uint64_t deadline_ns;
	uint64_t kill_limit_ns; /* 0: the library's default */
	struct host_options host;
};

/* Parses the command and its options. Returns an exit code, or -1 to go on. */
int options_take(int count, char **values, struct options *options);

/* Reports a wrong command line; `format` has one %s. Returns an exit code. */
int options_wrong(const char *format, const char *what);

#endif
