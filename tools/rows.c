/* SPDX-License-Identifier: MIT */
/*
 * Makes rows from measurements, and writes them as JSON and as text.
 */
#include "rows.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

const char *const column_titles[COLUMN_COUNT] = {
	"mode", "rate",	 "phase", "samples", "p50",
	"p99",	"p99.9", "max",	  "missed",  "call",
};

static struct row make_row(const struct measurements *measurements,
			   const struct cell *cell)
{
	const struct histogram *histogram = &cell->histogram;
	const struct cost *raw = find_cost(measurements, cell->phase, WAY_RAW);
	bool called = cell->calls > 0;

	if (raw != NULL && raw->value_bytes != cell->value_bytes) {
		raw = NULL;
	}
	return (struct row){
		.mode = cell->mode,
		.phase = cell->phase,
		.rate_hz = cell->rate_hz,
		.value_bytes = cell->value_bytes,
		.samples = histogram->samples,
		.p50_ns = histogram_percentile(histogram, 500),
		.p99_ns = histogram_percentile(histogram, 990),
		.p999_ns = histogram_percentile(histogram, 999),
		.max_ns = worst_ns(measurements, cell),
		.missed = cell->missed,
		.calls = cell->calls,
		.call_mean_ns =
			called ? (cell->call_total_ns + cell->calls / 2) /
					 cell->calls
			       : NOT_MEASURED,
		.call_max_ns = called ? cell->call_max_ns : NOT_MEASURED,
		.raw_mean_ns = raw == NULL ? NOT_MEASURED : cost_mean(raw),
		.masked_max_ns = called ? cell->masked_max_ns : NOT_MEASURED,
	};
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_rows(const void *a_, const void *b_)
{
	const struct row *a = a_, *b = b_;
	int order = compare(a->mode, b->mode);

	if (order == 0) {
		order = compare(a->rate_hz, b->rate_hz);
	}
	if (order == 0) {
		order = compare(a->phase, b->phase);
	}
	return order != 0 ? order : compare(a->value_bytes, b->value_bytes);
}

size_t make_rows(const struct measurements *measurements,
		 struct row rows[MAX_ROWS])
{
	size_t count = 0;

	for (size_t i = 0; i < measurements->cell_count; i++) {
		const struct cell *cell = &measurements->cells[i];

		if (!cell->sweep && cell->histogram.samples > 0) {
			rows[count++] = make_row(measurements, cell);
		}
	}
	qsort(rows, count, sizeof(rows[0]), compare_rows);
	return count;
}

/* ---- JSON --------------------------------------------------------------- */

static json_t *json_figure(uint64_t value)
{
	return value == NOT_MEASURED ? json_null()
				     : json_integer((json_int_t)value);
}

static json_t *row_to_json(const struct subject *subject, const struct row *row)
{
	return json_pack(
		"{ss ss ss ss si so so so so so so so so so so so so so}",
		"system", subject->system, "mode", mode_names[row->mode],
		"phase", phase_names[row->phase], "firmware", subject->firmware,
		"cpus", (int)subject->cpus, "rate_hz",
		json_figure(row->rate_hz), "value_bytes",
		json_figure(row->value_bytes), "samples",
		json_figure(row->samples), "p50_ns", json_figure(row->p50_ns),
		"p99_ns", json_figure(row->p99_ns), "p999_ns",
		json_figure(row->p999_ns), "max_ns", json_figure(row->max_ns),
		"missed", json_figure(row->missed), "calls",
		json_figure(row->calls), "call_mean_ns",
		json_figure(row->call_mean_ns), "call_max_ns",
		json_figure(row->call_max_ns), "raw_mean_ns",
		json_figure(row->raw_mean_ns), "masked_max_ns",
		json_figure(row->masked_max_ns));
}

bool write_json(FILE *out, const struct subject *subject,
		const struct row *rows, size_t count)
{
	json_t *array = json_array();
	bool well = array != NULL;

	for (size_t i = 0; well && i < count; i++) {
		/* This takes over the reference, and fails on NULL. */
		well = json_array_append_new(
			       array, row_to_json(subject, &rows[i])) == 0;
	}
	well = well && json_dumpf(array, out, JSON_INDENT(2)) == 0 &&
	       fputc('\n', out) != EOF;
	json_decref(array);
	return well;
}

/* ---- Figures ------------------------------------------------------------ */

const char *write_number(char text[FIGURE_SIZE], uint64_t number)
{
	char digits[FIGURE_SIZE];
	size_t length, at = 0;

	if (number == NOT_MEASURED) {
		return strcpy(text, "-");
	}
	length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, number);
	for (size_t i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0) {
			text[at++] = ',';
		}
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

const char *write_us(char text[FIGURE_SIZE], uint64_t ns)
{
	size_t length;

	if (ns == NOT_MEASURED) {
		return strcpy(text, "-");
	}
	write_number(text, ns / 1000);
	length = strlen(text);
	snprintf(text + length, FIGURE_SIZE - length, ".%03u",
		 (unsigned)(ns % 1000));
	return text;
}

const char *write_rate(char text[FIGURE_SIZE], uint64_t rate_hz)
{
	if (rate_hz == 0) {
		strcpy(text, "every tick");
	} else if (rate_hz % 1000 == 0) {
		snprintf(text, FIGURE_SIZE, "%" PRIu64 " kHz", rate_hz / 1000);
	} else {
		snprintf(text, FIGURE_SIZE, "%" PRIu64 " Hz", rate_hz);
	}
	return text;
}

void write_columns(char columns[COLUMN_COUNT][FIGURE_SIZE],
		   const struct row *row)
{
	snprintf(columns[0], FIGURE_SIZE, "%s", mode_names[row->mode]);
	write_rate(columns[1], row->rate_hz);
	snprintf(columns[2], FIGURE_SIZE, "%s", phase_names[row->phase]);
	write_number(columns[3], row->samples);
	write_us(columns[4], row->p50_ns);
	write_us(columns[5], row->p99_ns);
	write_us(columns[6], row->p999_ns);
	write_us(columns[7], row->max_ns);
	write_number(columns[8], row->missed);
	write_us(columns[9], row->call_mean_ns);
}
