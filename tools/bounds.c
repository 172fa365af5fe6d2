/* SPDX-License-Identifier: MIT */
/*
 * Compares the measurements with the bounds. The phase "control" is the same
 * queue traffic with a service that returns at once, so the difference to it is
 * what firmware adds.
 */
#include "bounds.h"
#include "rows.h"

#include <inttypes.h>
#include <stdarg.h>

#define CONTROL_LIMIT_NS 1500
#define TICK_NS 16 /* one tick of the counter */
#define BLOCKING_LEAST_NS 500000
#define DIRECT_LIMIT_NS 1500 /* one instruction takes one nanosecond */
#define SANDBOX_LIMIT_NS 2000
#define MASKED_NS 5000000 /* for so long the driver masks interrupts */
#define MASK_LEAST_NS 4900000

static const uint64_t rates_hz[] = {1000, 10000};
static const enum phase loads[] = {
	PHASE_GETTIME,
	PHASE_GETVARIABLE,
	PHASE_SETVARIABLE,
	PHASE_MASK,
};

#define RATE_COUNT (sizeof(rates_hz) / sizeof(rates_hz[0]))
#define LOAD_COUNT (sizeof(loads) / sizeof(loads[0]))

struct checker {
	const struct measurements *of;
	struct bound *bounds;
	size_t count;
};

