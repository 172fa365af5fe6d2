/* SPDX-License-Identifier: MIT */
/* What the groups of tests share: the fixture, assertions, the groups. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* After those four. */
#include <cmocka.h>

/* A machine with its library: the state of a cmocka fixture. */
struct fixture {
	struct cz_host sim;
	struct cz cz;
	struct cz_config config;
	bool started;
};

int fixture_setup(void **state);
int fixture_setup_started(void **state);
int fixture_teardown(void **state);

/* cz_init() with what is in RAM now, and cz_fini(). */
cz_status fixture_start(struct fixture *fixture);
void fixture_stop(struct fixture *fixture);

/* Fails the test unless cz_init() returns `due` and logs the text. */
void fixture_refused(struct fixture *fixture, cz_status due, const char *text);

#define assert_status(status, due) \
	assert_status_at((status), (due), __FILE__, __LINE__)
void assert_status_at(cz_status status, cz_status due, const char *file,
		      int line);

/* Deadlines: sooner than a held call ends, later than any other takes. */
#define SOON (cz_host_now_ns(NULL) + 20000000ull)
#define LATER (cz_host_now_ns(NULL) + 5000000000ull)

#define FRESH(test) \
	cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define STARTED(test)                                                \
	cmocka_unit_test_setup_teardown(test, fixture_setup_started, \
					fixture_teardown)

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
