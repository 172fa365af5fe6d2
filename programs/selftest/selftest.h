/* SPDX-License-Identifier: MIT */
/* The parts of the self-test; each prints KTAP results. */
#ifndef PROGRAMS_SELFTEST_H
#define PROGRAMS_SELFTEST_H

#include <caesura/caesura.h>

/* The kernel's scheduler, mutexes, completions, FP sections, spaces. */
void test_threads(void);

/* Memory protection and PAN. */
void test_memory(void);

/* Several CPUs: placing, pinning, waking, invalidating. */
void test_cpus(void);

/* Every service except ResetSystem and those for variables. */
void test_services(void);

/* Variables: the rules of the specification, and malformed arguments. */
void test_variables(void);

/* The queue: deadlines, order, cancelling, withdrawing. */
void test_requests(void);

/* Calls outside the queue. */
void test_now(void);

/* Prints a result that passes when `status` equals `due`; otherwise logs the
 * status. */
void test_status(cz_status status, cz_status due, const char *name);

#endif
