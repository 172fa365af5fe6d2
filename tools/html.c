/* SPDX-License-Identifier: MIT */
/*
 * Writes the report: picture, table, bounds, cost, method. It is plain HTML
 * with an embedded style sheet, and is legible on paper.
 */
#include "html.h"

#include <string.h>

static const char page_head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>Caesura: wake-up latency under firmware calls</title>\n"
	"<style>\n"
	"body { font: 16px/1.5 Georgia, 'Times New Roman', serif; color: #222;"
	" background: #fff; max-width: 56rem; margin: 2rem auto;"
	" padding: 0 1rem; }\n"
	"h1 { font-size: 1.7rem; margin-bottom: 0.2rem; }\n"
	"h2 { font-size: 1.2rem; margin-top: 2rem; }\n"
	"svg { width: 100%; height: auto; }\n"
	".wide { overflow-x: auto; }\n"
	"table { border-collapse: collapse; font: 14px/1.4 sans-serif;"
	" width: 100%; font-variant-numeric: tabular-nums; }\n"
	"th, td { padding: 0.2rem 0.6rem; text-align: right;"
	" border-bottom: 1px solid #ddd; white-space: nowrap; }\n"
	"th { border-bottom: 2px solid #888; }\n"
	".word { text-align: left; }\n"
	"tr.first td { border-top: 2px solid #888; }\n"
	"ul.bounds { list-style: none; padding: 0; }\n"
	".ok::before { content: 'ok '; color: #177245; font-weight: bold; }\n"
	".bad::before { content: 'not ok '; color: #b00020;"
	" font-weight: bold; }\n"
	"pre { background: #f4f4f2; padding: 0.6rem; overflow-x: auto; }\n"
	"</style>\n";

static const char method[] =
	"<h2>How this was measured</h2>\n"
	"<p>One processor, stock firmware, QEMU. Time is counted in "
	"instructions: one instruction takes one nanosecond, device access "
	"costs nothing, and two runs of one image agree to the last digit. "
	"These are therefore not the times of any board. The counter ticks "
	"every 16 ns.</p>\n"
	"<p>A thread of top priority sleeps until expiries one period apart, "
	"each moved by a seeded pseudo-random amount, so that they do not lock "
	"step with the firmware's own work; its wake-up latency is the time "
	"from the expiry to its first instruction. Beside it, on the same "
	"processor, another thread keeps the named service busy through "
	"Caesura's queue. <i>idle</i> makes no call; <i>control</i> calls a "
	"service that returns at once, so that only the queue is measured. "
	"<i>mask</i> is a driver that masks interrupts for five million "
	"instructions. <i>direct</i> runs firmware at EL1, <i>sandbox</i> at "
	"EL0. "
	"<i>blocking</i> switches preemption off around each call, like "
	"kernels that cannot be preempted in firmware; it shows that the meter "
	"works.</p>\n"
	"<p>Percentiles are of the dithered expiries, by nearest rank. "
	"<i>max</i> also covers an exhaustive sweep with one expiry at every "
	"tick of a whole queued call (of SetVariable: of its entry and exit). "
	"A period is <i>missed</i> when the wake-up comes after the next "
	"expiry. <i>raw</i> cost is the same n-th call made with interrupts "
	"off and without the queue, in a twin boot.</p>\n";

static void escape(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		default:
			fputc(*text, out);
			break;
		}
	}
}

static void write_head(FILE *out, const struct report *report)
{
	fputs(page_head, out);
	fputs("<h1>Wake-up latency under firmware calls</h1>\n<p>", out);
	escape(out, report->subject->system);
	fputs(" on ", out);
	escape(out, report->subject->firmware);
	fprintf(out, ", %u CPU%s.", report->subject->cpus,
		report->subject->cpus == 1 ? "" : "s");
	fputs(" Latency in microseconds of instruction-counted time.</p>\n",
	      out);
}

/* Writes the picture without its XML prolog, which HTML does not allow. */
static void write_picture(FILE *out, const struct report *report)
{
	const char *svg = strstr(report->svg, "<svg");

	if (svg != NULL) {
		fputs(svg, out);
		fputc('\n', out);
	}
}

static void write_row(FILE *out, const struct row *row, bool first)
{
	char columns[COLUMN_COUNT][FIGURE_SIZE];

	write_columns(columns, row);
	fprintf(out, "<tr%s>", first ? " class=\"first\"" : "");
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		fprintf(out, "<td%s>%s</td>",
			i < COLUMN_TEXTS ? " class=\"word\"" : "", columns[i]);
	}
	fputs("</tr>\n", out);
}

