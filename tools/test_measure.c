/* SPDX-License-Identifier: MIT */
/* Tests how the tools read good and malformed serial logs, and check bounds. */
#include "bounds.h"
#include "rows.h"

#include <inttypes.h>
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
	"masked_max_ns=0 masked_mean_ns=0\n"

#define SWEEP(mode, phase, samples)                           \
	"cell kind=sweep mode=" mode " phase=" phase          \
	" rate_hz=0 value_bytes=0 samples=" samples           \
	" missed=0 calls=1 call_mean_ns=100 call_max_ns=100 " \
	"masked_max_ns=0 masked_mean_ns=0\n"

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
	/* Half of the samples are 500.5, so this is the 501st, which has the
	 * value 500 because 1 now counts twice. */
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
		CELL("direct", "gettime", "0"),
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
	raw = find_cost(all, PHASE_SETVARIABLE, WAY_RAW);
	assert_non_null(raw);
	assert_int_equal(raw->calls, 3);
	assert_int_equal(cost_mean(raw), 20);
	assert_int_equal(cost_least(raw), 10);
	assert_int_equal(cost_most(raw), 30);
	assert_null(find_cost(all, PHASE_SETVARIABLE, WAY_DIRECT));
	assert_false(read_text(
		all, "cost service=setvariable how=raw value_bytes=1024 "
		     "first=2 ns=31\n"));
}

#define SERVICE(name, calls, most)                                        \
	"service name=" name " calls=" calls " mask=2 state=0 "           \
	"identification=0 system=0 cache=0 translation=0 wait=0 timer=0 " \
	"secure_call=1 alignment=0 masked_ns=70 masked_max_ns=" most      \
	" secure_calls=1 secure_ns=9\n"

static void services_add_up(void **state)
{
	struct measurements *all = calloc(1, sizeof(*all));

	(void)state;
	assert_non_null(all);
	assert_true(read_text(all, SERVICE("GetTime", "3", "40")));
	assert_true(read_text(all, SERVICE("SetVariable", "1", "10")));
	assert_true(read_text(all, SERVICE("GetTime", "4", "30")));
	assert_int_equal(all->service_count, 2);
	assert_int_equal(all->services[0].figures[TRAP_CALLS], 7);
	assert_int_equal(all->services[0].figures[TRAP_MASK], 4);
	assert_int_equal(all->services[0].figures[TRAP_MASKED_NS], 140);
	assert_int_equal(all->services[0].figures[TRAP_MASKED_MAX_NS], 40);
	assert_false(read_text(all, "service name=GetTime calls=1\n"));
	assert_false(read_text(all, "service calls=1\n"));
	measurements_free(all);
	free(all);
}

static void rows_are_ordered(void **state)
{
	struct measurements *all = *state;
	static struct row rows[MAX_ROWS];

	assert_true(
		read_text(all, CELL("direct", "gettime", "1") "hist 7:1\n"));
	assert_true(read_text(all, CELL("direct", "idle", "1") "hist 5:1\n"));
	assert_true(
		read_text(all, CELL("blocking", "gettime", "1") "hist 9:1\n"));
	assert_true(
		read_text(all, SWEEP("direct", "gettime", "1") "hist 8:1\n"));
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
	/* Without measurements, three bounds hold: no period was missed in
	 * either gate, and no cell has too few samples. */
	assert_int_equal(failing, count - 3);
}

/* ---- bounds: a run in which all hold, and runs with one figure changed
 * ---- */

struct run {
	/* The worst wake-up in ns: of dithered samples at 1 kHz and at 10 kHz,
	 * and of the sweep. */
	uint64_t control[3], gettime[3], getvariable[3], setvariable[3];
	uint64_t mask[3], masked_mean, masked_max; /* mask[2]: in the sandbox */
	uint64_t blocking[2];
	uint64_t lacking; /* missing samples of direct, getvariable, 10 kHz */
	uint64_t missed, missed_blocking, missed_sweep;
	uint64_t get_raw, get_queue, set_raw, set_queue;
	uint64_t get_first; /* what the first GetTime takes more than raw */
	const char *gate; /* the gate with these figures; the other is good */
};

