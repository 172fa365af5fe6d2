/* SPDX-License-Identifier: MIT */
/*
 * Tests the sandbox's emulation of instructions, which covers those in the
 * table and no others, the time for which firmware masks interrupts, and the
 * end of a call by exceptions, some of which QEMU cannot raise.
 */
#include "call.h"
#include "fake.h"
#include "interleave.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY(op0, op1, crn, crm, op2) \
	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define MRS(key, rt) (0xd5200000u | (uint32_t)(key) << 5 | (rt))
#define MSR(key, rt) (0xd5000000u | (uint32_t)(key) << 5 | (rt))

#define DAIF KEY(3, 3, 4, 2, 1)
#define DAIF_I 0x80u
#define DAIFSET(bits) (0xd50340dfu | (bits) << 8)
#define DAIFCLR(bits) (0xd50340ffu | (bits) << 8)
#define HVC 0xd4000002u
#define SMC 0xd4000003u
#define WFI 0xd503207fu

static const struct cz_service_stats *stats(void)
{
	return &fake_cz.stats.service[CZ_GET_TIME];
}

static uint64_t traps(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < CZ_TRAP_COUNT; i++) {
		sum += stats()->traps[i];
	}
	return sum;
}

static int start(void **state)
{
	(void)state;
	fake_start();
	return 0;
}

/* Checks that a read of the register is emulated, stepped over and counted as
 * that kind. Returns the value read. */
static uint64_t read_as(uint32_t key, enum cz_trap kind)
{
	uint64_t before = stats()->traps[kind];

	assert_true(fake_trap(MRS(key, 3), EC_SYSTEM));
	assert_int_equal(fake_frame.pc, FAKE_CODE + 0x104);
	assert_int_equal(stats()->traps[kind], before + 1);
	return fake_frame.x[3];
}

static void write_as(uint32_t key, uint64_t value, enum cz_trap kind)
{
	uint64_t before = stats()->traps[kind];

	fake_frame.x[5] = value;
	assert_true(fake_trap(MSR(key, 5), EC_SYSTEM));
	assert_int_equal(fake_frame.pc, FAKE_CODE + 0x104);
	assert_int_equal(stats()->traps[kind], before + 1);
	assert_int_equal(fake_frame.x[5], value);
}

/* ---- The table ---- */

static void firmware_reads_the_state_of_el1(void **state)
{
	(void)state;
	assert_int_equal(read_as(KEY(3, 0, 4, 2, 2), CZ_TRAP_STATE), 4);
	assert_int_equal(read_as(KEY(3, 0, 4, 2, 0), CZ_TRAP_STATE), 1);
	write_as(KEY(3, 0, 4, 2, 0), 0, CZ_TRAP_STATE);
	assert_int_equal(read_as(KEY(3, 0, 4, 2, 0), CZ_TRAP_STATE), 0);
	assert_true(fake_trap(0xd50041bf, EC_UNKNOWN)); /* MSR SPSel, #1 */
	assert_int_equal(read_as(KEY(3, 0, 4, 2, 0), CZ_TRAP_STATE), 1);
}

static void system_registers_show_little(void **state)
{
	(void)state;
	for (int i = 0; i <= CZ_MACHINE_MAIR; i++) {
		fake_host.registers[i] = UINT64_MAX;
	}
	assert_int_equal(read_as(KEY(3, 0, 1, 0, 0), CZ_TRAP_SYSTEM), 0x8100f);
	assert_int_equal(read_as(KEY(3, 0, 1, 0, 2), CZ_TRAP_SYSTEM),
			 UINT64_MAX);
	assert_int_equal(read_as(KEY(3, 0, 2, 0, 0), CZ_TRAP_SYSTEM), 0);
	assert_int_equal(read_as(KEY(3, 0, 2, 0, 1), CZ_TRAP_SYSTEM), 0);
	assert_int_equal(read_as(KEY(3, 0, 2, 0, 2), CZ_TRAP_SYSTEM),
			 UINT64_MAX);
	assert_int_equal(read_as(KEY(3, 0, 10, 2, 0), CZ_TRAP_SYSTEM),
			 UINT64_MAX);
	assert_int_equal(read_as(KEY(3, 0, 12, 0, 0), CZ_TRAP_SYSTEM), 0);
	assert_int_equal(read_as(KEY(3, 0, 13, 0, 4), CZ_TRAP_SYSTEM), 0);
	write_as(KEY(3, 0, 13, 0, 4), 0x1234, CZ_TRAP_SYSTEM);
	assert_int_equal(read_as(KEY(3, 0, 13, 0, 4), CZ_TRAP_SYSTEM), 0x1234);
}

struct identification {
	uint8_t crm, op2;
	/* The lowest bit of each field that EL0 can use; 64 ends the list. */
	uint8_t fields[16];
};

/* Written independently of the library, from the Arm ARM. All other fields are
 * hidden, among them EL2, EL3, SVE, AMU (PFR0), NMI, GCS, MTE, SME (PFR1), APA,
 * API (ISAR1), MOPS (ISAR2), PAN (MMFR1), UAO (MMFR2), and all of AArch32. */
static const struct identification identifications[] = {
	{4, 0, {16, 20, 48, 60, 64}},
	{4, 1, {0, 4, 64}},
	{5, 0, {0, 64}},
	{6, 0, {4, 8, 12, 16, 20, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64}},
	{6, 1, {0, 12, 16, 20, 32, 36, 44, 48, 52, 56, 64}},
	{6, 2, {0, 4, 20, 28, 40, 48, 52, 56, 64}},
	{7, 0, {0, 4, 20, 24, 28, 64}},
	{7, 1, {36, 44, 64}},
	{7, 2, {16, 20, 32, 64}},
};

