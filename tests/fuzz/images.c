/* SPDX-License-Identifier: MIT */
/* Fuzzes the search for PE images. The input is a region of runtime code. */
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *fuzz;

	if (size > FUZZ_RAM_BYTES / 2) {
		return 0;
	}
	fuzz = fuzz_start(data, size);
	fuzz_sound_map(fuzz);
	cz_images_find(&fuzz->boot);
	fuzz_demand(fuzz->cz.image_count <= CZ_MAX_IMAGES);
	for (uint32_t i = 0; i < fuzz->cz.image_count; i++) {
		const struct cz_image *image = &fuzz->cz.images[i];
		uint64_t offset;

		fuzz_demand(memchr(image->name, 0, sizeof(image->name)) !=
			    NULL);
		fuzz_demand(image->name[0] != 0);
		fuzz_demand(image->size_bytes != 0);
		fuzz_demand(image->physical - FUZZ_RAM + image->size_bytes <=
			    FUZZ_RAM_BYTES / 2);
		fuzz_demand(cz_find_image(&fuzz->cz, image->address, &offset) ==
			    image);
	}
	return 0;
}
