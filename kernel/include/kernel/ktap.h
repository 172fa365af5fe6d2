/* SPDX-License-Identifier: MIT */
/*
 * Prints test results on the serial line as KTAP: a version line, the plan, one
 * line for each result, and diagnostics after '#'.
 */
#ifndef KERNEL_KTAP_H
#define KERNEL_KTAP_H

#include <stdbool.h>

/* Prints "KTAP version 1" and the plan of `count` tests. If `count` is 0,
 * ktap_end() prints the plan. */
void ktap_begin(unsigned count);
/* Prints "ok N - name" or "not ok N - name". Returns `passed`. */
bool ktap_result(bool passed, const char *name);
/* Prints "ok N - name # SKIP reason". */
void ktap_skip(const char *name, const char *reason);
/* Prints the plan, if ktap_begin() did not, and the totals. Returns the number
 * of failures. */
unsigned ktap_end(void);

#endif