static uint64_t fields_of(uint32_t crm, uint32_t op2)
{
	uint64_t bits = 0;

	for (size_t i = 0;
	     i < sizeof(identifications) / sizeof(*identifications); i++) {
		const struct identification *one = &identifications[i];

		for (unsigned j = 0;
		     one->crm == crm && one->op2 == op2 && one->fields[j] < 64;
		     j++) {
			bits |= 15ull << one->fields[j];
		}
	}
	/* The fields EL0, EL1 and CSV2 are shown as 1 at most. */
	return crm == 4 && op2 == 0 ? bits | 0x11 | 1ull << 56 : bits;
}

static void identification_is_what_el0_can_use(void **state)
{
	(void)state;
	for (uint32_t crm = 1; crm < 8; crm++) {
		for (uint32_t op2 = 0; op2 < 8; op2++) {
			uint64_t value = read_as(KEY(3, 0, 0, crm, op2),
						 CZ_TRAP_IDENTIFICATION);

			if (value != fields_of(crm, op2)) {
				fail_msg("S3_0_C0_C%u_%u: %llx", crm, op2,
					 (unsigned long long)value);
			}
		}
	}
	assert_int_equal(read_as(KEY(3, 0, 0, 0, 5), CZ_TRAP_IDENTIFICATION),
			 UINT64_MAX); /* MPIDR */
	assert_false(fake_trap(MRS(KEY(3, 0, 0, 0, 1), 3), EC_SYSTEM));
	assert_false(fake_trap(MRS(KEY(3, 0, 0, 8, 0), 3), EC_SYSTEM));
}

static uint64_t shown_pfr0(uint64_t real)
{
	fake_host.identification[4 * 8] = real;
	return read_as(KEY(3, 0, 0, 4, 0), CZ_TRAP_IDENTIFICATION);
}

/* The fields EL0 and EL1 are 2 on a CPU that has AArch32, and CSV2 is 2 or 3 on
 * one that has SCXTNUM_EL1. */
static void aarch32_and_scxtnum_are_hidden(void **state)
{
	(void)state;
	assert_int_equal(shown_pfr0(0x2222), 0x11);
	assert_int_equal(shown_pfr0(0x1100000010110012), 0x1100000000110011);
	assert_int_equal(shown_pfr0(0x0200000000000011), 0x0100000000000011);
	assert_int_equal(shown_pfr0(0x0300000000000011), 0x0100000000000011);
	assert_int_equal(shown_pfr0(0x0100000000000011), 0x0100000000000011);
	assert_int_equal(shown_pfr0(0x0000000000000011), 0x0000000000000011);
}

/* The real register may be undefined for a cache that does not exist. */
static void only_real_caches_have_a_size(void **state)
{
	(void)state;
	fake_host.registers[CZ_MACHINE_CLIDR] = 3 | 4 << 3; /* L1 I+D, L2 */
	assert_int_equal(read_as(KEY(3, 1, 0, 0, 0), CZ_TRAP_IDENTIFICATION),
			 0xcc000000);
	write_as(KEY(3, 2, 0, 0, 0), 3, CZ_TRAP_IDENTIFICATION); /* L2 I */
	assert_int_equal(read_as(KEY(3, 1, 0, 0, 0), CZ_TRAP_IDENTIFICATION),
			 0);
	write_as(KEY(3, 2, 0, 0, 0), 2, CZ_TRAP_IDENTIFICATION);
	assert_int_equal(read_as(KEY(3, 1, 0, 0, 0), CZ_TRAP_IDENTIFICATION),
			 0xcc000020);
	write_as(KEY(3, 2, 0, 0, 0), 15, CZ_TRAP_IDENTIFICATION);
	assert_int_equal(read_as(KEY(3, 1, 0, 0, 0), CZ_TRAP_IDENTIFICATION),
			 0);
	fake_host.identification[7 * 8 + 2] = 0; /* no CCIDX, no CCSIDR2 */
	assert_false(fake_trap(MRS(KEY(3, 1, 0, 0, 2), 3), EC_SYSTEM));
}

static void cache_maintenance_is_limited_to_firmware(void **state)
{
	(void)state;
	write_as(KEY(1, 0, 7, 6, 1), FAKE_DATA + 0x47,
		 CZ_TRAP_CACHE); /* IVAC */
	assert_int_equal(fake_host.cleaned, 1);
	assert_int_equal(fake_host.cleaned_physical,
			 FAKE_DATA + FAKE_SHIFT + 0x40);
	write_as(KEY(1, 3, 7, 14, 1), FAKE_WINDOW + 0x3000, CZ_TRAP_CACHE);
	write_as(KEY(1, 0, 7, 14, 2), 0, CZ_TRAP_CACHE); /* CISW */
	assert_int_equal(fake_host.cleaned, 1);
	write_as(KEY(1, 0, 7, 5, 0), 0, CZ_TRAP_CACHE); /* IALLU */
	assert_int_equal(fake_host.invalidated, 1);
	fake_frame.x[5] = 0xffff800000000000;
	assert_false(fake_trap(MSR(KEY(1, 0, 7, 6, 1), 5), EC_UNKNOWN));
	fake_frame.x[5] = FAKE_DATA + FAKE_REGION_BYTES;
	assert_false(fake_trap(MSR(KEY(1, 0, 7, 6, 1), 5), EC_UNKNOWN));
	assert_int_equal(fake_host.cleaned, 1);
}

