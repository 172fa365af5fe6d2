/* SPDX-License-Identifier: MIT */
/*
 * Tests of memory protection: the permissions of the kernel's own pages, read
 * with address translation instructions, and PAN.
 */
#include "lib/watch.h"
#include "selftest/selftest.h"

#include <kernel/ktap.h>
#include <kernel/mm.h>
#include <kernel/print.h>

#define PAR_FAULT 1u
#define PAR_ADDRESS 0x0000fffffffff000ull
#define TABLE_CLOSED (3ull << 60) /* APTable: not EL0; UXNTable */
#define SCTLR_SPAN (1ull << 23)

#define TRANSLATE(stage, address)                            \
	__extension__({                                      \
		uint64_t daif_, par_;                        \
		__asm__ volatile("mrs %0, daif\n\t"          \
				 "msr daifset, #2\n\t"       \
				 "at " #stage ", %2\n\t"     \
				 "isb\n\t"                   \
				 "mrs %1, par_el1\n\t"       \
				 "msr daif, %0"              \
				 : "=&r"(daif_), "=&r"(par_) \
				 : "r"((uint64_t)(address))  \
				 : "memory");                \
		par_;                                        \
	})

static const uint32_t constant = 1;
static volatile uint32_t variable = 1;

static bool readable(uint64_t address)
{
	return (TRANSLATE(s1e1r, address) & PAR_FAULT) == 0;
}

static bool writable(uint64_t address)
{
	return (TRANSLATE(s1e1w, address) & PAR_FAULT) == 0;
}

/* Returns the address of the same byte in the linear map. */
static uint64_t linear(uint64_t address)
{
	uint64_t par = TRANSLATE(s1e1r, address);

	return LINEAR_BASE + (par & PAR_ADDRESS) + (address & (PAGE_SIZE - 1));
}

static void check(const char *name, uint64_t address, bool write)
{
	bool can_read = readable(address), can_write = writable(address);

	if (!can_read || can_write != write) {
		kprintf("# %016llx: %s, %s\n", (unsigned long long)address,
			can_read ? "readable" : "not readable",
			can_write ? "writable" : "not writable");
	}
	ktap_result(can_read && can_write == write, name);
}

/* The tables forbid accesses whatever a page's own descriptor permits. The
 * program `escape` tries such accesses. */
static void test_seal(void)
{
	uint64_t ttbr1;
	const uint64_t *root;
	bool sealed = true;

	__asm__("mrs %0, ttbr1_el1" : "=r"(ttbr1));
	root = phys_to_virt(ttbr1 & PAR_ADDRESS);
	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*root); i++) {
		if ((root[i] & 1) != 0) {
			sealed = sealed &&
				 (root[i] & TABLE_CLOSED) == TABLE_CLOSED;
		}
	}
	ktap_result(sealed, "memory: the kernel's half is closed to EL0");
}

static void test_pan(void)
{
	struct system_state now = system_state_now();

	if ((cpu_state_bits() & STATE_PAN) == 0) {
		ktap_skip("memory: PAN is set, also on entry to exceptions",
			  "the CPU does not have it");
		return;
	}
	ktap_result((now.state & STATE_PAN) != 0 &&
			    (now.sctlr & SCTLR_SPAN) == 0,
		    "memory: PAN is set, also on entry to exceptions");
}

void test_memory(void)
{
	uint64_t text = (uintptr_t)test_memory;
	uint64_t rodata = (uintptr_t)&constant;
	uint64_t data = (uintptr_t)&variable;

	check("memory: code is read-only", text, false);
	check("memory: constants are read-only", rodata, false);
	check("memory: data can be written", data, true);
	check("memory: the alias of code is read-only", linear(text), false);
	check("memory: the alias of constants is read-only", linear(rodata),
	      false);
	check("memory: the alias of data can be written", linear(data), true);
	ktap_result(!readable((uintptr_t)__builtin_frame_address(0) &
			      ~(2 * 16384ull - 1)),
		    "memory: nothing is mapped under a stack");
	ktap_result(!readable(0), "memory: nothing is mapped at null");
	test_seal();
	test_pan();
}