static void write_table(FILE *out, const struct report *report)
{
	fputs("<h2>The table</h2>\n<div class=\"wide\"><table>\n<tr>", out);
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		fprintf(out, "<th%s>%s</th>",
			i < COLUMN_TEXTS ? " class=\"word\"" : "",
			column_titles[i]);
	}
	fputs("</tr>\n", out);
	for (size_t i = 0; i < report->row_count; i++) {
		const struct row *row = &report->rows[i];

		write_row(out, row,
			  i > 0 && (row->mode != row[-1].mode ||
				    row->rate_hz != row[-1].rate_hz));
	}
	fputs("</table></div>\n", out);
}

static void write_bounds(FILE *out, const struct report *report)
{
	if (report->bound_count == 0) {
		return;
	}
	fputs("<h2>What must hold</h2>\n<ul class=\"bounds\">\n", out);
	for (size_t i = 0; i < report->bound_count; i++) {
		fprintf(out, "<li class=\"%s\">",
			report->bounds[i].holds ? "ok" : "bad");
		escape(out, report->bounds[i].text);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void write_cost(FILE *out, const struct report *report)
{
	fputs("<h2>Cost of a call, in instructions</h2>\n"
	      "<div class=\"wide\"><table>\n"
	      "<tr><th class=\"word\">service</th><th class=\"word\">how</th>"
	      "<th>bytes</th><th>calls</th><th>least</th><th>mean</th>"
	      "<th>most</th></tr>\n",
	      out);
	for (size_t i = 0; i < report->measurements->cost_count; i++) {
		const struct cost *cost = &report->measurements->costs[i];
		char text[FIGURE_SIZE];

		fprintf(out,
			"<tr><td class=\"word\">%s</td>"
			"<td class=\"word\">%s</td>",
			phase_names[cost->service], way_names[cost->way]);
		fprintf(out, "<td>%s</td>",
			write_number(text, cost->value_bytes));
		fprintf(out, "<td>%s</td>", write_number(text, cost->calls));
		fprintf(out, "<td>%s</td>",
			write_number(text, cost_least(cost)));
		fprintf(out, "<td>%s</td>",
			write_number(text, cost_mean(cost)));
		fprintf(out, "<td>%s</td></tr>\n",
			write_number(text, cost_most(cost)));
	}
	fputs("</table></div>\n", out);
}

static void write_services(FILE *out, const struct report *report)
{
	const struct measurements *of = report->measurements;
	char text[FIGURE_SIZE];

	if (of->service_count == 0) {
		return;
	}
	fputs("<h2>What firmware does in the sandbox</h2>\n"
	      "<p>Instructions that EL0 may not execute and that were done for "
	      "firmware, by kind; for how long it believed interrupts masked; "
	      "secure calls that were passed on, and how long they took. Time "
	      "in "
	      "ns.</p>\n<div class=\"wide\"><table>\n"
	      "<tr><th class=\"word\">service</th>",
	      out);
	for (size_t i = 0; i < TRAP_FIGURE_COUNT; i++) {
		fprintf(out, "<th>%s</th>", trap_figure_names[i]);
	}
	fputs("</tr>\n", out);
	for (size_t i = 0; i < of->service_count; i++) {
		fputs("<tr><td class=\"word\">", out);
		escape(out, of->services[i].name);
		fputs("</td>", out);
		for (size_t j = 0; j < TRAP_FIGURE_COUNT; j++) {
			fprintf(out, "<td>%s</td>",
				write_number(text, of->services[i].figures[j]));
		}
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void write_facts(FILE *out, const struct report *report)
{
	fputs("<ul>\n", out);
	for (size_t i = 0; i < report->fact_count; i++) {
		fputs("<li>", out);
		escape(out, report->facts[i]);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n<h2>Do it again</h2>\n<pre>", out);
	escape(out, report->command);
	fputs("</pre>\n", out);
}

bool write_html(FILE *out, const struct report *report)
{
	write_head(out, report);
	write_picture(out, report);
	write_table(out, report);
	write_bounds(out, report);
	write_cost(out, report);
	write_services(out, report);
	fputs(method, out);
	write_facts(out, report);
	fputs("</html>\n", out);
	return ferror(out) == 0;
}