static void translation_uses_firmwares_regions(void **state)
{
	(void)state;
	write_as(KEY(1, 0, 7, 8, 0), FAKE_DATA + 0x1234, CZ_TRAP_TRANSLATION);
	assert_int_equal(read_as(KEY(3, 0, 7, 4, 0), CZ_TRAP_TRANSLATION),
			 (FAKE_DATA + FAKE_SHIFT + 0x1000) | 0xffull << 56);
	write_as(KEY(1, 0, 7, 8, 1), 0xffff800000000000, CZ_TRAP_TRANSLATION);
	assert_int_equal(read_as(KEY(3, 0, 7, 4, 0), CZ_TRAP_TRANSLATION) & 1,
			 1);
	write_as(KEY(1, 0, 8, 7, 0), 0, CZ_TRAP_TRANSLATION); /* VMALLE1 */
	write_as(KEY(1, 0, 9, 3, 1), 0, CZ_TRAP_TRANSLATION); /* VAE1ISNXS */
}

/* While SetVirtualAddressMap runs, firmware uses both its physical and its
 * virtual addresses. */
static void firmware_is_emulated_while_it_relocates(void **state)
{
	const uint64_t physical = FAKE_CODE + FAKE_SHIFT;

	(void)state;
	fake_cz.in_flight = NULL;
	fake_cz.regions[0].physical = physical;
	fake_host.code_at = physical;
	fake_cz.images[0].physical = physical;
	memcpy(fake_host.code, &(uint32_t){MRS(KEY(3, 0, 4, 2, 2), 3)}, 4);
	fake_frame.pc = physical;
	assert_false(cz_trap_emulate(&fake_cz, &fake_frame, 0, 0));
	fake_cz.is_relocating = true;
	assert_true(cz_trap_emulate(&fake_cz, &fake_frame, 0, 0));
	assert_int_equal(fake_frame.x[3], 4);
	assert_int_equal(fake_frame.pc, physical + 4);
	fake_frame.pc = FAKE_CODE;
	assert_true(cz_trap_emulate(&fake_cz, &fake_frame, 0, 0));

	memcpy(fake_host.code, &(uint32_t){MSR(KEY(1, 0, 7, 6, 1), 5)}, 4);
	fake_frame.pc = physical;
	fake_frame.x[5] = FAKE_DATA + FAKE_SHIFT + 0x47;
	assert_true(cz_trap_emulate(&fake_cz, &fake_frame, 0, 0));
	assert_int_equal(fake_host.cleaned_physical,
			 FAKE_DATA + FAKE_SHIFT + 0x40);
	memcpy(fake_host.code, &(uint32_t){MSR(KEY(1, 0, 7, 8, 0), 5)}, 4);
	fake_frame.pc = physical;
	assert_true(cz_trap_emulate(&fake_cz, &fake_frame, 0, 0));
	assert_int_equal(gate_of(&fake_cz)->virtual.translation,
			 (FAKE_DATA + FAKE_SHIFT) | 0xffull << 56);
}

static void timers_count_and_do_not_fire(void **state)
{
	(void)state;
	fake_host.registers[CZ_MACHINE_VIRTUAL_COUNT] = 1000;
	write_as(KEY(3, 3, 14, 3, 0), 50, CZ_TRAP_TIMER); /* TVAL */
	write_as(KEY(3, 3, 14, 3, 1), 1, CZ_TRAP_TIMER); /* CTL */
	assert_int_equal(read_as(KEY(3, 3, 14, 3, 2), CZ_TRAP_TIMER), 1050);
	assert_int_equal(read_as(KEY(3, 3, 14, 3, 1), CZ_TRAP_TIMER), 1);
	fake_host.registers[CZ_MACHINE_VIRTUAL_COUNT] = 1051;
	assert_int_equal(read_as(KEY(3, 3, 14, 3, 1), CZ_TRAP_TIMER), 5);
	assert_int_equal(read_as(KEY(3, 3, 14, 3, 0), CZ_TRAP_TIMER),
			 UINT32_MAX);
	assert_int_equal(read_as(KEY(3, 3, 14, 2, 1), CZ_TRAP_TIMER), 0);
	assert_int_equal(read_as(KEY(3, 3, 14, 0, 2), CZ_TRAP_TIMER), 1051);
	assert_false(fake_trap(MRS(KEY(3, 3, 14, 3, 3), 3), EC_SYSTEM));
}

static void waiting_returns_and_xzr_is_zero(void **state)
{
	(void)state;
	assert_true(fake_trap(WFI, 0x01));
	assert_int_equal(stats()->traps[CZ_TRAP_WAIT], 1);
	fake_frame.sp = 77;
	assert_true(fake_trap(MRS(KEY(3, 0, 4, 2, 2), 31), EC_SYSTEM));
	assert_int_equal(fake_frame.sp, 77);
	cz_mask_write(&fake_cz, DAIF_I);
	assert_true(fake_trap(MSR(DAIF, 31), EC_SYSTEM));
	assert_int_equal(gate_of(&fake_cz)->virtual.daif, 0);
}

/* ---- Nothing but the table ---- */

struct allowed {
	uint32_t key, any;
	bool read, write;
};

