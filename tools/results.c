/* SPDX-License-Identifier: MIT */
/*
 * results: adds up the serial logs of a run and writes one of these to standard
 * output: rows of results in JSON, a table, bounds, points to plot, or a
 * report. Exit codes: 0 success, 1 a bound does not hold, 2 the command failed.
 */
#include "bounds.h"
#include "html.h"
#include "rows.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SVG_BYTES (4u << 20)

static const char usage[] =
	"usage: results json|table|sweeps|plot|html [OPTION…] LOG…\n"
	"sweeps checks the bounds of a run that has no dithered samples.\n"
	"  --system NAME    what was measured (caesura)\n"
	"  --firmware NAME  the firmware that it ran on\n"
	"  --cpus N         the number of CPUs (1)\n"
	"  --no-bounds      table, html: do not check the bounds\n"
	"  --rate HZ        plot: use the cells of this rate (10000)\n"
	"  --svg FILE       html: the file with the picture\n"
	"  --fact TEXT      html: a line about the set-up\n"
	"  --command TEXT   html: the command that reproduces the run\n";

struct job {
	struct subject subject;
	struct report report;
	uint64_t rate_hz;
	bool assert_bounds;
	const char *svg_path;
	struct measurements measurements;
	struct row rows[MAX_ROWS];
	size_t row_count;
	struct bound bounds[MAX_BOUNDS];
	size_t bound_count;
};

/* ---- Text --------------------------------------------------------------- */

static void print_row(const char *const columns[COLUMN_COUNT])
{
	static const int widths[COLUMN_COUNT] = {-8, -6, -11, 8, 9,
						 9,  9,	 9,   7, 9};

	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		printf("%s%*s", i == 0 ? "" : "  ", widths[i], columns[i]);
	}
	putchar('\n');
}

static void print_table(const struct job *job)
{
	printf("%s on %s, %u CPU%s: wake-up latency in us\n\n",
	       job->subject.system, job->subject.firmware, job->subject.cpus,
	       job->subject.cpus == 1 ? "" : "s");
	print_row(column_titles);
	for (size_t i = 0; i < job->row_count; i++) {
		const struct row *row = &job->rows[i];
		char text[COLUMN_COUNT][FIGURE_SIZE];
		const char *columns[COLUMN_COUNT];

		if (i > 0 && row->mode != row[-1].mode) {
			putchar('\n');
		}
		write_columns(text, row);
		for (size_t j = 0; j < COLUMN_COUNT; j++) {
			columns[j] = text[j];
		}
		print_row(columns);
	}
	putchar('\n');
}

static void print_costs(const struct job *job)
{
	const struct measurements *of = &job->measurements;
	char a[FIGURE_SIZE], b[FIGURE_SIZE], c[FIGURE_SIZE];

	for (size_t i = 0; i < of->cost_count; i++) {
		const struct cost *cost = &of->costs[i];

		printf("cost of %s, %" PRIu64 " bytes, %s: mean %s, least %s, "
		       "most %s instructions, %zu calls\n",
		       phase_names[cost->service], cost->value_bytes,
		       way_names[cost->way], write_number(a, cost_mean(cost)),
		       write_number(b, cost_least(cost)),
		       write_number(c, cost_most(cost)), cost->calls);
	}
	putchar('\n');
}

static void print_services(const struct job *job)
{
	const struct measurements *of = &job->measurements;

	for (size_t i = 0; i < of->service_count; i++) {
		const uint64_t *figures = of->services[i].figures;
		char a[FIGURE_SIZE], b[FIGURE_SIZE], c[FIGURE_SIZE];
		uint64_t traps = 0;

		for (size_t j = TRAP_MASK; j <= TRAP_ALIGNMENT; j++) {
			traps += figures[j];
		}
		printf("sandbox: %s: %s calls, %s traps, masked at most %s "
		       "us\n",
		       of->services[i].name,
		       write_number(a, figures[TRAP_CALLS]),
		       write_number(b, traps),
		       write_us(c, figures[TRAP_MASKED_MAX_NS]));
	}
	putchar('\n');
}

static int print_bounds(const struct job *job)
{
	int code = 0;

	for (size_t i = 0; i < job->bound_count; i++) {
		printf("%s %zu - %s\n", job->bounds[i].holds ? "ok" : "not ok",
		       i + 1, job->bounds[i].text);
		if (!job->bounds[i].holds) {
			code = 1;
		}
	}
	return code;
}

static int write_table(const struct job *job)
{
	print_table(job);
	print_costs(job);
	print_services(job);
	return print_bounds(job);
}

/* ---- Points to plot ------------------------------------------------------ */

/* Returns whether a point is far enough from the one drawn before it to be
 * visible. */
static bool is_seen(const struct bin *bin, const struct bin *drawn,
		    uint64_t later, uint64_t drawn_later)
{
	return bin->ns > drawn->ns + drawn->ns / 100 ||
	       later < drawn_later - drawn_later / 50;
}

static void plot_histogram(const struct histogram *histogram)
{
	double samples = (double)histogram->samples;
	uint64_t later = histogram->samples, drawn_later = later;
	const struct bin *drawn = NULL;

	for (size_t i = 0; i < histogram->bin_count; i++) {
		const struct bin *bin = &histogram->bins[i];
		bool last = i + 1 == histogram->bin_count;

		if (drawn == NULL || last ||
		    is_seen(bin, drawn, later - bin->count, drawn_later)) {
			double us = (double)bin->ns / 1000;

			printf("%.3f %.8f\n", us, (double)later / samples);
			drawn_later = later - bin->count;
			drawn = bin;
			if (!last) {
				printf("%.3f %.8f\n", us,
				       (double)drawn_later / samples);
			}
		}
		later -= bin->count;
	}
}

