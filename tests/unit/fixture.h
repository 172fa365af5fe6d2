/* SPDX-License-Identifier: MIT */
/* What all groups of tests share: the fixture, assertions and the list of
 * groups. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* cmocka.h needs the four headers above. */
#include <cmocka.h>

/* A simulated machine with the library on it: the state of a cmocka test. */
struct fixture {
	struct cz_host sim;
	struct cz cz;
	struct cz_config config;
	bool started;
};

int fixture_setup(void **state);
int fixture_setup_started(void **state);
int fixture_teardown(void **state);

/* Calls cz_init(), which reads the tables that are in RAM now; calls
 * cz_fini() if that has succeeded. */
cz_status fixture_start(struct fixture *fixture);
void fixture_stop(struct fixture *fixture);

/* Fails the test unless cz_init() returns `due` and logs the text. `due` may be
 * CZ_OK. */
void fixture_refused(struct fixture *fixture, cz_status due, const char *text);

#define assert_status(status, due) \
	assert_status_at((status), (due), __FILE__, __LINE__)
void assert_status_at(cz_status status, cz_status due, const char *file,
		      int line);

/* Deadlines. SOON passes while a test holds a call in firmware. LATER leaves
 * enough time for any other call. */
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
