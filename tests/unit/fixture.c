/* SPDX-License-Identifier: MIT */
/* The fixture of most tests: a simulated machine with the library on it. */
#include "fixture.h"

#include "interleave.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT_S 240

int fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	interleave_at(NULL, 0, NULL, NULL);
	sim_host_start(&fixture->sim);
	sim_firmware_start(&fixture->sim);
	fixture->config = sim_config(&fixture->sim);
	*state = fixture;
	return 0;
}

cz_status fixture_start(struct fixture *fixture)
{
	cz_status status = cz_init(&fixture->cz, &fixture->config);

	fixture->started = status == CZ_OK;
	return status;
}

int fixture_setup_started(void **state)
{
	fixture_setup(state);
	assert_status(fixture_start(*state), CZ_OK);
	return 0;
}

void fixture_stop(struct fixture *fixture)
{
	if (fixture->started) {
		sim_release_hold(&fixture->sim);
		cz_fini(&fixture->cz);
		fixture->started = false;
	}
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture_stop(fixture);
	assert_true(sim_is_clean(&fixture->sim));
	sim_host_stop(&fixture->sim);
	free(fixture);
	return 0;
}

void fixture_refused(struct fixture *fixture, cz_status due, const char *text)
{
	cz_status status;

	fixture->config.memory_map_size_bytes =
		fixture->sim.entry_count * fixture->sim.stride;
	fixture->config.descriptor_size_bytes = fixture->sim.stride;
	sim_write_map(&fixture->sim);
	sim_forget_log(&fixture->sim);
	status = fixture_start(fixture);
	if (status != due || !sim_logged(&fixture->sim, text)) {
		print_error("cz_init: %s instead of %s, wanted: %s\nlog:\n%s",
			    cz_status_name(status), cz_status_name(due), text,
			    fixture->sim.log);
	}
	assert_true(status == due);
	assert_true(sim_logged(&fixture->sim, text));
	fixture_stop(fixture);
	assert_true(sim_is_clean(&fixture->sim));
}

void assert_status_at(cz_status status, cz_status due, const char *file,
		      int line)
{
	if (status != due) {
		print_error("%s instead of %s\n", cz_status_name(status),
			    cz_status_name(due));
	}
	_assert_true(status == due, "status", file, line);
}

/* Runs all tests, or those whose names match a pattern: `unit 'by_*'`. */
int main(int argc, char **argv)
{
	int failed = 0;

	/* SIGALRM ends a run in which a test waits for ever. That test is the
	 * last one that cmocka has named. */
	alarm(LIMIT_S);
	if (argc > 1) {
		cmocka_set_test_filter(argv[1]);
	}
	failed += group_report();
	failed += group_memmap();
	failed += group_tables();
	failed += group_memattr();
	failed += group_regions();
	failed += group_images();
	failed += group_init();
	failed += group_services();
	failed += group_arguments();
	failed += group_requests();
	failed += group_trouble();
	failed += group_now();
	failed += group_model();
	failed += group_selftest();
	printf("%s: %d failed\n", failed == 0 ? "passed" : "FAILED", failed);
	return failed == 0 ? 0 : 1;
}
