/* SPDX-License-Identifier: MIT */
/*
 * Records what the library logs, and the system registers at that moment. The
 * library logs on the worker right after firmware has returned, when all
 * registers must be restored.
 */
#include "lib/watch.h"

#include "lib/common.h"

#include <kernel/port.h>
#include <kernel/print.h>

#define READ(name)                                                 \
	__extension__({                                            \
		uint64_t value_;                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)); \
		value_;                                            \
	})

struct watched watched;

#define FIELD(name, shift) (READ(name) >> (shift)&15)

uint64_t cpu_state_bits(void)
{
	uint64_t bits = 0;

	bits |= FIELD(id_aa64mmfr1_el1, 20) != 0 ? STATE_PAN : 0;
	bits |= FIELD(s3_0_c0_c7_2, 4) != 0 ? STATE_UAO : 0;
	bits |= FIELD(id_aa64pfr0_el1, 48) != 0 ? STATE_DIT : 0;
	bits |= FIELD(id_aa64pfr1_el1, 4) >= 2 ? STATE_SSBS : 0;
	bits |= FIELD(id_aa64pfr1_el1, 8) != 0 ? STATE_TCO : 0;
	bits |= FIELD(id_aa64pfr1_el1, 36) != 0 ? STATE_ALLINT : 0;
	return bits;
}

/* Leaves out TCO and ALLINT. Every exception sets both, and the kernel keeps
 * them set across a switch, because it neither tags memory nor enables
 * FEAT_NMI. */
static uint64_t state_now(void)
{
	uint64_t has = cpu_state_bits(), state = 0;

	state |= (has & STATE_PAN) != 0 ? READ(s3_0_c4_c2_3) : 0;
	state |= (has & STATE_UAO) != 0 ? READ(s3_0_c4_c2_4) : 0;
	state |= (has & STATE_DIT) != 0 ? READ(s3_3_c4_c2_5) : 0;
	state |= (has & STATE_SSBS) != 0 ? READ(s3_3_c4_c2_6) : 0;
	return state;
}

bool cpu_has_sve(void)
{
	return (READ(id_aa64pfr0_el1) >> 32 & 15) != 0;
}

struct system_state system_state_now(void)
{
	return (struct system_state){
		.daif = READ(daif),
		.spsel = READ(spsel),
		.state = state_now(),
		.tpidr_el0 = READ(tpidr_el0),
		.tpidr_el1 = READ(tpidr_el1),
		.ttbr0 = READ(ttbr0_el1),
		.vbar = READ(vbar_el1),
		.sctlr = READ(sctlr_el1),
		.cpacr = READ(cpacr_el1),
	};
}

static uint64_t differs(const char *name, uint64_t found, uint64_t due)
{
	if (found != due) {
		kprintf("# %s is %llx instead of %llx\n", name,
			(unsigned long long)found, (unsigned long long)due);
	}
	return found ^ due;
}

bool system_state_same(const struct system_state *found,
		       const struct system_state *due)
{
	return (differs("DAIF", found->daif, due->daif) |
		differs("SPSel", found->spsel, due->spsel) |
		differs("PSTATE", found->state, due->state) |
		differs("TPIDR_EL0", found->tpidr_el0, due->tpidr_el0) |
		differs("TPIDR_EL1", found->tpidr_el1, due->tpidr_el1) |
		differs("TTBR0_EL1", found->ttbr0, due->ttbr0) |
		differs("VBAR_EL1", found->vbar, due->vbar) |
		differs("SCTLR_EL1", found->sctlr, due->sctlr) |
		differs("CPACR_EL1", found->cpacr, due->cpacr)) == 0;
}

static void watch(const char *line)
{
	if (watched.lines == 0) {
		watched.state = system_state_now();
		ksnprintf(watched.first, sizeof(watched.first), "%s", line);
	}
	ksnprintf(watched.last, sizeof(watched.last), "%s", line);
	watched.lines++;
}

void watch_begin(void)
{
	watched.lines = 0;
	watched.first[0] = '\0';
	watched.last[0] = '\0';
	port_watch_log(watch);
}

void watch_end(void)
{
	port_watch_log(NULL);
}

void restore_services(void)
{
	for (int i = 0; i < CZ_SERVICE_COUNT; i++) {
		cz_restore(firmware, (enum cz_service)i);
	}
}
