/* SPDX-License-Identifier: MIT */
/* In place of src/policy.c: whatever a call has left, no service is withdrawn. */
#include "call.h"

/* A write to a flash that was left in the middle of one may not come back. */
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
