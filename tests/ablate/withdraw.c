/* SPDX-License-Identifier: MIT */
/*
 * Removes withdrawal: no service is withdrawn, whatever state a call has left
 * behind. Replaces src/policy.c.
 */
#include "call.h"

/* A call may hang after an earlier call was ended in the middle of a write to
 * flash. Every service therefore has a short kill limit. */
#define SOON_NS 50000000ull

#define ALL                                                                 \
	{SOON_NS, 0, 0}, {SOON_NS, 0, 0}, {SOON_NS, 0, 0}, {SOON_NS, 0, 0}, \
		{SOON_NS, 0, 0},                                            \
	{                                                                   \
		SOON_NS, 0, 0                                               \
	}

const struct cz_policy cz_default_policy = {{ALL, ALL}};

cz_service_mask cz_policy_withdraws(const struct cz *cz,
				    const struct cz_ending *ending)
{
	(void)cz;
	(void)ending;
	return 0;
}
