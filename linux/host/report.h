/* SPDX-License-Identifier: MIT */
/* Messages for people: lines in the log, and why something failed. Any thread
 * may call these functions. */
#ifndef LINUX_REPORT_H
#define LINUX_REPORT_H

#include <caesura/host.h>
#include <stdbool.h>
#include <stdint.h>

/* Logs one line, by cz_host_log(). */
void report_log(struct cz_host *host, enum cz_log_level level,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Sets host->why and returns false, so that a function can return it. */
bool report_fail(struct cz_host *host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Converts to the type that %llu and %llx want. */
static inline unsigned long long ull(uint64_t value)
{
	return value;
}

#endif
