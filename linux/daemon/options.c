/* SPDX-License-Identifier: MIT */
#include "daemon/options.h"
#include "efivars/fuse.h"
#include "machine/provider.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_STATE OPTIONS_DIRECTORY "/state"
#define NS_PER_S 1000000000ull
#define MAX_DEADLINE_S 3600ul

static void usage(FILE *to)
{
	fprintf(to, "\
usage: caesurad COMMAND [OPTION...]\n\
\n\
  run      serve this machine's EFI variables: to the kernel's own efivarfs by\n\
           the module caesura-efivars, or by --mount as a file system of FUSE\n\
  check    say whether this machine can be served, and what would be mapped\n\
  time     print firmware's clock; with --set, set it to the system's time\n\
  status   print what the running daemon has done\n\
\n\
  --mount DIR        show the variables in DIR, by FUSE\n\
  --module DEVICE    the module's device (" PROVIDER_DEVICE ")\n\
  --no-module        use /dev/mem and /proc/kcore, even if there is the module\n\
  --state FILE       firmware's RAM as last committed (" OPTIONS_STATE ")\n\
  --fifo N           run firmware at SCHED_FIFO N, 1 to 99 (SCHED_OTHER)\n\
  --cpus LIST        run firmware on these CPUs only: 0,2-3\n\
  --deadline S       limit of a request, in seconds (60)\n\
  --kill-limit S     end a call of firmware after it has run for this time, in\n\
                     seconds (2 for one that reads, 20 for one that writes)\n\
  --direct ADDRESS   let firmware access the device at that physical address\n\
                     directly, whatever it is; may be given several times\n\
  --user NAME        user to run as (nobody)\n\
  --set              set the clock; with time\n\
  --help             this text\n\
\n\
Defaults are in parentheses.\n\
Exit codes: 0 success, 1 failure, 2 this machine cannot be served or the command\n\
line is wrong, 3 another caesurad is running.\n");
}

int options_wrong(const char *format, const char *what)
{
	fprintf(stderr, "caesurad: ");
	fprintf(stderr, format, what);
	fprintf(stderr, "; see caesurad --help\n");
	return EXIT_NOT_HERE;
}

static bool take_number(const char *text, int base, unsigned long long least,
			unsigned long long most, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, base);
	return errno == 0 && end != text && *end == '\0' && text[0] != '-' &&
	       *value >= least && *value <= most;
}

/* A list of CPUs, as "0,2-3". */
static bool take_cpus(const char *text, struct cz_cpu_set *cpus)
{
	memset(cpus, 0, sizeof(*cpus));
	while (*text != '\0') {
		char *end;
		unsigned long first = strtoul(text, &end, 10);
		unsigned long last = first;

		if (end == text) {
			return false;
		}
		if (*end == '-') {
			text = end + 1;
			last = strtoul(text, &end, 10);
			if (end == text) {
				return false;
			}
		}
		if (first > last || last >= CZ_MAX_CPUS ||
		    (*end != ',' && *end != '\0')) {
			return false;
		}
		for (; first <= last; first++) {
			cpus->bits[first / 64] |= 1ull << first % 64;
		}
		text = *end == ',' ? end + 1 : end;
	}
	return true;
}

static bool take_direct(struct host_options *options, const char *text)
{
	uint64_t address;

	if (!take_number(text, 0, 0, UINT64_MAX, &address) ||
	    options->direct_count == HOST_MAX_DEVICES) {
		return false;
	}
	options->direct[options->direct_count++] = address;
	return true;
}

enum option_code {
	OPTION_MOUNT = 'a',
	OPTION_MODULE,
	OPTION_NO_MODULE,
	OPTION_STATE,
	OPTION_FIFO,
	OPTION_CPUS,
	OPTION_DEADLINE,
	OPTION_KILL_LIMIT,
	OPTION_DIRECT,
	OPTION_USER,
	OPTION_SET,
	OPTION_HELP,
};

static bool take_option(struct options *options, int option, char *value)
{
	uint64_t number = 0;

	switch (option) {
	case OPTION_MOUNT:
		options->mount_point = value;
		return true;
	case OPTION_MODULE:
		options->device = value;
		return true;
	case OPTION_NO_MODULE:
		options->no_module = true;
		return true;
	case OPTION_SET:
		options->set = true;
		return true;
	case OPTION_STATE:
		options->host.state_path = value;
		return value[0] == '/';
	case OPTION_FIFO:
		if (!take_number(value, 10, 1, 99, &number)) {
			return false;
		}
		options->host.fifo_priority = (int)number;
		return true;
	case OPTION_CPUS:
		options->has_cpus = true;
		return take_cpus(value, &options->cpus);
	case OPTION_DEADLINE:
		if (!take_number(value, 10, 1, MAX_DEADLINE_S, &number)) {
			return false;
		}
		options->deadline_ns = number * NS_PER_S;
		return true;
	case OPTION_KILL_LIMIT:
		if (!take_number(value, 10, 1, MAX_DEADLINE_S, &number)) {
			return false;
		}
		options->kill_limit_ns = number * NS_PER_S;
		return true;
	case OPTION_DIRECT:
		return take_direct(&options->host, value);
	default:
		options->user = value;
		return true;
	}
}

int options_take(int count, char **values, struct options *options)
{
	static const struct option known[] = {
		{"mount", required_argument, NULL, OPTION_MOUNT},
		{"module", required_argument, NULL, OPTION_MODULE},
		{"no-module", no_argument, NULL, OPTION_NO_MODULE},
		{"state", required_argument, NULL, OPTION_STATE},
		{"fifo", required_argument, NULL, OPTION_FIFO},
		{"cpus", required_argument, NULL, OPTION_CPUS},
		{"deadline", required_argument, NULL, OPTION_DEADLINE},
		{"kill-limit", required_argument, NULL, OPTION_KILL_LIMIT},
		{"direct", required_argument, NULL, OPTION_DIRECT},
		{"user", required_argument, NULL, OPTION_USER},
		{"set", no_argument, NULL, OPTION_SET},
		{"help", no_argument, NULL, OPTION_HELP},
		{NULL, 0, NULL, 0},
	};
	int option;
	int index = 0;

	*options = (struct options){
		.device = PROVIDER_DEVICE,
		.deadline_ns = FUSE_DEFAULT_DEADLINE_NS,
		.host.state_path = OPTIONS_STATE,
	};
	while ((option = getopt_long(count, values, "", known, &index)) != -1) {
		if (option == OPTION_HELP) {
			usage(stdout);
			return 0;
		}
		if (option == '?') {
			return EXIT_NOT_HERE;
		}
		if (!take_option(options, option, optarg)) {
			return options_wrong("--%s: wrong value",
					     known[index].name);
		}
	}
	if (optind + 1 != count) {
		usage(stderr);
		return EXIT_NOT_HERE;
	}
	options->command = values[optind];
	return -1;
}
