/* SPDX-License-Identifier: MIT */
/*
 * Test results on the serial line, as KTAP: a version line, a plan where it is
 * known, one line a result, diagnostics behind '#'.
 */
#ifndef KERNEL_KTAP_H
#define KERNEL_KTAP_H

#include <stdbool.h>

/* Prints "KTAP version 1". `count` 0: the plan follows at the end. */
void ktap_begin(unsigned count);
/* "ok N - name" or "not ok N - name"; returns `passed`. */
bool ktap_result(bool passed, const char *name);
/* "ok N - name # SKIP reason" */
void ktap_skip(const char *name, const char *reason);
/* Plan if it was open, totals; the number of failures. */
unsigned ktap_end(void);

#endif