static const struct run good_run = {
	.control = {480, 496, 496},
	.gettime = {480, 496, 480},
	.getvariable = {480, 496, 496},
	.setvariable = {496, 480, 496},
	.mask = {496, 536, 496},
	.masked_mean = 5049999,
	.masked_max = 4950001,
	.blocking = {900000, 500000},
	.missed_blocking = 8000,
	.get_raw = 100,
	.get_queue = 1600,
	.set_raw = 1000000,
	.set_queue = 1020000,
};

static uint64_t masked_max, masked_mean;

/* Writes a cell. A rate_hz of 0 means a sweep, which has 50 samples. */
static void write_cell(FILE *log, const char *mode, const char *phase,
		       uint64_t rate_hz, uint64_t worst_ns, uint64_t missed,
		       uint64_t lacking)
{
	uint64_t samples = (rate_hz == 0 ? 50 : rate_hz) - lacking;

	fprintf(log,
		"cell kind=%s mode=%s phase=%s rate_hz=%" PRIu64
		" value_bytes=0 samples=%" PRIu64 " missed=%" PRIu64
		" calls=10 call_mean_ns=100 call_max_ns=200 "
		"masked_max_ns=%" PRIu64 " masked_mean_ns=%" PRIu64 "\n",
		rate_hz == 0 ? "sweep" : "dither", mode, phase, rate_hz,
		samples, missed, masked_max, masked_mean);
	fprintf(log, "hist 16:%" PRIu64 " %" PRIu64 ":1\n", samples - 1,
		worst_ns);
}

static void write_phase(FILE *log, const char *gate, const char *phase,
			const uint64_t worst[3], const struct run *run)
{
	bool last = strcmp(phase, "setvariable") == 0;
	bool short_of = strcmp(phase, "getvariable") == 0;

	write_cell(log, gate, phase, 1000, worst[0], 0, 0);
	write_cell(log, gate, phase, 10000, worst[1], last ? run->missed : 0,
		   short_of ? run->lacking : 0);
	if (worst[2] != 0) {
		write_cell(log, gate, phase, 0, worst[2],
			   last ? run->missed_sweep : 0, 0);
	}
}

/* Writes the cells of the driver that masks interrupts, which it can do only in
 * the direct gate. */
static void write_mask(FILE *log, const char *gate, const struct run *run)
{
	static const uint64_t masked[3] = {4900000, 4999999, 0};
	bool sandboxed = strcmp(gate, "sandbox") == 0;

	masked_max = run->masked_max;
	masked_mean = run->masked_mean;
	if (sandboxed) {
		write_phase(log, gate, "mask", run->mask, run);
	} else {
		write_phase(log, gate, "mask",
			    run->mask[0] > 1000 ? run->mask : masked, run);
	}
	masked_max = masked_mean = 0;
}

static void write_gate(FILE *log, const char *gate, const struct run *run)
{
	write_phase(log, gate, "control", run->control, run);
	write_phase(log, gate, "gettime", run->gettime, run);
	write_phase(log, gate, "getvariable", run->getvariable, run);
	write_phase(log, gate, "setvariable", run->setvariable, run);
	write_mask(log, gate, run);
}

static void write_cost(FILE *log, const char *service, const char *how,
		       uint64_t first_ns, uint64_t ns)
{
	if (ns != 0) {
		fprintf(log,
			"cost service=%s how=%s value_bytes=0 first=0 "
			"ns=%" PRIu64 ",%" PRIu64 "\n",
			service, how, first_ns, ns);
	}
}

static void measure_run(struct measurements *into, const struct run *run)
{
	const char *gate = run->gate == NULL ? "direct" : run->gate;
	const char *other = strcmp(gate, "direct") == 0 ? "sandbox" : "direct";
	char *text;
	size_t length;
	FILE *log = open_memstream(&text, &length);

	assert_non_null(log);
	write_gate(log, gate, run);
	write_gate(log, other, &good_run);
	write_cell(log, "blocking", "setvariable", 1000, run->blocking[0], 0,
		   0);
	write_cell(log, "blocking", "setvariable", 10000, run->blocking[1],
		   run->missed_blocking, 0);
	write_cost(log, "gettime", "raw", 50, run->get_raw);
	write_cost(log, "gettime", gate, 50 + run->get_first, run->get_queue);
	write_cost(log, "gettime", other, 50, run->get_raw + 1);
	write_cost(log, "setvariable", "raw", 50, run->set_raw);
	write_cost(log, "setvariable", gate, 50, run->set_queue);
	write_cost(log, "setvariable", other, 50, run->set_raw);
	fclose(log);
	assert_true(read_text(into, text));
	free(text);
}

