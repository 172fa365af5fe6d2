/* SPDX-License-Identifier: MIT */
/*
 * Registers of devices, and memory that is mapped as Device memory. Each access
 * is one load or store instruction of one register, without write-back. A
 * hypervisor that emulates the device can decode no other access from the
 * processor's syndrome (Arm ARM, ESR_EL2.ISS.ISV), and ends a guest that makes
 * one. A compiler may choose such instructions, so all accesses go through
 * these functions: the type of the memory cannot be dereferenced.
 */
#ifndef LINUX_DEVICE_H
#define LINUX_DEVICE_H

#include <stdint.h>

/* The first byte of a mapping. */
struct device;

/* The offset is in bytes, and a multiple of the access's size. These functions
 * are signal-safe. */
uint32_t device_read32(const struct device *device, uint64_t offset);
uint64_t device_read64(const struct device *device, uint64_t offset);
void device_write32(struct device *device, uint64_t offset, uint32_t value);

#endif