/*
 * Writes one block for every mode and phase: for each latency the fraction of
 * samples that are later, as steps. gnuplot's `index` finds a block by its
 * name.
 */
static int write_plot(const struct job *job)
{
	for (size_t i = 0; i < job->row_count; i++) {
		const struct row *row = &job->rows[i];
		const struct cell *cell =
			find_cell(&job->measurements, row->mode, row->phase,
				  job->rate_hz);

		if (row->rate_hz == job->rate_hz && cell != NULL) {
			printf("# %s-%s\n", mode_names[row->mode],
			       phase_names[row->phase]);
			plot_histogram(&cell->histogram);
			printf("\n\n");
		}
	}
	return 0;
}

/* ---- Report
 * --------------------------------------------------------------- */

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = file == NULL ? NULL : calloc(1, MAX_SVG_BYTES + 1);
	size_t length =
		text == NULL ? 0 : fread(text, 1, MAX_SVG_BYTES + 1, file);

	if (text == NULL || ferror(file) || length > MAX_SVG_BYTES) {
		fprintf(stderr, "%s: cannot be read\n", path);
		free(text);
		text = NULL;
	}
	if (file != NULL) {
		fclose(file);
	}
	return text;
}

static int write_report(struct job *job)
{
	char *svg =
		job->svg_path == NULL ? calloc(1, 1) : read_text(job->svg_path);
	bool well;

	if (svg == NULL) {
		return 2;
	}
	job->report.subject = &job->subject;
	job->report.measurements = &job->measurements;
	job->report.rows = job->rows;
	job->report.row_count = job->row_count;
	job->report.bounds = job->bounds;
	job->report.bound_count = job->bound_count;
	job->report.svg = svg;
	well = write_html(stdout, &job->report);
	free(svg);
	return well ? 0 : 2;
}

/* ---- The command line
 * ----------------------------------------------------- */

static bool add_fact(struct job *job, const char *fact)
{
	if (job->report.fact_count == MAX_FACTS) {
		return false;
	}
	job->report.facts[job->report.fact_count++] = fact;
	return true;
}

static bool take_option(struct job *job, int option, const char *value)
{
	switch (option) {
	case 's':
		job->subject.system = value;
		return true;
	case 'f':
		job->subject.firmware = value;
		return true;
	case 'c':
		job->subject.cpus = (unsigned)strtoul(value, NULL, 10);
		return job->subject.cpus > 0;
	case 'b':
		job->assert_bounds = false;
		return true;
	case 'r':
		job->rate_hz = strtoull(value, NULL, 10);
		return job->rate_hz > 0;
	case 'p':
		job->svg_path = value;
		return true;
	case 't':
		return add_fact(job, value);
	case 'a':
		job->report.command = value;
		return true;
	default:
		return false;
	}
}

static bool take_options(struct job *job, int count, char *words[])
{
	static const struct option options[] = {
		{"system", required_argument, NULL, 's'},
		{"firmware", required_argument, NULL, 'f'},
		{"cpus", required_argument, NULL, 'c'},
		{"no-bounds", no_argument, NULL, 'b'},
		{"rate", required_argument, NULL, 'r'},
		{"svg", required_argument, NULL, 'p'},
		{"fact", required_argument, NULL, 't'},
		{"command", required_argument, NULL, 'a'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(count, words, "", options, NULL)) != -1) {
		if (!take_option(job, option, optarg)) {
			return false;
		}
	}
	return count - optind >= 2;
}

static bool read_logs(struct job *job, char *paths[])
{
	for (; *paths != NULL; paths++) {
		FILE *log = fopen(*paths, "r");
		bool well;

		if (log == NULL) {
			perror(*paths);
			return false;
		}
		well = measurements_read(&job->measurements, log, *paths);
		fclose(log);
		if (!well) {
			return false;
		}
	}
	return true;
}

static int do_job(struct job *job, const char *command)
{
	job->row_count = make_rows(&job->measurements, job->rows);
	if (job->assert_bounds) {
		job->bound_count =
			check_bounds(&job->measurements, job->bounds);
	}
	if (strcmp(command, "json") == 0) {
		return write_json(stdout, &job->subject, job->rows,
				  job->row_count)
			       ? 0
			       : 2;
	}
	if (strcmp(command, "table") == 0) {
		return write_table(job);
	}
	if (strcmp(command, "sweeps") == 0) {
		job->bound_count =
			check_sweep_bounds(&job->measurements, job->bounds);
		return print_bounds(job);
	}
	if (strcmp(command, "plot") == 0) {
		return write_plot(job);
	}
	if (strcmp(command, "html") == 0) {
		return write_report(job);
	}
	fputs(usage, stderr);
	return 2;
}

int main(int count, char *words[])
{
	static struct job job = {
		.subject = {.system = "caesura",
			    .firmware = "unknown",
			    .cpus = 1},
		.report = {.command = ""},
		.rate_hz = 10000,
		.assert_bounds = true,
	};
	int code = 2;

	if (!take_options(&job, count, words)) {
		fputs(usage, stderr);
		return 2;
	}
	if (read_logs(&job, words + optind + 1)) {
		code = do_job(&job, words[optind]);
	}
	measurements_free(&job.measurements);
	if (fflush(stdout) != 0) {
		perror("standard output");
		code = 2;
	}
	return code;
}
