/* SPDX-License-Identifier: MIT */
#include "host/report.h"
#include "host/process.h"

#include <stdarg.h>
#include <stdio.h>

void report_log(struct cz_host *host, enum cz_log_level level,
		const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	cz_host_log(host, level, format, arguments);
	va_end(arguments);
}

bool report_fail(struct cz_host *host, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(host->why, sizeof(host->why), format, arguments);
	va_end(arguments);
	return false;
}
