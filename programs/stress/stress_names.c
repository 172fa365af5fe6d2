/* SPDX-License-Identifier: MIT */
/* The names of the stress test's variables. */
#include "stress/stress_names.h"

#include "stress/stress.h"

#include <kernel/string.h>

static const uint16_t stem[] = u"CaesuraStress";
#define STEM_UNITS (sizeof(stem) / sizeof(*stem) - 1)

void name_make(uint16_t *name, unsigned variable)
{
	memcpy(name, stem, sizeof(stem));
	name[STEM_UNITS] = (uint16_t)(u'0' + variable / 10);
	name[STEM_UNITS + 1] = (uint16_t)(u'0' + variable % 10);
	name[STEM_UNITS + 2] = 0;
}

unsigned name_count_variable(void)
{
	return STRESS_SHARED + stress.threads;
}

unsigned name_find(const uint16_t *name, const struct cz_efi_guid *guid)
{
	static const uint16_t count_name[] = u"MTC";
	uint16_t ours[STRESS_NAME_UNITS];

	if (memcmp(guid, &test_guid, sizeof(*guid)) != 0) {
		return name_equal(name, count_name) ? name_count_variable()
						    : NAME_FOREIGN;
	}
	for (unsigned i = 0; i < name_count_variable(); i++) {
		name_make(ours, i);
		if (name_equal(name, ours)) {
			return i;
		}
	}
	return NAME_FOREIGN;
}
