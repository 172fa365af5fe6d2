/* SPDX-License-Identifier: MIT */
/*
 * Proves that a sweep missed no instruction: the addresses at which firmware
 * was interrupted, in the order of the instructions, form an unbroken path
 * through the code from the service's entry to its return.
 */
#include "sweep/trace.h"

#include <kernel/mm.h>
#include <kernel/options.h>
#include <kernel/print.h>

void trace_init(struct trace *trace, uint32_t capacity)
{
	uint64_t bytes = (uint64_t)capacity * sizeof(*trace->pc);
	uint64_t physical = pages_alloc((bytes + PAGE_SIZE - 1) / PAGE_SIZE);

	if (physical == 0) {
		panic("no memory for a trace of %u", capacity);
	}
	trace->pc = phys_to_virt(physical);
	trace->count = 0;
	trace->capacity = capacity;
}

void trace_add(struct trace *trace, uint64_t pc)
{
	if (trace->count != 0 && trace->pc[trace->count - 1] == pc) {
		return;
	}
	ASSERT(trace->count < trace->capacity);
	trace->pc[trace->count++] = pc;
}

/* Returns the region of firmware's code at an address, or NULL. */
static const struct cz_region *find_code(uint64_t pc)
{
	for (uint32_t i = 0; i < firmware->region_count; i++) {
		const struct cz_region *region = &firmware->regions[i];

		if ((region->prot & CZ_PROT_EXEC) != 0 &&
		    pc - region->address < region->page_count * PAGE_SIZE) {
			return region;
		}
	}
	return NULL;
}

static int64_t sign_extend(uint64_t value, unsigned bits)
{
	uint64_t sign = 1ull << (bits - 1);

	return (int64_t)((value ^ sign) - sign);
}

/* BR, BLR, RET */
static bool is_indirect(uint32_t instruction)
{
	return (instruction & 0xfe000000) == 0xd6000000;
}

/* Returns whether the instruction at pc can be followed by the one at next. The
 * branches are those of the Arm ARM, C4.1.65. */
static bool can_lead(uint32_t instruction, uint64_t pc, uint64_t next)
{
	int64_t offset;

	if ((instruction & 0x7c000000) == 0x14000000) { /* B, BL */
		offset = sign_extend(instruction & 0x3ffffff, 26) * 4;
		return next == pc + (uint64_t)offset;
	}
	if (is_indirect(instruction)) {
		return true;
	}
	if (next == pc + 4) {
		return true;
	}
	if ((instruction & 0xff000000) == 0x54000000 || /* B.cond */
	    (instruction & 0x7e000000) == 0x34000000) { /* CBZ, CBNZ */
		offset = sign_extend(instruction >> 5 & 0x7ffff, 19) * 4;
		return next == pc + (uint64_t)offset;
	}
	if ((instruction & 0x7e000000) == 0x36000000) { /* TBZ, TBNZ */
		offset = sign_extend(instruction >> 5 & 0x3fff, 14) * 4;
		return next == pc + (uint64_t)offset;
	}
	return false;
}

static uint32_t read_instruction(const struct cz_region *region, uint64_t pc)
{
	const uint32_t *at =
		phys_to_virt(region->physical + (pc - region->address));

	return *at;
}

bool trace_follows(uint64_t pc, uint64_t next)
{
	const struct cz_region *region = find_code(pc);

	return region != NULL &&
	       can_lead(read_instruction(region, pc), pc, next);
}

bool trace_leads_anywhere(uint64_t pc)
{
	const struct cz_region *region = find_code(pc);

	return region == NULL || is_indirect(read_instruction(region, pc));
}

static uint64_t relative_pc(uint64_t pc)
{
	uint64_t offset = pc;

	cz_find_image(firmware, pc, &offset);
	return offset;
}

static bool report_gap(const struct trace *trace, uint32_t i)
{
	kprintf("# after %u instructions, %llx is not followed by %llx\n", i,
		(unsigned long long)relative_pc(trace->pc[i]),
		(unsigned long long)relative_pc(trace->pc[i + 1]));
	return false;
}

bool trace_whole(const struct trace *trace, uint64_t entry)
{
	if (trace->count < 2 || trace->pc[0] != entry) {
		kprintf("# the path does not begin at the entry\n");
		return false;
	}
	for (uint32_t i = 0; i + 1 < trace->count; i++) {
		if (!trace_follows(trace->pc[i], trace->pc[i + 1])) {
			return report_gap(trace, i);
		}
	}
	if (find_code(trace->pc[trace->count - 1]) != NULL) {
		kprintf("# the path does not end with the return\n");
		return false;
	}
	return true;
}
