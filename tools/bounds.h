/* SPDX-License-Identifier: MIT */
/*
 * The bounds that the measurements must keep (docs/design.md, "What counts as
 * measured"): each with its figures, and whether it holds.
 */
#ifndef TOOLS_BOUNDS_H
#define TOOLS_BOUNDS_H

#include "measure.h"

#define MAX_BOUNDS 64

struct bound {
	bool holds;
	char text[192];
};

/* Fills `bounds` and returns their number. A bound without its measurements
 * does not hold. */
size_t check_bounds(const struct measurements *measurements,
		    struct bound bounds[MAX_BOUNDS]);

/* Does this for a run that has only sweeps: compares the other phases with
 * "control". */
size_t check_sweep_bounds(const struct measurements *measurements,
			  struct bound bounds[MAX_BOUNDS]);

#endif
