/* SPDX-License-Identifier: MIT */
/* Fuzzes the parser of the Memory Attributes Table. The input is
 * the table. It is at the start of RAM, or its address is near the end of
 * RAM. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *fuzz;

	if (size < 2 || size > 8192) {
		return 0;
	}
	fuzz = fuzz_start(data + 1, size - 1);
	fuzz->config.map_mode = data[0] % 3;
	fuzz_sound_map(fuzz);
	fuzz->boot.attributes_table = FUZZ_RAM;
	if (data[0] > 250) {
		fuzz->boot.attributes_table += FUZZ_RAM_BYTES - 64;
	}
	if (cz_regions_build(&fuzz->boot) == CZ_OK &&
	    cz_memattr_regions(&fuzz->boot) == CZ_OK) {
		fuzz_check_regions(fuzz);
	}
	return 0;
}