/* Written independently of the library, from docs/traps.md. */
static const struct allowed table[] = {
	{DAIF, 0, true, true},
	{KEY(0, 3, 4, 0, 6), 0x78, false, true},
	{KEY(0, 3, 4, 0, 7), 0x78, false, true},
	{KEY(3, 0, 4, 2, 2), 0, true, false},
	{KEY(3, 0, 4, 2, 0), 0, true, true},
	{KEY(0, 0, 4, 0, 5), 0x78, false, true},
	{KEY(3, 0, 0, 0, 0), 0, true, false},
	{KEY(3, 0, 0, 0, 5), 0, true, false},
	{KEY(3, 0, 0, 0, 6), 0, true, false},
	{KEY(3, 0, 0, 1, 0), 0x07, true, false},
	{KEY(3, 0, 0, 2, 0), 0x0f, true, false},
	{KEY(3, 0, 0, 4, 0), 0x1f, true, false},
	{KEY(3, 1, 0, 0, 0), 1, true, false},
	{KEY(3, 1, 0, 0, 2), 0, true, false},
	{KEY(3, 1, 0, 0, 7), 0, true, false},
	{KEY(3, 2, 0, 0, 0), 0, true, true},
	{KEY(3, 3, 0, 0, 1), 0, true, false},
	{KEY(0, 3, 1, 0, 0), 1, false, true},
	{KEY(3, 0, 1, 0, 0), 2, true, false},
	{KEY(3, 0, 2, 0, 0), 1, true, false},
	{KEY(3, 0, 2, 0, 2), 0, true, false},
	{KEY(3, 0, 10, 2, 0), 0, true, false},
	{KEY(3, 0, 12, 0, 0), 0, true, false},
	{KEY(3, 0, 13, 0, 4), 0, true, true},
	{KEY(3, 0, 7, 4, 0), 0, true, false},
	{KEY(1, 0, 7, 8, 0), 7, false, true},
	{KEY(1, 0, 7, 9, 0), 1, false, true},
	{KEY(1, 0, 8, 0, 0), 0x7f, false, true},
	{KEY(1, 0, 9, 0, 0), 0x7f, false, true},
	{KEY(1, 0, 7, 1, 0), 0, false, true},
	{KEY(1, 0, 7, 5, 0), 0, false, true},
	{KEY(1, 3, 7, 5, 1), 0, false, true},
	{KEY(1, 0, 7, 6, 1), 0, false, true},
	{KEY(1, 3, 7, 10, 1), 0, false, true},
	{KEY(1, 3, 7, 11, 1), 0, false, true},
	{KEY(1, 3, 7, 12, 1), 0, false, true},
	{KEY(1, 3, 7, 13, 1), 0, false, true},
	{KEY(1, 3, 7, 14, 1), 0, false, true},
	{KEY(1, 0, 7, 6, 2), 0, false, true},
	{KEY(1, 0, 7, 10, 2), 0, false, true},
	{KEY(1, 0, 7, 14, 2), 0, false, true},
	{KEY(3, 3, 14, 0, 0), 0, true, false},
	{KEY(3, 3, 14, 0, 1), 0, true, false},
	{KEY(3, 3, 14, 0, 2), 0, true, false},
	{KEY(3, 3, 14, 2, 0), 0, true, true},
	{KEY(3, 3, 14, 2, 1), 0, true, true},
	{KEY(3, 3, 14, 2, 2), 0, true, true},
	{KEY(3, 3, 14, 3, 0), 0, true, true},
	{KEY(3, 3, 14, 3, 1), 0, true, true},
	{KEY(3, 3, 14, 3, 2), 0, true, true},
};

static bool is_allowed(uint32_t key, bool read)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if ((key & ~table[i].any) == table[i].key) {
			return read ? table[i].read : table[i].write;
		}
	}
	return false;
}

static void every_other_system_instruction_is_refused(void **state)
{
	(void)state;
	fake_host.registers[CZ_MACHINE_CLIDR] = UINT64_MAX;
	for (uint32_t key = 0; key < 0x10000; key++) {
		for (int read = 0; read < 2; read++) {
			struct cz_frame before;
			bool emulated;

			fake_frame.x[5] = FAKE_DATA;
			before = fake_frame;
			before.pc = FAKE_CODE + 0x100;
			emulated = fake_trap(read ? MRS(key, 3) : MSR(key, 5),
					     EC_UNKNOWN);
			if (emulated != is_allowed(key, read != 0)) {
				fail_msg("key %04x, %s", key,
					 read ? "read" : "write");
			}
			if (!emulated) {
				assert_memory_equal(&before, &fake_frame,
						    sizeof(before));
			}
		}
	}
}

static void other_classes_and_addresses_are_refused(void **state)
{
	uint64_t before;

	(void)state;
	for (uint32_t class = 2; class < 64; class ++) {
		if (class != EC_SYSTEM) {
			assert_false(fake_trap(MRS(DAIF, 3), class));
		}
	}
	before = traps();
	fake_frame.pc = FAKE_DATA; /* not executable */
	assert_false(cz_trap_emulate(&fake_cz, &fake_frame, 0, 0));
	fake_frame.pc = FAKE_CODE + 2;
	assert_false(cz_trap_emulate(&fake_cz, &fake_frame, 0, 0));
	fake_frame.pc = 0xffff800000000000;
	assert_false(cz_trap_emulate(&fake_cz, &fake_frame, 0, 0));
	assert_int_equal(traps(), before);
}

/* SetVirtualAddressMap is called without a request, and so without
 * statistics. */
static void without_a_request_nothing_is_counted(void **state)
{
	(void)state;
	fake_cz.in_flight = NULL;
	assert_true(fake_trap(DAIFSET(2), EC_SYSTEM));
	assert_true(fake_trap(DAIFCLR(2), EC_SYSTEM));
	fake_frame.x[0] = 0x84000000;
	assert_true(fake_trap(HVC, EC_UNKNOWN));
	assert_int_equal(traps(), 0);
}

/* ---- The time with interrupts masked ---- */

static void masked_time_counts_only_while_firmware_runs(void **state)
{
	(void)state;
	assert_true(fake_trap(DAIFSET(2), EC_SYSTEM));
	assert_int_equal(read_as(DAIF, CZ_TRAP_MASK), DAIF_I);
	fake_host.now_ns = 50; /* not counted: firmware is not running yet */
	cz_mask_resume(&fake_cz);
	fake_host.now_ns = 150;
	cz_mask_pause(&fake_cz);
	fake_host.now_ns = 10000; /* not counted: other threads ran */
	cz_mask_pause(&fake_cz);
	cz_mask_resume(&fake_cz);
	cz_mask_resume(&fake_cz);
	fake_host.now_ns = 10030;
	assert_true(fake_trap(DAIFCLR(15), EC_SYSTEM));
	assert_int_equal(stats()->masked_ns, 130);
	assert_int_equal(stats()->masked_max_ns, 130);
	assert_int_equal(stats()->masked_windows, 1);
	assert_int_equal(read_as(DAIF, CZ_TRAP_MASK), 0);
}

