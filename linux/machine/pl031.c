/* SPDX-License-Identifier: MIT */
#include "machine/pl031.h"

#include <stddef.h>

/* PL031 TRM (DDI 0224) 3.3.9 and 3.3.10: each word holds one byte. */
#define IDENTIFICATION 0xfe0u

bool pl031_is_known(const struct device *device)
{
	static const struct {
		uint8_t mask, value;
	} wanted[] = {
		/* Part 0x031 of designer 0x41, any revision and
		 * configuration. */
		{0xff, 0x31},
		{0xff, 0x10},
		{0x0f, 0x04},
		{0x00, 0x00},
		/* The class: PrimeCell. */
		{0xff, 0x0d},
		{0xff, 0xf0},
		{0xff, 0x05},
		{0xff, 0xb1},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		uint32_t word = device_read32(device, IDENTIFICATION + 4 * i);

		if ((word & wanted[i].mask) != wanted[i].value) {
			return false;
		}
	}
	return true;
}
