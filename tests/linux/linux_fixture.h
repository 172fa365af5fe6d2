/* SPDX-License-Identifier: MIT */
/* Shared by the tests of the Linux front ends: the unit tests' simulated
 * machine with the library on it, and firmware that lists the names that a test
 * sets. */
#ifndef LINUX_FIXTURE_H
#define LINUX_FIXTURE_H

#include "../unit/sim.h"
#include "efivars/efivars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* cmocka.h needs the four headers above. */
#include <cmocka.h>

struct linux_fixture {
	struct cz_host sim;
	struct cz cz;
	struct cz_config config;
};

int linux_setup(void **state);
int linux_teardown(void **state);

#define LINUX(test) \
	cmocka_unit_test_setup_teardown(test, linux_setup, linux_teardown)

/* Returns a limit that ends five seconds from now. */
struct efivars_limit later(void);

/* A limit that ends as soon as firmware holds a call, so that the call outlasts
 * its caller. */
struct outlasted {
	struct efivars_limit limit;
	struct linux_fixture *fixture;
};
void be_outlasted(struct outlasted *outlasted, struct linux_fixture *fixture);

/* Returns the name of the variable that a file name stands for. */
struct efivars_name named(const char *file_name);

/* Stores a variable in the simulated firmware. */
void put_variable(struct linux_fixture *fixture, const char *file_name,
		  uint32_t attributes, const void *value, uint32_t size);
const struct sim_variable *get_variable(struct linux_fixture *fixture,
					const char *file_name);

#define GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define OTHER "ca35e17c-0de5-4ab7-9d3c-010203040506"

int group_name(void);
int group_rules(void);
int group_efivars(void);
int group_tree(void);
int group_fuse(void);

#endif