typedef size_t bounds_function(const struct measurements *measurements,
			       struct bound bounds[MAX_BOUNDS]);

/* Expects that exactly `due` bounds fail, and that all of them contain
 * `words`. */
static void expect_failures(bounds_function *check, const struct run *run,
			    const char *words, size_t due)
{
	struct measurements *all = calloc(1, sizeof(*all));
	struct bound bounds[MAX_BOUNDS];
	size_t count, failing = 0;

	assert_non_null(all);
	measure_run(all, run);
	count = check(all, bounds);
	for (size_t i = 0; i < count; i++) {
		if (!bounds[i].holds) {
			failing++;
			assert_non_null(words);
			assert_non_null(strstr(bounds[i].text, words));
		}
	}
	assert_int_equal(failing, due);
	measurements_free(all);
	free(all);
}

static void expect_failing(bounds_function *check, const struct run *run,
			   const char *words)
{
	expect_failures(check, run, words, words == NULL ? 0 : 1);
}

static void a_good_run_holds_every_bound(void **state)
{
	struct run run = good_run;

	(void)state;
	expect_failing(check_bounds, &run, NULL);
	expect_failing(check_sweep_bounds, &run, NULL);
	/* Exactly at the limit: 1.05 x 496 plus one tick. */
	run.gettime[1] = 536;
	run.setvariable[0] = 536;
	run.getvariable[2] = 536;
	run.missed_sweep = 3;
	expect_failing(check_bounds, &run, NULL);
	run = (struct run){.control = {1500, 1500, 1500},
			   .gettime = {1591, 1591, 1591},
			   .getvariable = {1591, 1591, 1591},
			   .setvariable = {1591, 1591, 1591},
			   .blocking = {500000, 500000},
			   .get_raw = 1,
			   .get_queue = 1501,
			   .set_raw = 100,
			   .set_queue = 102};
	expect_failing(check_bounds, &run, NULL);
	expect_failing(check_sweep_bounds, &run, NULL);
}

#define EXPECT_IN(gate_, figure, value, words)                 \
	do {                                                   \
		struct run changed = good_run;                 \
		changed.figure = (value);                      \
		changed.gate = gate_;                          \
		expect_failing(check_bounds, &changed, words); \
	} while (0)
#define EXPECT(figure, value, words) EXPECT_IN("direct", figure, value, words)
#define EXPECT_SANDBOX(figure, value, words) \
	EXPECT_IN("sandbox", figure, value, words)

static void each_bound_is_flagged(void **state)
{
	(void)state;
	EXPECT(control[0], 1501, "control, direct, 1 kHz: worst");
	EXPECT(control[1], 1501, "control, direct, 10 kHz: worst");
	EXPECT(gettime[0], 537, "gettime, direct, 1 kHz: worst");
	EXPECT(gettime[1], 537, "gettime, direct, 10 kHz: worst");
	EXPECT(getvariable[0], 537, "getvariable, direct, 1 kHz: worst");
	EXPECT(getvariable[1], 537, "getvariable, direct, 10 kHz: worst");
	EXPECT(setvariable[0], 537, "setvariable, direct, 1 kHz: worst");
	EXPECT(setvariable[1], 537, "setvariable, direct, 10 kHz: worst");
	EXPECT(missed, 1, "direct: 1 of 44,000 periods missed");
	EXPECT(lacking, 1, "samples: 1 of 20 cells have fewer");
	EXPECT(control[2], 0, "swept tick by tick, direct: control 0,");
	EXPECT(gettime[2], 0, "swept tick by tick");
	EXPECT(getvariable[2], 0, "swept tick by tick");
	EXPECT(setvariable[2], 0, "exit of setvariable 0");
	EXPECT(blocking[0], 499999, "setvariable, blocking, 1 kHz");
	EXPECT(blocking[1], 499999, "setvariable, blocking, 10 kHz");
	EXPECT(get_queue, 1617,
	       "cost of gettime, direct: 758 instructions more than raw, mean "
	       "of 2 calls, at most 1500; the worst reads 1517");
	EXPECT(get_queue, 0, "cost of gettime, direct: not measured both ways");
	EXPECT(set_queue, 1020001, "cost of setvariable, 0 bytes, direct");
	EXPECT(set_queue, 0, "cost of setvariable, direct: not measured");
}

