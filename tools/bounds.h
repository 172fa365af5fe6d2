/* SPDX-License-Identifier: MIT */
/*
 * What the measurements must show, as DESIGN's "What counts as measured" has
 * it: each bound with its figures and whether it holds.
 */
#ifndef TOOLS_BOUNDS_H
#define TOOLS_BOUNDS_H

#include "measure.h"

#define MAX_BOUNDS 64

struct bound {
	bool holds;
	char text[192];
};

/* Fills bounds; returns how many. One that was not measured does not hold. */
size_t check_bounds(const struct measurements *measurements,
		    struct bound bounds[MAX_BOUNDS]);

/* The same for a run of sweeps alone: control, and what firmware adds. */
size_t check_sweep_bounds(const struct measurements *measurements,
			  struct bound bounds[MAX_BOUNDS]);

#endif
