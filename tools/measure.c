/* SPDX-License-Identifier: MIT */
/*
 * Reads serial logs into histograms and series. It checks everything in a log,
 * because an incomplete line must not be taken for a smaller measurement.
 */
#include "measure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE 8192

const char *const mode_names[MODE_COUNT] = {
	"blocking",
	"direct",
	"sandbox",
	"kernel",
};

const char *const phase_names[PHASE_COUNT] = {
	"idle", "control", "gettime", "getvariable", "setvariable", "mask",
};

const char *const way_names[WAY_COUNT] = {"raw", "direct", "sandbox"};

const char *const trap_figure_names[TRAP_FIGURE_COUNT] = {
	"calls",	 "mask",	 "state",	"identification",
	"system",	 "cache",	 "translation", "wait",
	"timer",	 "secure_call",	 "alignment",	"masked_ns",
	"masked_max_ns", "secure_calls", "secure_ns",
};

/* ---- Histograms -------------------------------------------------------- */

/* Returns the index of the first bin that is not below ns. */
static size_t bin_position(const struct histogram *histogram, uint64_t ns)
{
	size_t low = 0, high = histogram->bin_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (histogram->bins[middle].ns < ns) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool histogram_grow(struct histogram *histogram)
{
	size_t room = histogram->room == 0 ? 64 : histogram->room * 2;
	struct bin *bins;

	if (histogram->bin_count < histogram->room) {
		return true;
	}
	if (room > MAX_BINS) {
		return false;
	}
	bins = realloc(histogram->bins, room * sizeof(*bins));
	if (bins == NULL) {
		return false;
	}
	histogram->bins = bins;
	histogram->room = room;
	return true;
}

bool histogram_add(struct histogram *histogram, uint64_t ns, uint64_t count)
{
	size_t at = bin_position(histogram, ns);

	if (at == histogram->bin_count || histogram->bins[at].ns != ns) {
		if (!histogram_grow(histogram)) {
			return false;
		}
		memmove(&histogram->bins[at + 1], &histogram->bins[at],
			(histogram->bin_count - at) * sizeof(struct bin));
		histogram->bins[at] = (struct bin){.ns = ns};
		histogram->bin_count++;
	}
	histogram->bins[at].count += count;
	histogram->samples += count;
	return true;
}

uint64_t histogram_percentile(const struct histogram *histogram,
			      unsigned per_mille)
{
	uint64_t rank = (histogram->samples * per_mille + 999) / 1000;
	uint64_t seen = 0;

	for (size_t i = 0; i < histogram->bin_count; i++) {
		seen += histogram->bins[i].count;
		if (seen >= rank) {
			return histogram->bins[i].ns;
		}
	}
	return 0;
}

uint64_t histogram_max(const struct histogram *histogram)
{
	return histogram->bin_count == 0
		       ? 0
		       : histogram->bins[histogram->bin_count - 1].ns;
}

/* ---- Lines -------------------------------------------------------------- */

/* The place in the log that is being read, and the cell to which hist lines
 * belong at this place. */
struct reader {
	struct measurements *into;
	const char *name;
	unsigned long line;
	struct cell *cell;
	uint64_t samples_due;
};

static bool bad(const struct reader *reader, const char *what)
{
	fprintf(stderr, "%s:%lu: %s\n", reader->name, reader->line, what);
	return false;
}

static bool bad_field(const struct reader *reader, const char *key)
{
	fprintf(stderr, "%s:%lu: %s: missing or malformed\n", reader->name,
		reader->line, key);
	return false;
}

/* Returns the text after "key=" in the line, or NULL. */
static const char *field(const char *line, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = strchr(line, ' '); at != NULL;
	     at = strchr(at, ' ')) {
		at++;
		if (strncmp(at, key, length) == 0 && at[length] == '=') {
			return at + length + 1;
		}
	}
	return NULL;
}

/* Parses a decimal number, and sets *end to the character after it. */
static bool parse_number(const char *text, const char **end, uint64_t *value)
{
	char *stop;

	if (*text < '0' || *text > '9') {
		return false;
	}
	errno = 0;
	*value = strtoull(text, &stop, 10);
	*end = stop;
	return errno == 0;
}

