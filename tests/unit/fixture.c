/* SPDX-License-Identifier: MIT */
/* The fixture of most tests: a simulated machine with the library on it. */
#include "fixture.h"

#include "interleave.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT_S 240

int bench_setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	interleave_at(NULL, 0, NULL, NULL);
	sim_host_start(&bench->sim);
	sim_firmware_start(&bench->sim);
	bench->config = sim_config(&bench->sim);
	*state = bench;
	return 0;
}

cz_status bench_start(struct bench *bench)
{
	cz_status status = cz_init(&bench->cz, &bench->config);

	bench->started = status == CZ_OK;
	return status;
}

int bench_setup_started(void **state)
{
	bench_setup(state);
	assert_status(bench_start(*state), CZ_OK);
	return 0;
}

void bench_stop(struct bench *bench)
{
	if (bench->started) {
		sim_release_hold(&bench->sim);
		cz_fini(&bench->cz);
		bench->started = false;
	}
}

int bench_teardown(void **state)
{
	struct bench *bench = *state;

	bench_stop(bench);
	assert_true(sim_is_clean(&bench->sim));
	sim_host_stop(&bench->sim);
	free(bench);
	return 0;
}

void bench_refused(struct bench *bench, cz_status due, const char *text)
{
	cz_status status;

	bench->config.memory_map_size_bytes =
		bench->sim.entry_count * bench->sim.stride;
	bench->config.descriptor_size_bytes = bench->sim.stride;
	sim_write_map(&bench->sim);
	sim_forget_log(&bench->sim);
	status = bench_start(bench);
	if (status != due || !sim_logged(&bench->sim, text)) {
		print_error("cz_init: %s instead of %s, wanted: %s\nlog:\n%s",
			    cz_status_name(status), cz_status_name(due), text,
			    bench->sim.log);
	}
	assert_true(status == due);
	assert_true(sim_logged(&bench->sim, text));
	bench_stop(bench);
	assert_true(sim_is_clean(&bench->sim));
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

/* With a pattern, the tests whose names match it: `unit 'by_*'`. */
int main(int argc, char **argv)
{
	int failed = 0;

	/* A test that waits for ever ends here: the last one named. */
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
