/* SPDX-License-Identifier: MIT */
/*
 * Registers of devices, and memory that is mapped as a device's. Each access is one
 * load or store of one register, without write-back: a hypervisor that emulates the
 * device learns no more than that from the processor (Arm ARM, ESR_EL2.ISS.ISV), and
 * ends a guest that accesses it in another way. A compiler is free to choose others,
 * so nobody else may access such memory: it has a type that cannot be dereferenced.
 */
#ifndef LINUX_DEVICE_H
#define LINUX_DEVICE_H

#include <stdint.h>

/* The first byte of a mapping. */
struct device;

/* The offset is in bytes, and a multiple of the access's size. Signal-safe. */
uint32_t device_read32(const struct device *device, uint64_t offset);
uint64_t device_read64(const struct device *device, uint64_t offset);
void device_write32(struct device *device, uint64_t offset, uint32_t value);

#endif