static void a_mask_that_firmware_leaves_set_is_ended(void **state)
{
	(void)state;
	write_as(DAIF, 0x3c0, CZ_TRAP_MASK);
	cz_mask_resume(&fake_cz);
	fake_host.now_ns = 9;
	assert_true(fake_trap(DAIFCLR(1), EC_SYSTEM)); /* F only */
	assert_int_equal(stats()->masked_windows, 0);
	cz_gate_report_sandbox(&fake_cz);
	assert_int_equal(stats()->masked_ns, 9);
	assert_false(gate_of(&fake_cz)->virtual.masked);
	cz_mask_pause(&fake_cz);
	cz_mask_resume(&fake_cz);
	assert_int_equal(stats()->masked_ns, 9);
}

/* A console may be slow. When a line is logged, the watch must already know
 * that the call has left firmware. */
static void logging_does_not_count_as_firmwares_time(void **state)
{
	(void)state;
	gate_of(&fake_cz)->refused = 1;
	cz_gate_report_sandbox(&fake_cz);
	assert_int_equal(fake_host.lines, 1);
	assert_true(fake_host.left_in_log);
}

/* ---- The hooks ---- */

static void take_with(uint32_t class, uint32_t iss, uint64_t pc, uint64_t far)
{
	fake_frame.pc = pc;
	fake_cz.ended_by = 0;
	assert_true(cz_firmware_exception(&fake_cz, &fake_frame,
					  (uint64_t) class << 26 | iss, far));
}

static void take(uint32_t class, uint64_t pc, uint64_t far)
{
	take_with(class, 0, pc, far);
}

/* Reports the end of the call, as the owner of firmware does after the call. */
static void report(void)
{
	cz_ending_fill(&fake_cz, CZ_GET_TIME, 1000);
	cz_ending_report(&fake_cz, "GetTime");
}

static void only_the_trampolines_svc_returns(void **state)
{
	(void)state;
	fake_frame.sp = fake_cz.stack_top;
	gate_of(&fake_cz)->state = PSTATE_KEPT;
	take(0x15, FAKE_WINDOW + TRAMPOLINE_RETURNED, 0);
	assert_int_equal(fake_cz.ended_by, 0);
	assert_ptr_equal((void *)(uintptr_t)fake_frame.pc,
			 cz_gate_sandbox_return);
	assert_int_equal(fake_frame.pstate, 0x3c5 | PSTATE_KEPT);
	assert_ptr_equal((void *)(uintptr_t)fake_frame.x[16],
			 gate_of(&fake_cz));

	take(0x15, FAKE_CODE + 4, 0);
	assert_int_equal(fake_cz.ended_by, CZ_E_FAULT);
	assert_ptr_equal((void *)(uintptr_t)fake_frame.pc, cz_gate_sandbox_end);
	fake_frame.sp = fake_cz.stack_top - 16;
	take(0x15, FAKE_WINDOW + TRAMPOLINE_RETURNED, 0);
	assert_int_equal(fake_cz.ended_by, CZ_E_FAULT);
	report();
	assert_true(fake_said("return with another stack pointer"));
	take(0x16, FAKE_WINDOW + TRAMPOLINE_RETURNED, 0);
	assert_int_equal(fake_cz.ended_by, CZ_E_FAULT);
}

/* QEMU raises only few of these; see docs/caveats.md. */
static void every_class_ends_the_call_and_has_a_name(void **state)
{
	static const struct {
		uint32_t class;
		const char *words;
	} classes[] = {
		{0x00, "undefined instruction"},
		{0x07, "FP, SIMD or SVE access"},
		{0x0d, "branch target"},
		{0x0e, "illegal execution state"},
		{0x19, "SVE access, against the UEFI specification"},
		{0x1c, "pointer authentication"},
		{0x1d, "SME access, against the UEFI specification"},
		{0x20, "instruction abort"},
		{0x22, "PC alignment"},
		{0x24, "data abort"},
		{0x26, "SP alignment"},
		{0x21, "instruction abort"},
		{0x25, "data abort"},
		{0x30, "hardware breakpoint"},
		{0x31, "hardware breakpoint"},
		{0x32, "software step"},
		{0x33, "software step"},
		{0x34, "watchpoint"},
		{0x35, "watchpoint"},
		{0x3c, "BRK"},
		{0x3f, "exception"},
	};
	const uint32_t eret = 0xd69f03e0;

	(void)state;
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		fake_start();
		memcpy(fake_host.code, &eret, sizeof(eret));
		take(classes[i].class, FAKE_CODE, 0x1234);
		assert_int_equal(fake_cz.ended_by, CZ_E_FAULT);
		report();
		assert_true(fake_said("GetTime: "));
		assert_true(fake_said(classes[i].words));
		assert_true(fake_said("instruction d69f03e0: ERET"));
		assert_true(fake_said("x28 111100000000001c"));
		assert_true(fake_said("exact: it touched nothing"));
		assert_true(fake_said("GetTime is withdrawn"));
	}
}

static void instructions_have_names(void **state)
{
	static const struct {
		uint32_t instruction;
		const char *name;
	} names[] = {
		{MRS(KEY(3, 0, 1, 0, 0), 3), "MRS x3, S3_0_C1_C0_0"},
		{MSR(KEY(3, 0, 12, 15, 7), 30), "MSR S3_0_C12_C15_7, x30"},
		{HVC, "HVC"},
		{SMC | 5 << 5, "SMC"},
		{WFI, "WFI"},
		{0xd4200000, "BRK"},
		{0, "UDF"},
		{0xf9400000, "load or store"},
		{0x14000000, "branch"},
		{0x8b000000, "data processing"},
	};
	char text[CZ_INSTRUCTION_CHARS];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		cz_trap_describe(names[i].instruction, text);
		assert_string_equal(text, names[i].name);
	}
}