static bool number_field(const struct reader *reader, const char *line,
			 const char *key, uint64_t *value)
{
	const char *text = field(line, key);
	const char *end;

	if (text == NULL || !parse_number(text, &end, value) ||
	    (*end != '\0' && *end != ' ')) {
		return bad_field(reader, key);
	}
	return true;
}

/* Looks up the field's word in `names` and stores its index. */
static bool name_field(const struct reader *reader, const char *line,
		       const char *key, const char *const names[], size_t count,
		       size_t *index)
{
	const char *text = field(line, key);
	size_t length = text == NULL ? 0 : strcspn(text, " ");

	for (size_t i = 0; length > 0 && i < count; i++) {
		if (strlen(names[i]) == length &&
		    memcmp(names[i], text, length) == 0) {
			*index = i;
			return true;
		}
	}
	return bad_field(reader, key);
}

/* ---- cell and hist ------------------------------------------------------ */

static struct cell *cell_like(struct measurements *into,
			      const struct cell *sample)
{
	struct cell *cell;

	for (size_t i = 0; i < into->cell_count; i++) {
		cell = &into->cells[i];
		if (cell->sweep == sample->sweep &&
		    cell->mode == sample->mode &&
		    cell->phase == sample->phase &&
		    cell->rate_hz == sample->rate_hz &&
		    cell->value_bytes == sample->value_bytes) {
			return cell;
		}
	}
	if (into->cell_count == MAX_CELLS) {
		return NULL;
	}
	cell = &into->cells[into->cell_count++];
	*cell = (struct cell){
		.sweep = sample->sweep,
		.mode = sample->mode,
		.phase = sample->phase,
		.rate_hz = sample->rate_hz,
		.value_bytes = sample->value_bytes,
		.masked_max_ns = NOT_MEASURED,
		.masked_mean_ns = NOT_MEASURED,
	};
	return cell;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Reads a field that may be absent; the value is NOT_MEASURED then. */
static bool optional_field(const struct reader *reader, const char *line,
			   const char *key, uint64_t *value)
{
	*value = NOT_MEASURED;
	return field(line, key) == NULL ||
	       number_field(reader, line, key, value);
}

static uint64_t larger_measured(uint64_t a, uint64_t b)
{
	if (a == NOT_MEASURED || b == NOT_MEASURED) {
		return a == NOT_MEASURED ? b : a;
	}
	return larger(a, b);
}

static bool read_cell(struct reader *reader, const char *line)
{
	static const char *const kinds[] = {"dither", "sweep"};
	struct cell new = {0};
	size_t kind, mode, phase;
	uint64_t call_mean_ns;

	if (!name_field(reader, line, "kind", kinds, 2, &kind) ||
	    !name_field(reader, line, "mode", mode_names, MODE_COUNT, &mode) ||
	    !name_field(reader, line, "phase", phase_names, PHASE_COUNT,
			&phase) ||
	    !number_field(reader, line, "rate_hz", &new.rate_hz) ||
	    !number_field(reader, line, "value_bytes", &new.value_bytes) ||
	    !number_field(reader, line, "samples", &reader->samples_due) ||
	    !number_field(reader, line, "missed", &new.missed) ||
	    !number_field(reader, line, "calls", &new.calls) ||
	    !number_field(reader, line, "call_mean_ns", &call_mean_ns) ||
	    !number_field(reader, line, "call_max_ns", &new.call_max_ns) ||
	    !optional_field(reader, line, "masked_max_ns",
			    &new.masked_max_ns) ||
	    !optional_field(reader, line, "masked_mean_ns",
			    &new.masked_mean_ns)) {
		return false;
	}
	if (reader->samples_due == 0) {
		fprintf(stderr, "%s:%lu: phase=%s: a cell without a sample\n",
			reader->name, reader->line, phase_names[phase]);
		return false;
	}
	new.sweep = kind == 1;
	new.mode = (enum mode)mode;
	new.phase = (enum phase)phase;
	reader->cell = cell_like(reader->into, &new);
	if (reader->cell == NULL) {
		return bad(reader, "too many cells");
	}
	reader->cell->missed += new.missed;
	reader->cell->calls += new.calls;
	reader->cell->call_total_ns += call_mean_ns * new.calls;
	reader->cell->call_max_ns =
		larger(reader->cell->call_max_ns, new.call_max_ns);
	reader->cell->masked_max_ns =
		larger_measured(reader->cell->masked_max_ns, new.masked_max_ns);
	reader->cell->masked_mean_ns = larger_measured(
		reader->cell->masked_mean_ns, new.masked_mean_ns);
	return true;
}

static bool read_hist(struct reader *reader, const char *line)
{
	const char *at = line + strlen("hist");
	uint64_t ns, count;

	if (reader->cell == NULL) {
		return bad(reader, "hist without a cell before it");
	}
	while (*at != '\0') {
		if (*at++ != ' ' || !parse_number(at, &at, &ns) ||
		    *at++ != ':' || !parse_number(at, &at, &count)) {
			return bad(reader, "hist: not NS:COUNT");
		}
		if (count > reader->samples_due) {
			return bad(reader, "hist: more samples than the cell");
		}
		reader->samples_due -= count;
		if (!histogram_add(&reader->cell->histogram, ns, count)) {
			return bad(reader, "hist: too many bins");
		}
	}
	return true;
}

static bool end_cell(struct reader *reader)
{
	if (reader->cell != NULL && reader->samples_due != 0) {
		return bad(reader, "hist: fewer samples than the cell");
	}
	reader->cell = NULL;
	return true;
}

/* ---- cost --------------------------------------------------------------- */

static struct cost *cost_like(struct measurements *into, enum phase service,
			      enum way way, uint64_t value_bytes)
{
	struct cost *cost;

	for (size_t i = 0; i < into->cost_count; i++) {
		cost = &into->costs[i];
		if (cost->service == service && cost->way == way &&
		    cost->value_bytes == value_bytes) {
			return cost;
		}
	}
	if (into->cost_count == MAX_COSTS) {
		return NULL;
	}
	cost = &into->costs[into->cost_count++];
	*cost = (struct cost){
		.service = service,
		.way = way,
		.value_bytes = value_bytes,
		.ns = calloc(MAX_CALLS, sizeof(uint64_t)),
	};
	return cost->ns == NULL ? NULL : cost;
}

static bool read_durations(struct reader *reader, struct cost *cost,
			   const char *at, uint64_t call)
{
	uint64_t ns;

	do {
		if (!parse_number(at, &at, &ns) || ns == 0) {
			return bad_field(reader, "ns");
		}
		if (call >= MAX_CALLS) {
			return bad(reader, "cost: too many calls");
		}
		if (cost->ns[call] != 0) {
			return bad(reader, "cost: a call measured twice");
		}
		cost->ns[call++] = ns;
	} while (*at++ == ',');
	cost->calls = larger(cost->calls, call);
	return at[-1] == '\0' ? true : bad_field(reader, "ns");
}

static bool read_cost(struct reader *reader, const char *line)
{
	size_t service, how;
	uint64_t value_bytes, first;
	struct cost *cost;
	const char *list = field(line, "ns");

	if (!name_field(reader, line, "service", phase_names, PHASE_COUNT,
			&service) ||
	    !name_field(reader, line, "how", way_names, WAY_COUNT, &how) ||
	    !number_field(reader, line, "value_bytes", &value_bytes) ||
	    !number_field(reader, line, "first", &first)) {
		return false;
	}
	if (list == NULL) {
		return bad_field(reader, "ns");
	}
	cost = cost_like(reader->into, (enum phase)service, (enum way)how,
			 value_bytes);
	if (cost == NULL) {
		return bad(reader, "too many cost series");
	}
	return read_durations(reader, cost, list, first);
}

/* ---- service ------------------------------------------------------------ */

static struct service *service_like(struct measurements *into, const char *name,
				    size_t length)
{
	struct service *service;

	for (size_t i = 0; i < into->service_count; i++) {
		service = &into->services[i];
		if (strlen(service->name) == length &&
		    strncmp(service->name, name, length) == 0) {
			return service;
		}
	}
	if (into->service_count == MAX_SERVICES || length == 0 ||
	    length >= MAX_SERVICE_NAME) {
		return NULL;
	}
	service = &into->services[into->service_count++];
	memcpy(service->name, name, length);
	return service;
}

static bool read_service(struct reader *reader, const char *line)
{
	const char *name = field(line, "name");
	struct service *service;

	if (name == NULL) {
		return bad_field(reader, "name");
	}
	service = service_like(reader->into, name, strcspn(name, " "));
	if (service == NULL) {
		return bad(reader, "service: too many, or no name");
	}
	for (size_t i = 0; i < TRAP_FIGURE_COUNT; i++) {
		uint64_t *figure = &service->figures[i];
		uint64_t value;

		if (!number_field(reader, line, trap_figure_names[i], &value)) {
			return false;
		}
		*figure = i == TRAP_MASKED_MAX_NS ? larger(*figure, value)
						  : *figure + value;
	}
	return true;
}

/* ---- Logs --------------------------------------------------------------- */

static bool starts_with(const char *line, const char *word)
{
	size_t length = strlen(word);

	return strncmp(line, word, length) == 0 && line[length] == ' ';
}

static bool read_line(struct reader *reader, const char *line)
{
	if (starts_with(line, "hist")) {
		return read_hist(reader, line);
	}
	if (starts_with(line, "cell")) {
		return end_cell(reader) && read_cell(reader, line);
	}
	if (starts_with(line, "cost")) {
		return read_cost(reader, line);
	}
	if (starts_with(line, "service")) {
		return read_service(reader, line);
	}
	return true;
}

bool measurements_read(struct measurements *measurements, FILE *log,
		       const char *name)
{
	struct reader reader = {.into = measurements, .name = name};
	static char line[MAX_LINE];

	while (fgets(line, sizeof(line), log) != NULL) {
		size_t length = strcspn(line, "\r\n");

		reader.line++;
		if (strlen(line) == sizeof(line) - 1) {
			return bad(&reader, "line too long");
		}
		line[length] = '\0';
		if (!read_line(&reader, line)) {
			return false;
		}
	}
	if (ferror(log)) {
		return bad(&reader, "cannot be read");
	}
	return end_cell(&reader);
}

void measurements_free(struct measurements *measurements)
{
	for (size_t i = 0; i < measurements->cell_count; i++) {
		free(measurements->cells[i].histogram.bins);
	}
	for (size_t i = 0; i < measurements->cost_count; i++) {
		free(measurements->costs[i].ns);
	}
	*measurements = (struct measurements){0};
}

const struct cell *find_cell(const struct measurements *measurements,
			     enum mode mode, enum phase phase, uint64_t rate_hz)
{
	for (size_t i = 0; i < measurements->cell_count; i++) {
		const struct cell *cell = &measurements->cells[i];

		if (cell->sweep == (rate_hz == 0) && cell->mode == mode &&
		    cell->phase == phase && cell->rate_hz == rate_hz) {
			return cell;
		}
	}
	return NULL;
}

uint64_t worst_ns(const struct measurements *measurements,
		  const struct cell *cell)
{
	uint64_t worst = histogram_max(&cell->histogram);

	for (size_t i = 0; i < measurements->cell_count; i++) {
		const struct cell *other = &measurements->cells[i];

		if (other->sweep && other->mode == cell->mode &&
		    other->phase == cell->phase) {
			worst = larger(worst, histogram_max(&other->histogram));
		}
	}
	return worst;
}

const struct cost *find_cost(const struct measurements *measurements,
			     enum phase service, enum way way)
{
	for (size_t i = 0; i < measurements->cost_count; i++) {
		const struct cost *cost = &measurements->costs[i];

		if (cost->service == service && cost->way == way) {
			return cost;
		}
	}
	return NULL;
}

uint64_t cost_least(const struct cost *cost)
{
	uint64_t least = NOT_MEASURED;

	for (size_t i = 0; i < cost->calls; i++) {
		least = cost->ns[i] < least ? cost->ns[i] : least;
	}
	return least;
}

uint64_t cost_mean(const struct cost *cost)
{
	uint64_t total = 0;

	for (size_t i = 0; i < cost->calls; i++) {
		total += cost->ns[i];
	}
	return cost->calls == 0 ? NOT_MEASURED
				: (total + cost->calls / 2) / cost->calls;
}

uint64_t cost_most(const struct cost *cost)
{
	uint64_t most = 0;

	for (size_t i = 0; i < cost->calls; i++) {
		most = larger(most, cost->ns[i]);
	}
	return cost->calls == 0 ? NOT_MEASURED : most;
}
