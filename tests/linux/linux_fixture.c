/* SPDX-License-Identifier: MIT */
/* The fixture of the Linux front ends' tests, and their main(). */
#include "linux_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_S 240

int linux_setup(void **state)
{
	struct linux_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	sim_host_start(&fixture->sim);
	sim_firmware_start(&fixture->sim);
	fixture->config = sim_config(&fixture->sim);
	fixture->config.max_requests = 8;
	fixture->config.max_data_bytes = EFIVARS_MAX_READ_BYTES;
	assert_true(cz_init(&fixture->cz, &fixture->config) == CZ_OK);
	*state = fixture;
	return 0;
}

int linux_teardown(void **state)
{
	struct linux_fixture *fixture = *state;

	sim_release_hold(&fixture->sim);
	cz_fini(&fixture->cz);
	assert_true(sim_is_clean(&fixture->sim));
	sim_host_stop(&fixture->sim);
	free(fixture);
	return 0;
}

struct efivars_limit later(void)
{
	return (struct efivars_limit){.deadline_ns = cz_host_now_ns(NULL) +
						     5000000000ull};
}

/* The waiting caller polls this function. It ends the limit once firmware holds
 * the call. */
static bool let_it_pass(void *argument)
{
	struct outlasted *outlasted = argument;

	if (__atomic_load_n(&outlasted->fixture->sim.entered_hold,
			    __ATOMIC_SEQ_CST)) {
		outlasted->limit.deadline_ns = cz_host_now_ns(NULL);
	}
	return false;
}

void be_outlasted(struct outlasted *outlasted, struct linux_fixture *fixture)
{
	outlasted->fixture = fixture;
	outlasted->limit = (struct efivars_limit){
		.deadline_ns = CZ_FOREVER,
		.interrupted = let_it_pass,
		.argument = outlasted,
	};
}

struct efivars_name named(const char *file_name)
{
	struct efivars_name name;

	assert_int_equal(efivars_parse_name(file_name, &name), 0);
	return name;
}

static struct sim_variable *find(struct linux_fixture *fixture,
				 const struct efivars_name *name)
{
	for (uint32_t i = 0; i < SIM_MAX_VARIABLES; i++) {
		struct sim_variable *variable = &fixture->sim.variables[i];
		size_t units = 0;

		while (name->units[units] != 0) {
			units++;
		}
		if (variable->size != 0 &&
		    efivars_guid_equal(&variable->guid, &name->guid) &&
		    memcmp(variable->name, name->units, (units + 1) * 2) == 0) {
			return variable;
		}
	}
	return NULL;
}

const struct sim_variable *get_variable(struct linux_fixture *fixture,
					const char *file_name)
{
	struct efivars_name name = named(file_name);

	return find(fixture, &name);
}

void put_variable(struct linux_fixture *fixture, const char *file_name,
		  uint32_t attributes, const void *value, uint32_t size)
{
	struct efivars_name name = named(file_name);
	struct sim_variable *variable = find(fixture, &name);

	for (uint32_t i = 0; variable == NULL; i++) {
		assert_in_range(i, 0, SIM_MAX_VARIABLES - 1);
		if (fixture->sim.variables[i].size == 0) {
			variable = &fixture->sim.variables[i];
		}
	}
	memcpy(variable->name, name.units, sizeof(variable->name));
	variable->guid = name.guid;
	variable->attributes = attributes;
	variable->size = size;
	memcpy(variable->data, value, size);
}

/* An optional argument selects the tests whose names match the pattern. */
int main(int argc, char **argv)
{
	int failed = 0;

	/* Ends a test that would wait for ever. Its name is the last one
	 * printed. */
	alarm(LIMIT_S);
	if (argc > 1) {
		cmocka_set_test_filter(argv[1]);
	}
	failed += group_name();
	failed += group_rules();
	failed += group_efivars();
	failed += group_tree();
	failed += group_fuse();
	printf("%s: %d failed\n", failed == 0 ? "passed" : "FAILED", failed);
	return failed == 0 ? 0 : 1;
}