/* Each call may read a tick more than the limit, but not all of them. */
static void the_mean_cost_is_flagged(void **state)
{
	struct run run = good_run;

	(void)state;
	run.get_queue = run.get_raw + 1516;
	run.get_first = 1485;
	expect_failing(check_bounds, &run, NULL);
	run.get_first = 1486;
	expect_failing(check_bounds, &run, "cost of gettime, direct: 1501");
}

static void each_bound_of_the_sandbox_is_flagged(void **state)
{
	(void)state;
	EXPECT_SANDBOX(control[0], 1501, "control, sandbox, 1 kHz: worst");
	EXPECT_SANDBOX(gettime[1], 537, "gettime, sandbox, 10 kHz: worst");
	EXPECT_SANDBOX(getvariable[0], 537, "getvariable, sandbox, 1 kHz");
	EXPECT_SANDBOX(setvariable[1], 537, "setvariable, sandbox, 10 kHz");
	EXPECT_SANDBOX(mask[0], 537, "mask, sandbox, 1 kHz: worst");
	EXPECT_SANDBOX(mask[1], 537, "mask, sandbox, 10 kHz: worst");
	EXPECT_SANDBOX(missed, 1, "sandbox: 1 of 55,000 periods missed");
	EXPECT_SANDBOX(mask[2], 0, "swept tick by tick, sandbox");
	EXPECT_SANDBOX(get_queue, 2117, "cost of gettime, sandbox: 1008");
	EXPECT_SANDBOX(set_queue, 1020001,
		       "cost of setvariable, 0 bytes, sand");
}

/* Each failure appears at both rates. */
static void the_mask_driver_is_held_to_what_it_does(void **state)
{
	struct run run = good_run;

	(void)state;
	run.gate = "sandbox";
	run.masked_mean = 5050001;
	expect_failures(check_bounds, &run, "mask, sandbox,", 2);
	run = good_run;
	run.gate = "sandbox";
	run.masked_max = 4949999;
	expect_failures(check_bounds, &run, "mask, sandbox,", 2);
	run = good_run;
	run.mask[0] = run.mask[1] = 4899999;
	expect_failures(check_bounds, &run, "mask works: direct", 2);
}

/* At 1 kHz and at 10 kHz, the reported worst is the larger one of the worst
 * sample and the worst point of the sweep. */
static void the_worst_includes_the_sweep(void **state)
{
	struct run run = good_run;
	struct measurements *all = *state;
	struct bound bounds[MAX_BOUNDS];
	size_t failing = 0, count;

	run.getvariable[2] = 537;
	expect_failing(check_sweep_bounds, &run,
		       "getvariable, direct, every tick: worst");
	measure_run(all, &run);
	count = check_bounds(all, bounds);
	for (size_t i = 0; i < count; i++) {
		failing += !bounds[i].holds;
	}
	assert_int_equal(failing, 2);
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
	assert_string_equal(write_rate(text, 0), "every tick");
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
		cmocka_unit_test(a_good_run_holds_every_bound),
		cmocka_unit_test(each_bound_is_flagged),
		cmocka_unit_test(the_mean_cost_is_flagged),
		cmocka_unit_test(each_bound_of_the_sandbox_is_flagged),
		cmocka_unit_test(the_mask_driver_is_held_to_what_it_does),
		cmocka_unit_test(services_add_up),
		cmocka_unit_test_setup_teardown(the_worst_includes_the_sweep,
						start, stop),
		cmocka_unit_test(figures_are_legible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