static void add(struct checker *checker, bool holds, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add(struct checker *checker, bool holds, const char *format, ...)
{
	struct bound *bound = &checker->bounds[checker->count];
	va_list arguments;

	if (checker->count == MAX_BOUNDS) {
		return;
	}
	checker->count++;
	bound->holds = holds;
	va_start(arguments, format);
	vsnprintf(bound->text, sizeof(bound->text), format, arguments);
	va_end(arguments);
}

/* Returns the worst wake-up of a cell. If the cell was not measured, returns
 * NOT_MEASURED and adds a bound that does not hold. */
static uint64_t worst_of(struct checker *checker, enum mode mode,
			 enum phase phase, uint64_t rate_hz)
{
	const struct cell *cell = find_cell(checker->of, mode, phase, rate_hz);
	char rate[FIGURE_SIZE];

	if (cell == NULL || cell->histogram.samples == 0) {
		add(checker, false, "%s, %s, %s: not measured",
		    mode_names[mode], phase_names[phase],
		    write_rate(rate, rate_hz));
		return NOT_MEASURED;
	}
	return worst_ns(checker->of, cell);
}

/* Returns whether the cell has to keep the bound that "control" in the same
 * gate sets. The phase "mask" has to in the sandbox only, where firmware cannot
 * mask interrupts. */
static bool is_bound(enum mode mode, enum phase phase, uint64_t rate_hz)
{
	return phase != PHASE_MASK || (mode == MODE_SANDBOX && rate_hz != 0);
}

static void check_rate(struct checker *checker, enum mode mode,
		       uint64_t rate_hz)
{
	uint64_t control = worst_of(checker, mode, PHASE_CONTROL, rate_hz);
	uint64_t limit = control + control / 20 + TICK_NS;
	char rate[FIGURE_SIZE], a[FIGURE_SIZE], b[FIGURE_SIZE];

	write_rate(rate, rate_hz);
	if (control == NOT_MEASURED) {
		return;
	}
	add(checker, control <= CONTROL_LIMIT_NS,
	    "control, %s, %s: worst wake-up %s us, at most %s",
	    mode_names[mode], rate, write_us(a, control),
	    write_us(b, CONTROL_LIMIT_NS));
	for (size_t i = 0; i < LOAD_COUNT; i++) {
		uint64_t worst;

		if (!is_bound(mode, loads[i], rate_hz)) {
			continue;
		}
		worst = worst_of(checker, mode, loads[i], rate_hz);
		if (worst != NOT_MEASURED) {
			add(checker, worst <= limit,
			    "%s, %s, %s: worst wake-up %s us, at most %s "
			    "(1.05 x control + one tick)",
			    phase_names[loads[i]], mode_names[mode], rate,
			    write_us(a, worst), write_us(b, limit));
		}
	}
}

/* Checks that no dithered period was missed; a sweep has no periods. Does not
 * count the phase "mask" in the direct gate, because no kernel at EL1 can wake
 * a thread while firmware at EL1 masks interrupts. */
static void check_missed(struct checker *checker, enum mode mode)
{
	uint64_t missed = 0, samples = 0;
	char a[FIGURE_SIZE], b[FIGURE_SIZE];

	for (size_t i = 0; i < checker->of->cell_count; i++) {
		const struct cell *cell = &checker->of->cells[i];

		if (!cell->sweep && cell->mode == mode &&
		    (mode == MODE_SANDBOX || cell->phase != PHASE_MASK)) {
			missed += cell->missed;
			samples += cell->histogram.samples;
		}
	}
	add(checker, missed == 0, "%s: %s of %s periods missed, must be none",
	    mode_names[mode], write_number(a, missed),
	    write_number(b, samples));
}

/* Checks that every cell has the samples of a second. Cells in which
 * firmware masks interrupts are exempt, because most of their expiries have
 * no sample. */
static void check_samples(struct checker *checker)
{
	size_t cells = 0, short_of = 0;

	for (size_t i = 0; i < checker->of->cell_count; i++) {
		const struct cell *cell = &checker->of->cells[i];

		if (!cell->sweep &&
		    (cell->mode != MODE_DIRECT || cell->phase != PHASE_MASK)) {
			cells++;
			short_of += cell->histogram.samples < cell->rate_hz;
		}
	}
	add(checker, short_of == 0,
	    "samples: %zu of %zu cells have fewer than 1,000 at 1 kHz or "
	    "10,000 at 10 kHz, must be none",
	    short_of, cells);
}

/* Checks that the sweep tried every tick of a call, because otherwise it may
 * have missed the worst case. */
static void check_swept(struct checker *checker, enum mode mode)
{
	uint64_t ticks[PHASE_COUNT] = {0};

	for (size_t i = 0; i < checker->of->cell_count; i++) {
		const struct cell *cell = &checker->of->cells[i];

		if (cell->sweep && cell->mode == mode) {
			ticks[cell->phase] += cell->histogram.samples;
		}
	}
	add(checker,
	    ticks[PHASE_CONTROL] > 0 && ticks[PHASE_GETTIME] > 0 &&
		    ticks[PHASE_GETVARIABLE] > 0 &&
		    ticks[PHASE_SETVARIABLE] > 0 &&
		    (mode != MODE_SANDBOX || ticks[PHASE_MASK] > 0),
	    "swept tick by tick, %s: control %" PRIu64 ", gettime %" PRIu64
	    ", getvariable %" PRIu64 ", entry and exit of setvariable %" PRIu64
	    ", mask %" PRIu64,
	    mode_names[mode], ticks[PHASE_CONTROL], ticks[PHASE_GETTIME],
	    ticks[PHASE_GETVARIABLE], ticks[PHASE_SETVARIABLE],
	    ticks[PHASE_MASK]);
}

static void check_meter(struct checker *checker)
{
	char a[FIGURE_SIZE], b[FIGURE_SIZE], rate[FIGURE_SIZE];

	for (size_t i = 0; i < RATE_COUNT; i++) {
		uint64_t worst = worst_of(checker, MODE_BLOCKING,
					  PHASE_SETVARIABLE, rates_hz[i]);

		if (worst != NOT_MEASURED) {
			add(checker, worst >= BLOCKING_LEAST_NS,
			    "the meter works: setvariable, blocking, %s: "
			    "worst wake-up %s us, at least %s",
			    write_rate(rate, rates_hz[i]), write_us(a, worst),
			    write_us(b, BLOCKING_LEAST_NS));
		}
	}
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Checks the driver that masks interrupts. In the direct gate it must be late,
 * which shows that it does mask them. In the sandbox, the recorded time must
 * agree with what the driver does. */
static void check_mask(struct checker *checker, uint64_t rate_hz)
{
	uint64_t worst = worst_of(checker, MODE_DIRECT, PHASE_MASK, rate_hz);
	const struct cell *cell =
		find_cell(checker->of, MODE_SANDBOX, PHASE_MASK, rate_hz);
	char a[FIGURE_SIZE], b[FIGURE_SIZE], rate[FIGURE_SIZE];

	write_rate(rate, rate_hz);
	if (worst != NOT_MEASURED) {
		add(checker, worst >= MASK_LEAST_NS,
		    "mask works: direct, %s: worst wake-up %s us, at least %s",
		    rate, write_us(a, worst), write_us(b, MASK_LEAST_NS));
	}
	if (cell != NULL) {
		add(checker,
		    distance(cell->masked_mean_ns, MASKED_NS) <=
				    MASKED_NS / 100 &&
			    distance(cell->masked_max_ns, MASKED_NS) <=
				    MASKED_NS / 100,
		    "mask, sandbox, %s: recorded %s us on average, within 1 %% "
		    "of %s",
		    rate, write_us(a, cell->masked_mean_ns),
		    write_us(b, MASKED_NS));
	}
}

/* Finds both measurements of a service's cost, through the queue and raw, which
 * must have the same number of calls. Otherwise adds a bound that does not
 * hold. */
static bool cost_pair(struct checker *checker, enum phase service, enum way way,
		      const struct cost **queue, const struct cost **raw)
{
	*queue = find_cost(checker->of, service, way);
	*raw = find_cost(checker->of, service, WAY_RAW);
	if (*queue == NULL || *raw == NULL ||
	    (*queue)->calls != (*raw)->calls ||
	    (*queue)->value_bytes != (*raw)->value_bytes) {
		add(checker, false, "cost of %s, %s: not measured both ways",
		    phase_names[service], way_names[way]);
		return false;
	}
	return true;
}

/*
 * All calls do the same, so their mean is exact, and the limit is for the mean.
 * A single call is read in ticks: its cost, the difference of two readings, may
 * read one tick too high, depending on where in a tick the call began.
 */
static void check_queue_cost(struct checker *checker, enum way way,
			     int64_t limit)
{
	const struct cost *queue, *raw;
	int64_t worst = INT64_MIN, sum = 0, mean;

	if (!cost_pair(checker, PHASE_GETTIME, way, &queue, &raw)) {
		return;
	}
	for (size_t i = 0; i < queue->calls; i++) {
		int64_t added = (int64_t)queue->ns[i] - (int64_t)raw->ns[i];

		sum += added;
		worst = added > worst ? added : worst;
	}
	mean = sum / (int64_t)queue->calls;
	add(checker, mean <= limit && worst <= limit + TICK_NS,
	    "cost of gettime, %s: %" PRId64 " instructions more than raw, "
	    "mean of %zu calls, at most %" PRId64 "; the worst reads %" PRId64
	    ", at most a tick more",
	    way_names[way], mean, queue->calls, limit, worst);
}

static void check_set_cost(struct checker *checker, enum way way)
{
	const struct cost *queue, *raw;
	uint64_t worst = 0; /* the ratio in millionths */
	size_t at = 0;

	if (!cost_pair(checker, PHASE_SETVARIABLE, way, &queue, &raw)) {
		return;
	}
	for (size_t i = 0; i < queue->calls; i++) {
		uint64_t ratio = raw->ns[i] == 0
					 ? UINT64_MAX
					 : queue->ns[i] * 1000000 / raw->ns[i];

		if (ratio > worst) {
			worst = ratio;
			at = i;
		}
	}
	add(checker, worst <= 1020000,
	    "cost of setvariable, %" PRIu64 " bytes, %s: %" PRIu64
	    " is %" PRIu64 ".%04" PRIu64 " of raw %" PRIu64
	    ", worst of %zu calls, at most 1.02",
	    queue->value_bytes, way_names[way], queue->ns[at], worst / 1000000,
	    worst % 1000000 / 100, raw->ns[at], queue->calls);
}

static void check_gate(struct checker *checker, enum mode mode)
{
	for (size_t i = 0; i < RATE_COUNT; i++) {
		check_rate(checker, mode, rates_hz[i]);
	}
	check_missed(checker, mode);
	check_swept(checker, mode);
}

size_t check_bounds(const struct measurements *measurements,
		    struct bound bounds[MAX_BOUNDS])
{
	struct checker checker = {.of = measurements, .bounds = bounds};

	check_gate(&checker, MODE_DIRECT);
	check_gate(&checker, MODE_SANDBOX);
	check_samples(&checker);
	check_meter(&checker);
	for (size_t i = 0; i < RATE_COUNT; i++) {
		check_mask(&checker, rates_hz[i]);
	}
	check_queue_cost(&checker, WAY_DIRECT, DIRECT_LIMIT_NS);
	check_queue_cost(&checker, WAY_SANDBOX, SANDBOX_LIMIT_NS);
	check_set_cost(&checker, WAY_DIRECT);
	check_set_cost(&checker, WAY_SANDBOX);
	return checker.count;
}

size_t check_sweep_bounds(const struct measurements *measurements,
			  struct bound bounds[MAX_BOUNDS])
{
	struct checker checker = {.of = measurements, .bounds = bounds};

	if (find_cell(measurements, MODE_SANDBOX, PHASE_CONTROL, 0) != NULL) {
		check_rate(&checker, MODE_SANDBOX, 0);
	}
	if (checker.count == 0 ||
	    find_cell(measurements, MODE_DIRECT, PHASE_CONTROL, 0) != NULL) {
		check_rate(&checker, MODE_DIRECT, 0);
	}
	return checker.count;
}
