/* SPDX-License-Identifier: MIT */
/* Compares hashes of pages and registers with earlier ones; see the header. */
#include <kernel/integrity.h>

#include "arch/cpu.h"
#include "dev/gic.h"
#include "mm/internal.h"
#include "mm/table.h"
#include <caesura/uefi.h>
#include <kernel/boot_info.h>
#include <kernel/machine.h>
#include <kernel/mm.h>
#include <kernel/print.h>

#define LEVELS 4
#define MAX_RANGES 256
#define WORDS (PAGE_SIZE / 8)
#define MULTIPLIER 0x9e3779b97f4a7c15ull
#define SPARE_BIT (1ull << 63) /* the MMU ignores it in an invalid descriptor */
#define GICD_BYTES 0x10000
#define GICR_BYTES 0x20000
#define GICR_SGI 0x10000

extern const char __image_start[], __rodata_end[];

enum owner {
	OWNER_NONE, /* no code may change the page */
	OWNER_SOMEBODY, /* ordinary work may change it */
	OWNER_FIXED, /* code, constants or a page table: never changes */
};

struct page_state {
	uint64_t hash;
	enum owner owner;
};

struct range {
	uint64_t physical, count;
	struct page_state *states;
};

#define REGISTER_COUNT 12

static struct {
	struct range ranges[MAX_RANGES];
	uint32_t range_count;
	uint64_t pages, owned;
	uint64_t registers[REGISTER_COUNT];
	uint64_t gic, secure_calls;
	volatile uint8_t *distributor, *redistributor;
	uint64_t spare_page;
} integrity;

/* ---- hashes ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * MULTIPLIER;
	return hash ^ hash >> 29;
}

/* Keeps four independent hashes, which the CPU can compute in parallel. Each
 * step is invertible, so a change of one word always changes one of the
 * four. */
static uint64_t hash_page(uint64_t physical)
{
	const uint64_t *word = phys_to_virt(physical);
	uint64_t a = 1, b = 2, c = 3, d = 4;

	for (uint64_t i = 0; i < WORDS; i += 4) {
		a = (a ^ word[i]) * MULTIPLIER;
		b = (b ^ word[i + 1]) * MULTIPLIER;
		c = (c ^ word[i + 2]) * MULTIPLIER;
		d = (d ^ word[i + 3]) * MULTIPLIER;
	}
	return mix(mix(mix(a, b), c), d);
}

static void read_registers(uint64_t registers[REGISTER_COUNT])
{
	registers[0] = READ_SYSREG(sctlr_el1);
	registers[1] = READ_SYSREG(ttbr1_el1);
	registers[2] = READ_SYSREG(tcr_el1);
	registers[3] = READ_SYSREG(mair_el1);
	registers[4] = READ_SYSREG(vbar_el1);
	registers[5] = READ_SYSREG(cpacr_el1);
	registers[6] = READ_SYSREG(mdscr_el1);
	registers[7] = READ_SYSREG(cntkctl_el1);
	registers[8] = READ_SYSREG(tpidr_el1);
	registers[9] = READ_SYSREG(contextidr_el1);
	registers[10] = READ_SYSREG(ttbr0_el1);
	registers[11] = READ_SYSREG(cntp_ctl_el0);
}

/* Hashes the enable bits, groups and priorities, but not the pending state. */
static uint64_t hash_gic(void)
{
	uint32_t blocks = gic_blocks(integrity.distributor);
	uint64_t hash = gic_read(integrity.distributor, GIC_CTLR);

	for (uint32_t block = 0; block < blocks; block++) {
		volatile uint8_t *base = integrity.distributor;

		if (block == 0 && integrity.redistributor != NULL) {
			base = integrity.redistributor + GICR_SGI;
		}
		hash = mix(hash, gic_read(base, GIC_IGROUPR(block)));
		hash = mix(hash, gic_read(base, GIC_ISENABLER(block)));
		for (uint32_t i = 0; i < 8; i++) {
			hash = mix(
				hash,
				gic_read(base, GIC_IPRIORITYR(8 * block + i)));
		}
	}
	return hash;
}

/* ---- which pages are watched, and which of them have owners ---- */