static void emulation_uses_the_interrupt_mask_of_the_call(void **state)
{
	(void)state;
	gate_of(&fake_cz)->daif = 0x40;
	memcpy(fake_host.code, &(uint32_t){DAIFSET(2)}, 4);
	take(EC_SYSTEM, FAKE_CODE, 0);
	assert_int_equal(fake_cz.ended_by, 0);
	assert_int_equal(fake_frame.pc, FAKE_CODE + 4);
	assert_int_equal(fake_host.daif, 0x3c0);
	assert_int_equal(fake_frame.pstate, 0);
	/* An abort was requested during the emulation. */
	fake_cz.end_request = cz_end_of(7, false);
	take(EC_SYSTEM, FAKE_CODE, 0);
	assert_int_equal(fake_cz.ended_by, CZ_E_ABORTED);
	assert_ptr_equal((void *)(uintptr_t)fake_frame.pc, cz_gate_sandbox_end);
}

static void firmware_is_el0_or_el1t_depending_on_the_gate(void **state)
{
	(void)state;
	assert_true(cz_frame_is_firmware(&fake_cz, &fake_frame));
	fake_frame.pstate = 5;
	assert_false(cz_frame_is_firmware(&fake_cz, &fake_frame));
	fake_cz.gate = CZ_GATE_DIRECT;
	fake_frame.pstate = 4;
	assert_true(cz_frame_is_firmware(&fake_cz, &fake_frame));
	take(0x24, FAKE_CODE, 0);
	assert_ptr_equal((void *)(uintptr_t)fake_frame.pc, cz_gate_direct_end);
	/* The direct gate emulates nothing. */
	fake_frame.pstate = 4;
	memcpy(fake_host.code, &(uint32_t){DAIFSET(2)}, 4);
	take(EC_UNKNOWN, FAKE_CODE, 0);
	assert_int_equal(fake_cz.ended_by, CZ_E_FAULT);
	assert_int_equal(traps(), 0);
}

/* ---- Calls that are ended ---- */

#define WRITE_DENIED (ISS_WNR | FAULT_PERMISSION | 3)

static void resume(uint64_t end_request)
{
	fake_cz.ended_by = 0;
	fake_frame.pc = FAKE_CODE;
	fake_cz.end_request = end_request;
	cz_firmware_resume(&fake_cz, &fake_frame);
}

static void a_request_to_end_applies_to_one_call(void **state)
{
	(void)state;
	resume(cz_end_of(6, false));
	assert_int_equal(fake_cz.ended_by, 0);
	assert_int_equal(fake_cz.end_request, 0);
	resume(cz_end_of(8, true));
	assert_int_equal(fake_cz.ended_by, 0);
	resume(cz_end_of(7, false));
	assert_int_equal(fake_cz.ended_by, CZ_E_ABORTED);
	assert_int_equal(fake_cz.end_request, 0);
	resume(cz_end_of(7, true));
	assert_int_equal(fake_cz.ended_by, CZ_E_KILLED);
	report();
	assert_true(fake_said("GetTime: past its kill limit of 2000 ms"));
	assert_true(fake_said("it was at FakeDxe+0x0 (0x40000000)"));
}

static void ask_for_the_next(void *argument)
{
	(void)argument;
	fake_cz.end_request = cz_end_of(8, false);
}

/* The end of a newer call is requested while the library clears an old request.
 * The newer request stays. */
static void a_newer_request_to_end_stays(void **state)
{
	(void)state;
	interleave_at(&fake_cz.end_request, 2, ask_for_the_next, NULL);
	resume(cz_end_of(6, false));
	assert_int_equal(fake_cz.ended_by, 0);
	assert_int_equal(fake_cz.end_request, cz_end_of(8, false));
}

static void abort_this_call(void *argument)
{
	(void)argument;
	fake_cz.end_request = cz_end_of(7, false);
}

/* An abort of this call is requested while the library clears an older request.
 * The next interrupt acts on the new one, and checks whether the call must go
 * on. */
static void a_newer_abort_is_left_for_the_next_interrupt(void **state)
{
	(void)state;
	fake_cz.touched = CZ_TOUCHED_DEVICE;
	interleave_at(&fake_cz.end_request, 2, abort_this_call, NULL);
	resume(cz_end_of(6, false));
	assert_int_equal(fake_cz.ended_by, 0);
	assert_int_equal(fake_cz.end_request, cz_end_of(7, false));
}

/* The call continues, but not past its kill limit. */
static void a_call_that_wrote_to_a_device_is_not_aborted(void **state)
{
	(void)state;
	fake_cz.touched = CZ_TOUCHED_DEVICE;
	resume(cz_end_of(7, false));
	assert_int_equal(fake_cz.ended_by, 0);
	assert_int_equal(fake_cz.end_request, cz_end_of(7, false));
	resume(cz_end_of(7, true));
	assert_int_equal(fake_cz.ended_by, CZ_E_KILLED);
	report();
	assert_true(fake_said("dirty: it wrote to a device"));
	assert_int_equal(fake_cz.ending.touched, CZ_TOUCHED_DEVICE);
	assert_true((fake_cz.ending.withdrawn & 1u << CZ_SET_VARIABLE) != 0);
	assert_int_equal(fake_cz.ending.withdrawn & 1u << CZ_GET_VARIABLE, 0);
}

