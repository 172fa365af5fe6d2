/* SPDX-License-Identifier: MIT */
/* What the tools make of serial logs, good and malformed. */
#include "bounds.h"
#include "rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CELL(mode, phase, samples)                             \
	"cell kind=dither mode=" mode " phase=" phase          \
	" rate_hz=10000 value_bytes=0 samples=" samples        \
	" missed=0 calls=10 call_mean_ns=100 call_max_ns=200 " \
	"masked_max_ns=0\n"

#define SWEEP(mode, phase, samples)                           \
	"cell kind=sweep mode=" mode " phase=" phase          \
	" rate_hz=0 value_bytes=0 samples=" samples           \
	" missed=0 calls=1 call_mean_ns=100 call_max_ns=100 " \
	"masked_max_ns=0\n"

static bool read_text(struct measurements *into, const char *text)
{
	FILE *log = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	bool well;

	assert_non_null(log);
	well = measurements_read(into, log, "text");
	fclose(log);
	return well;
}

static int start(void **state)
{
	*state = calloc(1, sizeof(struct measurements));
	return *state == NULL ? -1 : 0;
}

static int stop(void **state)
{
	measurements_free(*state);
	free(*state);
	return 0;
}

static void percentiles_are_of_the_nearest_rank(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	assert_int_equal(histogram_percentile(&histogram, 500), 0);
	for (uint64_t ns = 1000; ns > 0; ns--) {
		assert_true(histogram_add(&histogram, ns, 1));
	}
	assert_int_equal(histogram_percentile(&histogram, 500), 500);
	assert_int_equal(histogram_percentile(&histogram, 990), 990);
	assert_int_equal(histogram_percentile(&histogram, 999), 999);
	assert_int_equal(histogram_percentile(&histogram, 1000), 1000);
	assert_int_equal(histogram_max(&histogram), 1000);
	assert_true(histogram_add(&histogram, 1, 1));
	assert_int_equal(histogram.bin_count, 1000);
	assert_int_equal(histogram.samples, 1001);
	/* 500.5 samples: the 501st, which is 500 now that 1 counts twice. */
	assert_int_equal(histogram_percentile(&histogram, 500), 500);
	free(histogram.bins);
}

static void boots_add_up(void **state)
{
	struct measurements *all = *state;
	const struct cell *cell;

	assert_true(read_text(all, "firmware noise\r\nkernel: up\r\n"));
	assert_true(read_text(
		all, CELL("direct", "gettime", "3") "hist 320:2 336:1\r\n"));
	assert_true(
		read_text(all, CELL("direct", "gettime",
				    "2") "hist 320:1\nhist 400:1\nexit: 0\n"));
	assert_true(read_text(
		all, SWEEP("direct", "gettime", "2") "hist 16:1 512:1\n"));
	cell = find_cell(all, MODE_DIRECT, PHASE_GETTIME, 10000);
	assert_non_null(cell);
	assert_int_equal(cell->histogram.samples, 5);
	assert_int_equal(cell->histogram.bins[0].count, 3);
	assert_int_equal(cell->calls, 20);
	assert_int_equal(histogram_max(&cell->histogram), 400);
	assert_int_equal(worst_ns(all, cell), 512);
	assert_null(find_cell(all, MODE_BLOCKING, PHASE_GETTIME, 10000));
}

