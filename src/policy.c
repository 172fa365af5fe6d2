/* SPDX-License-Identifier: MIT */
/*
 * The default policy: how long a call of each service may run, and which
 * services are withdrawn after a call was ended.
 */
#include "call.h"

#define SECONDS(n) ((n)*1000000000ull)
#define SERVICE(name) (1u << CZ_##name)

/* The services that change something that outlasts the call. ResetSystem is not
 * among them: a reset must be possible whatever has happened. */
#define WRITERS                                            \
	(SERVICE(SET_TIME) | SERVICE(SET_WAKEUP_TIME) |    \
	 SERVICE(SET_VARIABLE) | SERVICE(UPDATE_CAPSULE) | \
	 SERVICE(GET_NEXT_HIGH_MONOTONIC_COUNT))

#define READS(name)                                                \
	{                                                          \
		SECONDS(2), SERVICE(name), SERVICE(name) | WRITERS \
	}
#define WRITES(name)                                \
	{                                           \
		SECONDS(20), SERVICE(name), WRITERS \
	}

const struct cz_policy cz_default_policy = {
	{
		[CZ_GET_TIME] = READS(GET_TIME),
		[CZ_SET_TIME] = WRITES(SET_TIME),
		[CZ_GET_WAKEUP_TIME] = READS(GET_WAKEUP_TIME),
		[CZ_SET_WAKEUP_TIME] = WRITES(SET_WAKEUP_TIME),
		[CZ_GET_VARIABLE] = READS(GET_VARIABLE),
		[CZ_GET_NEXT_VARIABLE_NAME] = READS(GET_NEXT_VARIABLE_NAME),
		[CZ_SET_VARIABLE] = WRITES(SET_VARIABLE),
		[CZ_GET_NEXT_HIGH_MONOTONIC_COUNT] =
			WRITES(GET_NEXT_HIGH_MONOTONIC_COUNT),
		[CZ_RESET_SYSTEM] = {SECONDS(10), 0, WRITERS},
		[CZ_UPDATE_CAPSULE] = {SECONDS(60), SERVICE(UPDATE_CAPSULE),
				       WRITERS},
		[CZ_QUERY_CAPSULE_CAPABILITIES] =
			READS(QUERY_CAPSULE_CAPABILITIES),
		[CZ_QUERY_VARIABLE_INFO] = READS(QUERY_VARIABLE_INFO),
	},
};

cz_service_mask cz_policy_withdraws(const struct cz *cz,
				    const struct cz_ending *ending)
{
	const struct cz_service_policy *policy;

	if (ending->service >= CZ_NULL_SERVICE) {
		return 0;
	}
	policy = &cz->policy.service[ending->service];
	return (ending->touched != 0 ? policy->dirty : policy->exact) &
	       CZ_FIRMWARE_SERVICES;
}