static void the_first_write_opens_a_device(void **state)
{
	(void)state;
	take_with(EC_DATA_ABORT_EL0, WRITE_DENIED, FAKE_CODE, FAKE_DEVICE + 8);
	assert_int_equal(fake_cz.ended_by, 0);
	assert_int_equal(fake_frame.pc, FAKE_CODE);
	assert_int_equal(fake_host.daif, 0x3c0);
	assert_int_equal(fake_cz.touched, CZ_TOUCHED_DEVICE);
	assert_int_equal(fake_host.mapped.address, FAKE_DEVICE);
	assert_int_equal(fake_host.mapped.prot, CZ_PROT_READ | CZ_PROT_WRITE);
	/* The device is already writable, so a second denial is a fault. */
	take_with(EC_DATA_ABORT_EL0, WRITE_DENIED, FAKE_CODE, FAKE_DEVICE + 8);
	assert_int_equal(fake_cz.ended_by, CZ_E_FAULT);
	assert_int_equal(fake_host.maps, 1);
	cz_protect_devices(&fake_cz);
	assert_int_equal(fake_host.mapped.prot, CZ_PROT_READ);
	assert_int_equal(fake_cz.touched, CZ_TOUCHED_DEVICE);
	assert_int_equal(fake_cz.open_devices[0], 0);
	fake_cz.gate = CZ_GATE_DIRECT;
	take_with(EC_DATA_ABORT, WRITE_DENIED, FAKE_CODE, FAKE_DEVICE);
	assert_int_equal(fake_cz.ended_by, 0);
	assert_int_equal(fake_host.maps, 3);
}

/* These are reads, cache maintenance, other causes of the abort, RAM, a device
 * that firmware may not write, and an address outside the regions. */
