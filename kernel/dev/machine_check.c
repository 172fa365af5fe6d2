/* SPDX-License-Identifier: MIT */
/* Checks what the drivers assume about the machine: addresses, sizes, CPUs. */
#include "dev/machine_check.h"
#include <kernel/mm.h>
#include <stddef.h>

#define GICV3_FRAME 0x10000u
#define REDISTRIBUTOR_BYTES (2 * GICV3_FRAME)
#define MAX_ADDRESS (UINT64_C(1) << 48)
#define MAX_REDISTRIBUTORS 4096u
#define FIRST_PPI 16
#define LAST_PPI 31
#define MAX_REGIONS 3

struct region {
	uint64_t start, size;
	uint64_t alignment;
	const char *unaligned, *too_high;
};

static size_t list_regions(const struct machine *found, struct region *regions)
{
	bool v3 = found->gic_version == 3;

	regions[0] = (struct region){found->uart, PAGE_SIZE, PAGE_SIZE,
				     "console: not on a page of its own",
				     "console: beyond 48 bits"};
	regions[1] = (struct region){found->gic_distributor,
				     v3 ? GICV3_FRAME : PAGE_SIZE,
				     v3 ? GICV3_FRAME : PAGE_SIZE,
				     "interrupt distributor: not aligned",
				     "interrupt distributor: beyond 48 bits"};
	if (v3) {
		regions[2] = (struct region){
			found->gic_redistributor, found->gic_redistributor_size,
			GICV3_FRAME, "redistributors: not aligned",
			"redistributors: wrap around, or beyond 48 bits"};
	} else {
		regions[2] = (struct region){
			found->gic_cpu_interface, PAGE_SIZE, PAGE_SIZE,
			"interrupt CPU interface: not aligned",
			"interrupt CPU interface: beyond 48 bits"};
	}
	return MAX_REGIONS;
}

static const char *check_region(const struct region *region, uint64_t *value)
{
	*value = region->start;
	if (region->start % region->alignment != 0) {
		return region->unaligned;
	}
	if (region->start >= MAX_ADDRESS ||
	    region->size > MAX_ADDRESS - region->start) {
		return region->too_high;
	}
	return NULL;
}

static bool overlap(const struct region *a, const struct region *b)
{
	return a->start < b->start + b->size && b->start < a->start + a->size;
}

static const char *check_regions(const struct machine *found, uint64_t *value)
{
	struct region regions[MAX_REGIONS];
	size_t count = list_regions(found, regions);

	for (size_t i = 0; i < count; i++) {
		const char *wrong = check_region(&regions[i], value);
		if (wrong != NULL) {
			return wrong;
		}
		for (size_t k = 0; k < i; k++) {
			if (overlap(&regions[i], &regions[k])) {
				return "two devices at the same address";
			}
		}
	}
	return NULL;
}

static const char *check_controller(const struct machine *found,
				    uint64_t *value)
{
	*value = found->gic_version;
	if (found->gic_version != 2 && found->gic_version != 3) {
		return "interrupt controller: neither version 2 nor 3";
	}
	*value = found->gic_redistributor_size;
	if (found->gic_version == 3 &&
	    (*value < REDISTRIBUTOR_BYTES || *value % GICV3_FRAME != 0 ||
	     *value / REDISTRIBUTOR_BYTES > MAX_REDISTRIBUTORS)) {
		return "redistributors: no sensible size";
	}
	*value = found->timer_irq;
	if (found->timer_irq < FIRST_PPI || found->timer_irq > LAST_PPI) {
		return "virtual timer: its interrupt is not a PPI";
	}
	return NULL;
}

static const char *check_cpus(const struct machine *found, uint64_t *value)
{
	*value = found->cpu_count;
	if (found->cpu_count == 0 || found->cpu_count > MACHINE_MAX_CPUS) {
		return "no CPU, or too many";
	}
	for (uint32_t i = 0; i < found->cpu_count; i++) {
		*value = found->mpidr[i];
		for (uint32_t k = 0; k < i; k++) {
			if (found->mpidr[k] == *value) {
				return "the same CPU twice";
			}
		}
	}
	return NULL;
}

const char *machine_check(const struct machine *found, uint64_t *value)
{
	const char *wrong = check_cpus(found, value);

	if (wrong == NULL) {
		wrong = check_controller(found, value);
	}
	return wrong != NULL ? wrong : check_regions(found, value);
}