static bool is_kernel_memory(uint32_t type)
{
	switch (type) {
	case CZ_EFI_LOADER_CODE:
	case CZ_EFI_LOADER_DATA:
	case CZ_EFI_BOOT_SERVICES_CODE:
	case CZ_EFI_BOOT_SERVICES_DATA:
	case CZ_EFI_CONVENTIONAL:
		return true;
	default:
		return false;
	}
}

static void add_range(uint64_t physical, uint64_t count)
{
	struct range *range = &integrity.ranges[integrity.range_count];

	if (integrity.range_count == MAX_RANGES) {
		panic("integrity: more than %u ranges of memory", MAX_RANGES);
	}
	integrity.range_count++;
	range->physical = physical;
	range->count = count;
	range->states = kalloc(count * sizeof(*range->states));
	integrity.pages += count;
}

static void find_ranges(void)
{
	const uint8_t *map = phys_to_virt(boot_info.memory_map);

	for (uint64_t at = 0; at + sizeof(struct cz_efi_memory_descriptor) <=
			      boot_info.memory_map_size;
	     at += boot_info.descriptor_size) {
		const struct cz_efi_memory_descriptor *entry =
			(const void *)(map + at);

		if (is_kernel_memory(entry->type) &&
		    linear_covers(entry->physical_start,
				  entry->number_of_pages << PAGE_SHIFT)) {
			add_range(entry->physical_start,
				  entry->number_of_pages);
		}
	}
}

static struct page_state *state_of(uint64_t physical)
{
	for (uint32_t i = 0; i < integrity.range_count; i++) {
		const struct range *range = &integrity.ranges[i];
		uint64_t page = (physical - range->physical) >> PAGE_SHIFT;

		if (physical >= range->physical && page < range->count) {
			return &range->states[page];
		}
	}
	return NULL;
}

static void mark_fixed(uint64_t physical)
{
	struct page_state *state = state_of(physical);

	if (state != NULL) {
		state->owner = OWNER_FIXED;
	}
}

/* Marks the pages of all page tables under `table` as fixed. */
static void mark_tables(uint64_t table, unsigned level)
{
	const uint64_t *entry = phys_to_virt(table);

	mark_fixed(table);
	for (unsigned i = 0; i < TABLE_ENTRIES && level + 1 < LEVELS; i++) {
		if ((entry[i] & (PTE_VALID | PTE_TABLE)) ==
		    (PTE_VALID | PTE_TABLE)) {
			mark_tables(entry[i] & PTE_ADDRESS, level + 1);
		}
	}
}

static void mark_image(void)
{
	uint64_t size = (uint64_t)(__rodata_end - __image_start);

	for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
		mark_fixed(boot_info.image_base + at);
	}
}

static void mark_owned(struct page_state *state)
{
	if (state->owner == OWNER_NONE) {
		state->owner = OWNER_SOMEBODY;
		integrity.owned++;
	}
}

/* Gives owners to the pages of all thread stacks, including those that the
 * threads have not used yet. */
static void mark_stacks(void)
{
	uint64_t at = STACK_AREA_START, physical;

	while ((physical = map_next_stack_page(&at)) != 0) {
		struct page_state *state = state_of(physical);

		if (state != NULL) {
			mark_owned(state);
		}
	}
}

/* ---- comparison ---- */

static void map_gic(void)
{
	integrity.distributor =
		device_map(machine.gic_distributor,
			   machine.gic_version == 2 ? PAGE_SIZE : GICD_BYTES);
	if (machine.gic_version != 2) {
		integrity.redistributor =
			device_map(machine.gic_redistributor, GICR_BYTES);
	}
}

static void take_registers(void)
{
	read_registers(integrity.registers);
	integrity.gic = hash_gic();
	integrity.secure_calls = psci_passed_on();
}

void integrity_begin(void)
{
	find_ranges();
	map_gic();
	integrity.spare_page = pages_alloc(1);
	if (integrity.spare_page == 0) {
		panic("integrity: no page");
	}
	mark_image();
	mark_tables(kernel_table, 0);
	mark_fixed(empty_table);
	mark_stacks();
	for (uint32_t i = 0; i < integrity.range_count; i++) {
		struct range *range = &integrity.ranges[i];

		for (uint64_t page = 0; page < range->count; page++) {
			range->states[page].hash = hash_page(
				range->physical + (page << PAGE_SHIFT));
		}
	}
	take_registers();
}

