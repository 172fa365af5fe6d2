/* SPDX-License-Identifier: MIT */
/* Each function has one access instruction, see device.h. tools/devices.awk
 * checks the code that the compiler made of them. */
#include "machine/device.h"

uint32_t device_read32(const struct device *device, uint64_t offset)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]"
			 : "=r"(value)
			 : "r"((uintptr_t)device + offset)
			 : "memory");
	return value;
}

uint64_t device_read64(const struct device *device, uint64_t offset)
{
	uint64_t value;

	__asm__ volatile("ldr %0, [%1]"
			 : "=r"(value)
			 : "r"((uintptr_t)device + offset)
			 : "memory");
	return value;
}

void device_write32(struct device *device, uint64_t offset, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]"
			 :
			 : "r"(value), "r"((uintptr_t)device + offset)
			 : "memory");
}