static void other_faults_open_no_device(void **state)
{
	static const struct {
		uint32_t iss;
		uint64_t far;
	} cases[] = {
		{FAULT_PERMISSION | 3, FAKE_DEVICE},
		{WRITE_DENIED | ISS_CM, FAKE_DEVICE},
		{ISS_WNR | FAULT_TRANSLATION | 3, FAKE_DEVICE},
		{ISS_WNR | FAULT_EXTERNAL, FAKE_DEVICE},
		{WRITE_DENIED, FAKE_CODE},
		{WRITE_DENIED, FAKE_DATA},
		{WRITE_DENIED, FAKE_READ_ONLY},
		{WRITE_DENIED, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fake_start();
		take_with(EC_DATA_ABORT_EL0, cases[i].iss, FAKE_CODE,
			  cases[i].far);
		assert_int_equal(fake_cz.ended_by, CZ_E_FAULT);
		assert_int_equal(fake_cz.touched, 0);
		assert_int_equal(fake_host.maps, 0);
	}
}

static void aborts_have_a_cause_and_a_region(void **state)
{
	static const struct {
		uint32_t status;
		uint64_t far;
		const char *words;
	} cases[] = {
		{0x07, 0,
		 "address 0x0: not mapped; outside firmware's regions"},
		{0x0f, FAKE_CODE,
		 "0x40000000: not allowed; runtime memory "
		 "0x40000000-0x40002000, read, execute"},
		{0x0b, FAKE_DATA, "0x40010000: access flag clear; "},
		{0x10, FAKE_READ_ONLY, "external abort; "},
		{0x00, 1ull << 48,
		 "address out of range; outside firmware's regions"},
		{0x21, 1, "not aligned"},
		{0x30, 1, "other abort"},
		{0x07, FAKE_WINDOW, "not mapped; the trampoline"},
		{0x07, FAKE_WINDOW + 0x2000, "firmware's stack"},
		{0x07, FAKE_WINDOW + 0xb000, "outside the arguments"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fake_start();
		take_with(EC_INSTRUCTION_ABORT, cases[i].status, FAKE_CODE + 16,
			  cases[i].far);
		report();
		assert_true(fake_said(cases[i].words));
		assert_int_equal(fake_cz.ending.address, cases[i].far);
	}
	/* FAR_EL1 is not valid. */
	take_with(EC_DATA_ABORT, FAULT_EXTERNAL | ISS_FNV, FAKE_CODE, 5);
	report();
	assert_true(fake_cz.ending.address == CZ_NO_ADDRESS);
}

static void a_stack_overflow_is_recognized(void **state)
{
	(void)state;
	fake_frame.sp = FAKE_WINDOW + 0x2000 - 16;
	take_with(EC_DATA_ABORT_EL0, ISS_WNR | FAULT_TRANSLATION | 3, FAKE_CODE,
		  FAKE_WINDOW + 0x2000 - 16);
	report();
	assert_string_equal(fake_cz.ending.what, "stack overflow");
	assert_true(fake_said("the guard under the stack"));
	/* The same address is accessed while the stack has room. */
	fake_frame.sp = fake_cz.stack_top - 64;
	take_with(EC_DATA_ABORT_EL0, ISS_WNR | FAULT_TRANSLATION | 3, FAKE_CODE,
		  FAKE_WINDOW + 0x2000 - 16);
	report();
	assert_string_equal(fake_cz.ending.what, "data abort, write");
}

/* Tests a chain of two frame records, then a circular one, one that is partly
 * outside the stack, and one that is too long. */
static void callers_are_found_on_the_stack(void **state)
{
	uint64_t *top = (uint64_t *)fake_cz.stack.alias + CZ_STACK_PAGES * 512;
	uint64_t at = fake_cz.stack_top - 64;

	(void)state;
	top[-8] = at + 32;
	top[-7] = FAKE_CODE + 0x20;
	top[-4] = 0;
	top[-3] = FAKE_CODE + 0x40;
	fake_frame.x[29] = at;
	fake_frame.x[30] = FAKE_CODE + 0x10;
	take(EC_BRK, FAKE_CODE, 0);
	report();
	assert_int_equal(fake_cz.ending.depth, 3);
	assert_int_equal(fake_cz.ending.caller[0], FAKE_CODE + 0x10);
	assert_int_equal(fake_cz.ending.caller[2], FAKE_CODE + 0x40);
	assert_true(fake_said("called from FakeDxe+0x20 (0x40000020)"));

	top[-4] = at; /* circular */
	take(EC_BRK, FAKE_CODE, 0);
	report();
	assert_int_equal(fake_cz.ending.depth, 3);
	fake_frame.x[29] = fake_cz.stack_top - 8; /* partly outside */
	fake_frame.x[30] = 0;
	take(EC_BRK, FAKE_CODE, 0);
	report();
	assert_int_equal(fake_cz.ending.depth, 0);
	for (uint64_t i = 0; i < 40; i++) { /* too long */
		top[-256 + 2 * (int)i] =
			fake_cz.stack_top - 2048 + 16 * (i + 1);
		top[-255 + 2 * (int)i] = FAKE_CODE;
	}
	fake_frame.x[29] = fake_cz.stack_top - 2048;
	take(EC_BRK, FAKE_CODE, 0);
	report();
	assert_int_equal(fake_cz.ending.depth, CZ_BACKTRACE);
}

static bool serror(uint32_t iss)
{
	fake_cz.ended_by = 0;
	return cz_firmware_exception(&fake_cz, &fake_frame,
				     (uint64_t)EC_SERROR << 26 | iss, 0);
}

/* QEMU raises no SError. */
static void an_serror_ends_the_call_where_it_is_contained(void **state)
{
	(void)state;
	assert_false(serror(0)); /* without RAS, the syndrome says nothing */
	assert_false(serror(ISS_IDS | SERROR_ASYNCHRONOUS | 3 << 10));
	assert_false(serror(SERROR_ASYNCHRONOUS | AET_UNCONTAINABLE << 10));
	assert_int_equal(fake_cz.ended_by, 0);
	for (uint32_t aet = 1; aet <= 3; aet++) {
		assert_true(serror(SERROR_ASYNCHRONOUS | aet << 10));
		assert_int_equal(fake_cz.ended_by, CZ_E_FAULT);
	}
	assert_true(serror(SERROR_ASYNCHRONOUS | AET_CORRECTED << 10));
	assert_int_equal(fake_cz.ended_by, 0);
}

static void the_direct_gate_cannot_rule_out_secure_calls(void **state)
{
	(void)state;
	fake_cz.gate = CZ_GATE_DIRECT;
	take(EC_BRK, FAKE_CODE, 0);
	report();
	assert_int_equal(fake_cz.ending.touched, CZ_TOUCHED_UNSEEN);
	assert_true(fake_said("it may have made a secure call"));
	fake_cz.no_secure_services = true;
	take(EC_BRK, FAKE_CODE, 0);
	report();
	assert_int_equal(fake_cz.ending.touched, 0);
	assert_int_equal(fake_cz.ending.number, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(firmware_reads_the_state_of_el1, start),
		cmocka_unit_test_setup(system_registers_show_little, start),
		cmocka_unit_test_setup(identification_is_what_el0_can_use,
				       start),
		cmocka_unit_test_setup(aarch32_and_scxtnum_are_hidden, start),
		cmocka_unit_test_setup(only_real_caches_have_a_size, start),
		cmocka_unit_test_setup(cache_maintenance_is_limited_to_firmware,
				       start),
		cmocka_unit_test_setup(translation_uses_firmwares_regions,
				       start),
		cmocka_unit_test_setup(firmware_is_emulated_while_it_relocates,
				       start),
		cmocka_unit_test_setup(timers_count_and_do_not_fire, start),
		cmocka_unit_test_setup(waiting_returns_and_xzr_is_zero, start),
		cmocka_unit_test_setup(
			every_other_system_instruction_is_refused, start),
		cmocka_unit_test_setup(other_classes_and_addresses_are_refused,
				       start),
		cmocka_unit_test_setup(without_a_request_nothing_is_counted,
				       start),
		cmocka_unit_test_setup(
			masked_time_counts_only_while_firmware_runs, start),
		cmocka_unit_test_setup(a_mask_that_firmware_leaves_set_is_ended,
				       start),
		cmocka_unit_test_setup(only_the_trampolines_svc_returns, start),
		cmocka_unit_test(every_class_ends_the_call_and_has_a_name),
		cmocka_unit_test_setup(instructions_have_names, start),
		cmocka_unit_test_setup(
			emulation_uses_the_interrupt_mask_of_the_call, start),
		cmocka_unit_test_setup(
			firmware_is_el0_or_el1t_depending_on_the_gate, start),
		cmocka_unit_test_setup(logging_does_not_count_as_firmwares_time,
				       start),
		cmocka_unit_test_setup(a_request_to_end_applies_to_one_call,
				       start),
		cmocka_unit_test_setup(a_newer_request_to_end_stays, start),
		cmocka_unit_test_setup(
			a_newer_abort_is_left_for_the_next_interrupt, start),
		cmocka_unit_test_setup(
			a_call_that_wrote_to_a_device_is_not_aborted, start),
		cmocka_unit_test_setup(the_first_write_opens_a_device, start),
		cmocka_unit_test_setup(other_faults_open_no_device, start),
		cmocka_unit_test_setup(aborts_have_a_cause_and_a_region, start),
		cmocka_unit_test_setup(a_stack_overflow_is_recognized, start),
		cmocka_unit_test_setup(callers_are_found_on_the_stack, start),
		cmocka_unit_test_setup(
			an_serror_ends_the_call_where_it_is_contained, start),
		cmocka_unit_test_setup(
			the_direct_gate_cannot_rule_out_secure_calls, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
