/* SPDX-License-Identifier: MIT */
/*
 * What the process says to people: lines in the log, and why something cannot be
 * done. Any thread.
 */
#ifndef LINUX_REPORT_H
#define LINUX_REPORT_H

#include <caesura/host.h>
#include <stdbool.h>
#include <stdint.h>

/* A line in the log, by cz_host_log(). */
void report_log(struct cz_host *host, enum cz_log_level level,
		const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Sets host->why, and returns false: for a function that fails. */
bool report_fail(struct cz_host *host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For %llu and %llx. */
static inline unsigned long long ull(uint64_t value)
{
	return value;
}

#endif
