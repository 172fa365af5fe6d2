/* SPDX-License-Identifier: MIT */
/* The log: lines on standard error, which is systemd's journal or a
 * terminal. */
#include "host/process.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LOG_CHARS 512

/* Lines for the journal begin with their severity, as sd-daemon(3) describes
 * it, and lines for people with its name. Each line is one write(), so that
 * lines of several threads do not mix. */
void cz_host_log(struct cz_host *host, enum cz_log_level level,
		 const char *format, va_list arguments)
{
	static const char *const severity[] = {"<3>", "<4>", "<6>"};
	static const char *const name[] = {"error: ", "warning: ", ""};
	char line[LOG_CHARS];
	int used = snprintf(line, sizeof(line), "%s%s",
			    host->to_terminal ? "caesurad: " : severity[level],
			    host->to_terminal ? name[level] : "");

	used += vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format,
			  arguments);
	if (used > LOG_CHARS - 2) {
		used = LOG_CHARS - 2;
	}
	line[used] = '\n';
	(void)!write(STDERR_FILENO, line, (size_t)used + 1);
}
