/* SPDX-License-Identifier: MIT */
/* Implements linux/machine/device.h on a test's memory, on any build
 * machine. */
#include "machine/device.h"

#include <string.h>

uint32_t device_read32(const struct device *device, uint64_t offset)
{
	uint32_t value;

	memcpy(&value, (const uint8_t *)device + offset, sizeof(value));
	return value;
}

uint64_t device_read64(const struct device *device, uint64_t offset)
{
	uint64_t value;

	memcpy(&value, (const uint8_t *)device + offset, sizeof(value));
	return value;
}

void device_write32(struct device *device, uint64_t offset, uint32_t value)
{
	memcpy((uint8_t *)device + offset, &value, sizeof(value));
}