static void malformed_lines_are_refused(void **state)
{
	static const char *const texts[] = {
		"hist 1:1\n",
		CELL("sideways", "gettime", "1") "hist 1:1\n",
		CELL("direct", "gettime", "2") "hist 1:1\n",
		CELL("direct", "gettime", "1") "hist 1:2\n",
		CELL("direct", "gettime", "1") "hist 1:1,\n",
		CELL("direct", "gettime", "1") "hist 1\n",
		CELL("direct", "gettime", "1") "hist 1:-1\n",
		CELL("direct", "gettime", "1x") "hist 1:1\n",
		CELL("direct", "gettime", "99999999999999999999"),
		"cell kind=dither\n",
		"cost service=gettime how=raw value_bytes=0 first=0\n",
		"cost service=gettime how=raw value_bytes=0 first=0 ns=1,\n",
		"cost service=gettime how=raw value_bytes=0 first=0 ns=1;\n",
		"cost service=gettime how=raw value_bytes=0 first=4096 ns=1\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct measurements *fresh = calloc(1, sizeof(*fresh));

		assert_non_null(fresh);
		assert_false(read_text(fresh, texts[i]));
		measurements_free(fresh);
		free(fresh);
	}
}

static void costs_are_series(void **state)
{
	struct measurements *all = *state;
	const struct cost *raw;

	assert_true(read_text(
		all, "cost service=setvariable how=raw value_bytes=1024 "
		     "first=0 ns=10,20\n"
		     "cost service=setvariable how=raw value_bytes=1024 "
		     "first=2 ns=30\n"));
	raw = find_cost(all, PHASE_SETVARIABLE, true);
	assert_non_null(raw);
	assert_int_equal(raw->calls, 3);
	assert_int_equal(cost_mean(raw), 20);
	assert_int_equal(cost_least(raw), 10);
	assert_int_equal(cost_most(raw), 30);
	assert_null(find_cost(all, PHASE_SETVARIABLE, false));
	assert_false(read_text(
		all, "cost service=setvariable how=raw value_bytes=1024 "
		     "first=2 ns=31\n"));
}

static void rows_are_ordered(void **state)
{
	struct measurements *all = *state;
	static struct row rows[MAX_ROWS];

	assert_true(read_text(
		all,
		CELL("direct", "gettime", "1") "hist 7:1\n" CELL(
			"direct", "idle",
			"1") "hist 5:1\n" CELL("blocking", "gettime",
					       "1") "hist 9:1\n" SWEEP("direct",
								       "gettim"
								       "e",
								       "1") "hi"
									    "st"
									    " 8"
									    ":1"
									    "\n"));
	assert_int_equal(make_rows(all, rows), 3);
	assert_int_equal(rows[0].mode, MODE_BLOCKING);
	assert_int_equal(rows[1].phase, PHASE_IDLE);
	assert_int_equal(rows[2].p50_ns, 7);
	assert_int_equal(rows[2].max_ns, 8);
	assert_int_equal(rows[2].raw_mean_ns, NOT_MEASURED);
}

static void nothing_measured_holds_no_bound(void **state)
{
	struct bound bounds[MAX_BOUNDS];
	size_t failing = 0, count = check_bounds(*state, bounds);

	for (size_t i = 0; i < count; i++) {
		failing += !bounds[i].holds;
	}
	/* Nothing was missed, and no cell is short, where there is none. */
	assert_int_equal(failing, count - 2);
}

static void figures_are_legible(void **state)
{
	char text[FIGURE_SIZE];

	(void)state;
	assert_string_equal(write_number(text, 0), "0");
	assert_string_equal(write_number(text, 999), "999");
	assert_string_equal(write_number(text, 1234567), "1,234,567");
	assert_string_equal(write_number(text, NOT_MEASURED), "-");
	assert_string_equal(write_us(text, 1234567), "1,234.567");
	assert_string_equal(write_us(text, 16), "0.016");
	assert_string_equal(write_rate(text, 10000), "10 kHz");
	assert_string_equal(write_rate(text, 1500), "1500 Hz");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_of_the_nearest_rank),
		cmocka_unit_test_setup_teardown(boots_add_up, start, stop),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test_setup_teardown(costs_are_series, start, stop),
		cmocka_unit_test_setup_teardown(rows_are_ordered, start, stop),
		cmocka_unit_test_setup_teardown(nothing_measured_holds_no_bound,
						start, stop),
		cmocka_unit_test(figures_are_legible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
