/* SPDX-License-Identifier: MIT */
/* What the groups of tests share: the fixture, assertions, the groups. */
#ifndef BENCH_H
#define BENCH_H

#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* After those four. */
#include <cmocka.h>

/* A machine with its library: a cmocka fixture's state. */
struct bench {
	struct cz_host sim;
	struct cz cz;
	struct cz_config config;
	bool started;
};

int bench_setup(void **state);
int bench_setup_started(void **state);
int bench_teardown(void **state);

/* cz_init() with what is in RAM now; and its end. */
cz_status bench_start(struct bench *bench);
void bench_stop(struct bench *bench);

/* Fails the test unless cz_init() returns `due` and logs the text. */
void bench_refused(struct bench *bench, cz_status due, const char *text);

#define assert_status(status, due) \
	assert_status_at((status), (due), __FILE__, __LINE__)
void assert_status_at(cz_status status, cz_status due, const char *file,
		      int line);

/* Deadlines: sooner than a held call ends, later than any other takes. */
#define SOON (cz_host_now_ns(NULL) + 20000000ull)
#define LATER (cz_host_now_ns(NULL) + 5000000000ull)

#define FRESH(test) \
	cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
#define STARTED(test)                                              \
	cmocka_unit_test_setup_teardown(test, bench_setup_started, \
					bench_teardown)

int group_report(void);
int group_memmap(void);
int group_tables(void);
int group_memattr(void);
int group_regions(void);
int group_images(void);
int group_init(void);
int group_services(void);
int group_arguments(void);
int group_requests(void);
int group_trouble(void);
int group_now(void);
int group_model(void);
int group_selftest(void);

#endif
