/* SPDX-License-Identifier: MIT */
/* The report of a run: a self-contained HTML page. */
#ifndef TOOLS_HTML_H
#define TOOLS_HTML_H

#include "bounds.h"
#include "rows.h"

#define MAX_FACTS 16

struct report {
	const struct subject *subject;
	const struct measurements *measurements;
	const struct row *rows;
	size_t row_count;
	const struct bound *bounds;
	size_t bound_count;
	const char *facts[MAX_FACTS]; /* "QEMU: version 7.2" */
	size_t fact_count;
	const char *command; /* the command that reproduces the run */
	const char *svg; /* the text of the picture */
};

/* Writes the page. Returns false on an error. */
bool write_html(FILE *out, const struct report *report);

#endif
