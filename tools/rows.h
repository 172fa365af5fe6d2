/* SPDX-License-Identifier: MIT */
/*
 * Rows of results: one for each mode, rate and phase, in the format in which
 * systems are compared (docs/formats.md); and the formatting of figures.
 */
#ifndef TOOLS_ROWS_H
#define TOOLS_ROWS_H

#include "measure.h"

#define MAX_ROWS MAX_CELLS

/* What was measured; every row has the same. */
struct subject {
	const char *system;
	const char *firmware;
	unsigned cpus;
};

struct row {
	enum mode mode;
	enum phase phase;
	uint64_t rate_hz, value_bytes, samples;
	uint64_t p50_ns, p99_ns, p999_ns;
	uint64_t max_ns; /* the maximum of dithered expiries and sweeps */
	uint64_t missed, calls;
	uint64_t call_mean_ns, call_max_ns, raw_mean_ns, masked_max_ns;
};

/* Fills `rows`, ordered by mode, rate and phase, and returns their number. */
size_t make_rows(const struct measurements *measurements,
		 struct row rows[MAX_ROWS]);

/* Writes the rows as JSON. Returns false on an error. */
bool write_json(FILE *out, const struct subject *subject,
		const struct row *rows, size_t count);

/* The columns of a table for human readers. */
#define COLUMN_COUNT 10
#define COLUMN_TEXTS 3 /* the first columns are words, the others numbers */

extern const char *const column_titles[COLUMN_COUNT];

#define FIGURE_SIZE 32

/* Writes 1234567 as "1,234,567", and NOT_MEASURED as "-". Returns `text`. */
const char *write_number(char text[FIGURE_SIZE], uint64_t number);
/* Writes 1234567 ns as "1,234.567", in microseconds; NOT_MEASURED as "-". */
const char *write_us(char text[FIGURE_SIZE], uint64_t ns);
/* Writes 1000 as "1 kHz", and 0 as "every tick". */
const char *write_rate(char text[FIGURE_SIZE], uint64_t rate_hz);

void write_columns(char columns[COLUMN_COUNT][FIGURE_SIZE],
		   const struct row *row);

#endif