/* Searches for the next page, from a position on, whose hash has changed.
 * Returns false if there is none. */
static bool find_changed(uint32_t *range_at, uint64_t *page_at, bool owned_too)
{
	for (; *range_at < integrity.range_count; ++*range_at, *page_at = 0) {
		struct range *range = &integrity.ranges[*range_at];

		for (; *page_at < range->count; ++*page_at) {
			struct page_state *state = &range->states[*page_at];
			uint64_t hash;

			if (state->owner == OWNER_SOMEBODY && !owned_too) {
				continue;
			}
			hash = hash_page(range->physical +
					 (*page_at << PAGE_SHIFT));
			if (hash != state->hash) {
				state->hash = hash;
				return true;
			}
		}
	}
	return false;
}

void integrity_own(uint64_t physical, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct page_state *state =
			state_of(physical + (i << PAGE_SHIFT));

		if (state != NULL) {
			mark_owned(state);
		}
	}
}

static const char *describe(const struct page_state *state, uint64_t physical)
{
	if (state->owner != OWNER_FIXED) {
		return "memory without an owner";
	}
	return physical - boot_info.image_base < boot_info.image_size
		       ? "the kernel's code or constants"
		       : "a page table";
}

static void log_change(uint32_t range, uint64_t page)
{
	uint64_t physical =
		integrity.ranges[range].physical + (page << PAGE_SHIFT);

	kprintf("# changed: %s, page %llx\n",
		describe(&integrity.ranges[range].states[page], physical),
		(unsigned long long)physical);
}

bool integrity_learn(void)
{
	uint32_t range = 0;
	uint64_t page = 0;
	bool right = true;

	for (; find_changed(&range, &page, true); page++) {
		struct page_state *state =
			&integrity.ranges[range].states[page];

		if (state->owner == OWNER_FIXED) {
			log_change(range, page);
			right = false;
		} else {
			mark_owned(state);
		}
	}
	return right;
}

static bool check_registers(void)
{
	uint64_t registers[REGISTER_COUNT];
	uint64_t secure_calls = integrity.secure_calls;
	uint64_t gic = integrity.gic;
	bool right = true;

	read_registers(registers);
	for (uint32_t i = 0; i < REGISTER_COUNT; i++) {
		if (registers[i] != integrity.registers[i]) {
			kprintf("# changed: system register %u, %llx instead "
				"of "
				"%llx\n",
				i, (unsigned long long)registers[i],
				(unsigned long long)integrity.registers[i]);
			right = false;
		}
	}
	take_registers();
	if (integrity.gic != gic) {
		kprintf("# changed: the interrupt controller\n");
		right = false;
	}
	if (integrity.secure_calls != secure_calls) {
		kprintf("# changed: %llu secure calls were passed on\n",
			(unsigned long long)(integrity.secure_calls -
					     secure_calls));
		right = false;
	}
	return right;
}

bool integrity_check(void)
{
	uint32_t range = 0;
	uint64_t page = 0;
	bool right = true;

	for (; find_changed(&range, &page, false); page++) {
		log_change(range, page);
		right = false;
	}
	return check_registers() && right;
}

uint64_t integrity_pages(void)
{
	return integrity.pages;
}

uint64_t integrity_owned_pages(void)
{
	return integrity.owned;
}

/* ---- changes on purpose, to test the detection ---- */

static void disturb_table(bool back)
{
	uint64_t *entry = phys_to_virt(kernel_table);

	for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
		if ((entry[i] & PTE_VALID) == 0) {
			entry[i] = back ? 0 : SPARE_BIT;
			return;
		}
	}
}

void integrity_disturb(enum integrity_thing thing, bool back)
{
	switch (thing) {
	case INTEGRITY_MEMORY:
		*(volatile uint64_t *)phys_to_virt(integrity.spare_page) =
			!back;
		return;
	case INTEGRITY_TABLE:
		disturb_table(back);
		return;
	default:
		WRITE_SYSREG(contextidr_el1, !back);
		isb();
		return;
	}
}
