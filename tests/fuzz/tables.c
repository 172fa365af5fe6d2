/* SPDX-License-Identifier: MIT */
/* Fuzzes the reading of the system table and of the tables that it points to.
 * The input is RAM that begins with the system table. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *fuzz;

	if (size < 2 || size > 16384) {
		return 0;
	}
	fuzz = fuzz_start(data + 1, size - 1);
	fuzz->config.map_mode = data[0] % 3;
	fuzz_sound_map(fuzz);
	if (cz_tables_open(&fuzz->boot) == CZ_OK &&
	    cz_regions_build(&fuzz->boot) == CZ_OK &&
	    cz_memattr_regions(&fuzz->boot) == CZ_OK) {
		fuzz_check_regions(fuzz);
		(void)cz_tables_find_virtual_map(&fuzz->boot);
		(void)cz_tables_services(&fuzz->boot);
		for (uint32_t i = 0; i < CZ_NULL_SERVICE; i++) {
			uint64_t function = fuzz->cz.function[i];
			const struct cz_region *region =
				cz_find_region(&fuzz->cz, function);

			fuzz_demand(function == 0 ||
				    (region != NULL &&
				     (region->prot & CZ_PROT_EXEC) != 0));
		}
	}
	return 0;
}
