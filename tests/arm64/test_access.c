/* SPDX-License-Identifier: MIT */
/*
 * Tests what leaves the sandbox: secure calls, by the broker's rules, and
 * unaligned accesses to devices, which are done byte by byte.
 */
#include "call.h"
#include "fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HVC 0xd4000002u
#define SMC 0xd4000003u
#define ALIGNMENT 0x21u

static int start(void **state)
{
	(void)state;
	fake_start();
	return 0;
}

/* ---- Secure calls ---- */

static bool passes(uint64_t id, uint32_t instruction)
{
	unsigned before = fake_host.secure_calls;
	uint64_t refused = fake_cz.stats.secure_refused;
	bool passed;

	fake_frame.x[0] = id;
	assert_true(fake_trap(instruction, EC_UNKNOWN));
	passed = fake_host.secure_calls != before;
	assert_int_equal(fake_frame.x[0], passed ? 0x77 : UINT64_MAX);
	assert_int_equal(fake_cz.stats.secure_refused, refused + !passed);
	return passed;
}

static void queries_pass_and_resets_only_in_reset_system(void **state)
{
	static const uint64_t resets[] = {0x84000008, 0x84000009, 0x84000012,
					  0xc4000012};

	(void)state;
	assert_true(passes(0x84000000, HVC));
	assert_int_equal(fake_host.conduit, CZ_CONDUIT_HVC);
	assert_true(passes(0x8400000a, HVC));
	for (size_t i = 0; i < 4; i++) {
		fake_cz.requests[0].service = CZ_SET_VARIABLE;
		assert_false(passes(resets[i], HVC));
		fake_cz.requests[0].service = CZ_RESET_SYSTEM;
		assert_true(passes(resets[i], HVC));
	}
	fake_cz.in_flight = NULL;
	assert_false(passes(0x84000009, HVC));
}

static void other_secure_calls_are_refused(void **state)
{
	static const uint32_t allowed[] = {0x84000000, 0x8400000a, 0x84000008,
					   0x84000009, 0x84000012, 0xc4000012};

	(void)state;
	fake_cz.requests[0].service = CZ_RESET_SYSTEM;
	fake_frame.x[2] = fake_frame.x[3] = fake_frame.x[4] = 0;
	for (uint32_t top = 0; top < 256; top++) {
		for (uint32_t number = 0; number < 0x200; number++) {
			uint32_t id = top << 24 | number;
			bool is_allowed = false;

			for (size_t i = 0; i < 6; i++) {
				is_allowed = is_allowed || id == allowed[i];
			}
			if (passes(id, HVC) != is_allowed) {
				fail_msg("secure call %08x", id);
			}
		}
	}
}

static void conduit_and_immediate_are_checked(void **state)
{
	(void)state;
	assert_false(passes(0x84000000, SMC)); /* the host has no SMC */
	fake_host.has_smc = true;
	assert_true(passes(0x84000000, SMC));
	assert_int_equal(fake_host.conduit, CZ_CONDUIT_SMC);
	assert_false(passes(0x84000000, HVC | 1 << 5));
	assert_false(passes(0x84000000, SMC | 0xffff << 5));
	assert_int_equal(fake_cz.stats.service[CZ_GET_TIME].secure_calls, 1);
	assert_int_equal(fake_cz.stats.service[CZ_GET_TIME].secure_ns, 700);
}

static void set_message_bytes(uint64_t at, uint64_t bytes)
{
	memcpy(fake_host.data + at + 16, &bytes, sizeof(bytes));
}

static void messages_must_be_in_firmwares_memory(void **state)
{
	const uint64_t base = FAKE_DATA + FAKE_SHIFT;
	const uint64_t last = FAKE_REGION_BYTES - 24;

	(void)state;
	fake_frame.x[2] = base + 0x100;
	set_message_bytes(0x100, 8);
	assert_true(passes(0xc4000041, HVC));
	assert_true(passes(0x84000041, HVC));
	set_message_bytes(0x100, FAKE_REGION_BYTES - 0x100 - 24);
	assert_true(passes(0xc4000041, HVC));
	set_message_bytes(0x100, FAKE_REGION_BYTES - 0x100 - 23);
	assert_false(passes(0xc4000041, HVC));
	set_message_bytes(0x100, UINT64_MAX);
	assert_false(passes(0xc4000041, HVC));
	set_message_bytes(0x100, UINT64_MAX - 23);
	assert_false(passes(0xc4000041, HVC));
	fake_frame.x[2] = base + last;
	set_message_bytes(last, 0);
	assert_true(passes(0xc4000041, HVC));
	fake_frame.x[2] = base + last + 1;
	assert_false(passes(0xc4000041, HVC));
	fake_frame.x[2] = FAKE_CODE; /* not writable */
	assert_false(passes(0xc4000041, HVC));
	fake_frame.x[2] = FAKE_DEVICE;
	assert_false(passes(0xc4000041, HVC));
	fake_frame.x[2] = UINT64_MAX;
	assert_false(passes(0xc4000041, HVC));
	fake_frame.x[3] = base;
	set_message_bytes(0, 0);
	assert_true(passes(0xc400006f, HVC));
	fake_frame.x[3] = 0;
	assert_false(passes(0xc400006f, HVC));
	fake_frame.x[4] = base;
	assert_true(passes(0xc400008d, HVC));
	fake_frame.x[4] = base - 1;
	assert_false(passes(0xc400008d, HVC));
}

/* ---- Requests to a secure partition, which may be preempted ---- */

#define REQUEST 0xc400006fu
#define REQUEST2 0xc400008du
#define RUN32 0x8400006du
#define RUN64 0xc400006du
#define COMMUNICATE 0xc4000041u
#define FFA_INTERRUPTED 0x84000062u
#define NOT_SUPPORTED UINT64_MAX

static void start_secure_world(unsigned interrupts)
{
	fake_start();
	fake_host.has_smc = true;
	fake_host.secure.is_there = true;
	fake_host.secure.interrupts = interrupts;
	set_message_bytes(0, 8);
}

static uint64_t secure(uint32_t instruction, uint64_t id, uint64_t target)
{
	fake_frame.x[0] = id;
	fake_frame.x[1] = target;
	fake_frame.x[2] = fake_frame.x[3] = fake_frame.x[4] =
		FAKE_DATA + FAKE_SHIFT;
	assert_true(fake_trap(instruction, EC_UNKNOWN));
	return fake_frame.x[0];
}

/* Sends a request and resumes the partition until it answers, as EDK II's
 * MmCommunicationDxe does. Returns the last result. */
static uint64_t communicate(uint32_t instruction, uint32_t request,
			    uint32_t run)
{
	uint64_t result = secure(instruction, request, FAKE_PARTITION);

	while (result == FFA_INTERRUPTED) {
		result = secure(instruction, run, FAKE_PARTITION << 16);
	}
	return result;
}

static void a_preempted_partition_is_resumed(void **state)
{
	static const uint32_t conduits[] = {HVC, SMC};
	static const uint32_t requests[] = {REQUEST, REQUEST2};
	static const uint32_t runs[] = {RUN32, RUN64};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		start_secure_world(3);
		assert_int_equal(communicate(conduits[i & 1],
					     requests[i >> 1 & 1],
					     runs[i >> 2]),
				 0xc4000070);
		assert_int_equal(fake_host.secure.answers, 1);
		assert_int_equal(fake_host.secure.errors, 0);
		assert_int_equal(fake_host.secure_calls, 4);
		assert_int_equal(fake_cz.stats.secure_refused, 0);
		assert_int_equal(fake_cz.touched, CZ_TOUCHED_SECURE);
	}
}

static void management_mode_is_not_preempted(void **state)
{
	static const uint32_t conduits[] = {HVC, SMC};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		start_secure_world(3);
		assert_int_equal(secure(conduits[i], COMMUNICATE, 0), 0);
		assert_int_equal(fake_host.secure.answers, 1);
		assert_int_equal(secure(conduits[i], RUN32, 0), NOT_SUPPORTED);
	}
}

/* An unrestricted FFA_RUN could give time to any partition, and could finish
 * requests of others. */
static void only_the_calls_own_request_is_resumed(void **state)
{
	(void)state;
	start_secure_world(1);
	fake_host.secure.is_busy = true; /* with another caller's request */
	assert_int_equal(secure(SMC, RUN32, FAKE_PARTITION << 16),
			 NOT_SUPPORTED);
	fake_host.secure.is_busy = false;
	assert_int_equal(secure(SMC, REQUEST, FAKE_PARTITION), FFA_INTERRUPTED);
	assert_int_equal(secure(SMC, RUN32, 0x8003u << 16), NOT_SUPPORTED);
	assert_int_equal(secure(SMC, RUN32, FAKE_PARTITION), NOT_SUPPORTED);
	/* A new call has begun. */
	gate_of(&fake_cz)->virtual = (struct virtual_machine){.spsel = 1};
	assert_int_equal(secure(SMC, RUN32, FAKE_PARTITION << 16),
			 NOT_SUPPORTED);
	assert_int_equal(fake_host.secure.answers, 0);

	start_secure_world(1);
	assert_int_equal(communicate(SMC, REQUEST, RUN64), 0xc4000070);
	assert_int_equal(secure(SMC, RUN64, FAKE_PARTITION << 16),
			 NOT_SUPPORTED);
	assert_int_equal(fake_host.secure.errors, 0);
}

/* The library acts on an abort at an interrupt, which may be the one that
 * suspended the request. The abort then waits until the partition has
 * answered. */
static void a_suspended_request_is_not_aborted(void **state)
{
	(void)state;
	start_secure_world(1);
	assert_int_equal(secure(SMC, REQUEST, FAKE_PARTITION), FFA_INTERRUPTED);
	fake_cz.end_request = cz_end_of(7, false);
	cz_firmware_resume(&fake_cz, &fake_frame);
	assert_int_equal(fake_cz.ended_by, 0);
	assert_int_equal(secure(SMC, RUN32, FAKE_PARTITION << 16), 0xc4000070);
	cz_firmware_resume(&fake_cz, &fake_frame);
	assert_int_equal(fake_cz.ended_by, CZ_E_ABORTED);

	start_secure_world(1);
	assert_int_equal(secure(SMC, REQUEST, FAKE_PARTITION), FFA_INTERRUPTED);
	fake_cz.end_request = cz_end_of(7, true);
	cz_firmware_resume(&fake_cz, &fake_frame);
	assert_int_equal(fake_cz.ended_by, CZ_E_KILLED);
}

/* A refusal is logged once for each service. Otherwise firmware that makes the
 * secure call every time would fill the log. */
static void a_refusal_is_logged_once_a_service(void **state)
{
	(void)state;
	assert_false(passes(0xc4000003, HVC));
	assert_false(passes(0x84000002, HVC));
	cz_broker_report(&fake_cz);
	assert_int_equal(fake_host.lines, 1);
	assert_true(
		fake_said("secure call 0xc4000003 at FakeDxe+0x100 refused"));
	assert_true(fake_said("(2 in this call;"));
	cz_broker_report(&fake_cz);
	assert_int_equal(fake_host.lines, 1);
	for (unsigned i = 0; i < 100; i++) {
		assert_false(passes(0xc4000003 + i % 2, HVC));
		cz_broker_report(&fake_cz);
	}
	assert_int_equal(fake_host.lines, 1);
	assert_int_equal(fake_cz.stats.secure_refused, 102);
	fake_cz.requests[0].service = CZ_SET_VARIABLE;
	assert_false(passes(0xc4000003, HVC));
	cz_broker_report(&fake_cz);
	assert_int_equal(fake_host.lines, 2);
	fake_cz.in_flight = NULL; /* SetVirtualAddressMap */
	for (unsigned i = 0; i < 2; i++) {
		assert_false(passes(0xc4000003, HVC));
		cz_broker_report(&fake_cz);
	}
	assert_int_equal(fake_host.lines, 3);
}

/* ---- Unaligned accesses: x1 is the address, x2 and x3 are the data ---- */

static bool access_at(uint32_t instruction, uint64_t far)
{
	fake_frame.pc = FAKE_CODE + 0x100;
	memcpy(fake_host.code + 0x100, &instruction, sizeof(instruction));
	return cz_trap_emulate(&fake_cz, &fake_frame,
			       (uint64_t)EC_DATA_ABORT_EL0 << 26 | ALIGNMENT,
			       far);
}

static void fill_device(void)
{
	for (unsigned i = 0; i < FAKE_REGION_BYTES; i++) {
		fake_host.device[i] = (uint8_t)(0x80 + i);
	}
}

struct load {
	uint32_t instruction; /* loads x2 (and x3); x1 is device + 1 */
	uint64_t first, second; /* second: 0 if not a pair */
	int64_t moved; /* by how much x1 changes */
};

static void every_form_of_load_is_emulated(void **state)
{
	static const struct load loads[] = {
		{0x79400022, 0x8281, 0, 0}, /* ldrh w2, [x1] */
		{0xb9400022, 0x84838281, 0, 0}, /* ldr w2, [x1] */
		{0xf9400022, 0x8887868584838281, 0, 0}, /* ldr x2, [x1] */
		{0x79800022, 0xffffffffffff8281, 0, 0}, /* ldrsh x2 */
		{0x79c00022, 0xffff8281, 0, 0}, /* ldrsh w2 */
		{0xb9800022, 0xffffffff84838281, 0, 0}, /* ldrsw x2 */
		{0xf9400422, 0x908f8e8d8c8b8a89, 0, 0}, /* [x1, #8] */
		{0xf8403022, 0x8b8a898887868584, 0, 0}, /* ldur, #3 */
		{0xf8402822, 0x8a89888786858483, 0, 0}, /* ldtr, #2 */
		{0xf8408422, 0x8887868584838281, 0, 8}, /* [x1], #8 */
		{0xf8408c22, 0x908f8e8d8c8b8a89, 0, 8}, /* [x1, #8]! */
		{0xf85ff422, 0x8887868584838281, 0, -1}, /* [x1], #-1 */
		{0xf8646822, 0x8a89888786858483, 0, 0}, /* [x1, x4] */
		{0xf8647822, 0x9897969594939291, 0, 0}, /* lsl #3 */
		{0xf8644822, 0x8a89888786858483, 0, 0}, /* w4, uxtw */
		{0xf864c822, 0x8a89888786858483, 0, 0}, /* w4, sxtw */
		{0xf864e822, 0x8a89888786858483, 0, 0}, /* x4, sxtx */
		{0xa9400c22, 0x8887868584838281, 0x908f8e8d8c8b8a89, 0},
		{0x29400c22, 0x84838281, 0x88878685, 0}, /* ldp w2, w3 */
		{0x69400c22, 0xffffffff84838281, 0xffffffff88878685, 0},
		{0xa8c10c22, 0x8887868584838281, 0x908f8e8d8c8b8a89, 16},
		{0xa9c10c22, 0x9897969594939291, 0xa09f9e9d9c9b9a99, 16},
		{0xa8400c22, 0x8887868584838281, 0x908f8e8d8c8b8a89, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(loads) / sizeof(*loads); i++) {
		const struct load *load = &loads[i];

		fake_start();
		fill_device();
		fake_frame.x[1] = FAKE_DEVICE + 1;
		fake_frame.x[4] = 2;
		/* The faulting address may be that of any byte accessed. */
		if (!access_at(load->instruction,
			       FAKE_DEVICE + (load->first & 0x7f))) {
			fail_msg("%08x", load->instruction);
		}
		if (fake_frame.x[2] != load->first ||
		    (load->second != 0 && fake_frame.x[3] != load->second)) {
			fail_msg("%08x: %llx, %llx", load->instruction,
				 (unsigned long long)fake_frame.x[2],
				 (unsigned long long)fake_frame.x[3]);
		}
		assert_int_equal(fake_frame.x[1],
				 FAKE_DEVICE + 1 + (uint64_t)load->moved);
		assert_int_equal(fake_frame.pc, FAKE_CODE + 0x104);
		assert_int_equal(fake_cz.stats.service[CZ_GET_TIME]
					 .traps[CZ_TRAP_ALIGNMENT],
				 1);
	}
}

static void stores_are_emulated(void **state)
{
	static const uint8_t due[20] = {
		0,    0,    0,	  0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22,
		0x11, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0};

	(void)state;
	fake_frame.x[1] = FAKE_DEVICE + 3;
	fake_frame.x[2] = 0x1122334455667788;
	fake_frame.x[3] = 0x8899aabbccddeeff;
	assert_true(access_at(0xa9000c22, FAKE_DEVICE + 3)); /* stp x2, x3 */
	assert_memory_equal(fake_host.device, due, sizeof(due));
	assert_true(access_at(0x7900003f, FAKE_DEVICE + 3)); /* strh wzr */
	assert_int_equal(fake_host.device[3], 0);
	assert_int_equal(fake_host.device[4], 0);
	assert_int_equal(fake_host.device[5], 0x66);
	fake_frame.sp = FAKE_DEVICE + 0x11;
	assert_true(access_at(0xf8008fe2, FAKE_DEVICE + 0x19)); /* [sp, #8]! */
	assert_int_equal(fake_frame.sp, FAKE_DEVICE + 0x19);
	assert_int_equal(fake_host.device[0x19], 0x88);
}

static void an_external_abort_ends_the_call(void **state)
{
	static const uint32_t forms[] = {
		0xf9400022, /* ldr x2, [x1] */
		0xf8408422, /* ldr x2, [x1], #8 */
		0xa8c10c22, /* ldp x2, x3, [x1], #16: the second refuses */
		0xf9000022, /* str x2, [x1] */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct cz_frame before;

		fake_start();
		fake_host.refused = FAKE_DEVICE + (i == 2 ? 12 : 4);
		fake_frame.x[1] = FAKE_DEVICE + 1;
		fake_frame.pc = FAKE_CODE + 0x100;
		before = fake_frame;
		memcpy(fake_host.code + 0x100, &forms[i], 4);
		assert_true(cz_firmware_exception(
			&fake_cz, &fake_frame,
			(uint64_t)EC_DATA_ABORT_EL0 << 26 | ALIGNMENT,
			FAKE_DEVICE + 1));
		assert_int_equal(fake_cz.ended_by, CZ_E_FAULT);
		assert_memory_equal(&gate_of(&fake_cz)->end, &before,
				    sizeof(before));
		cz_ending_fill(&fake_cz, CZ_GET_TIME, 1000);
		cz_ending_report(&fake_cz, "GetTime");
		assert_string_equal(fake_cz.ending.what,
				    i == 3 ? "data abort, write"
					   : "data abort, read");
		assert_int_equal(fake_cz.ending.address, fake_host.refused);
		assert_true(fake_said("external abort; "));
		assert_int_equal(fake_cz.stats.service[CZ_GET_TIME]
					 .traps[CZ_TRAP_ALIGNMENT],
				 0);
	}
}

/* Tests cz_kernel_exception(), for aborts that the kernel itself takes. */
static void a_kernel_abort_is_recognized_by_its_address(void **state)
{
	const uint64_t abort = (uint64_t)EC_DATA_ABORT << 26 | FAULT_EXTERNAL;
	const uint64_t at = (uint64_t)(uintptr_t)cz_machine_fixups;
	struct cz_frame before;

	(void)state;
	fake_frame.pc = at + 8 + 0x3000;
	before = fake_frame;
	assert_false(
		cz_kernel_exception(&fake_frame, (uint64_t)EC_UNKNOWN << 26));
	fake_frame.pc += 4;
	assert_false(cz_kernel_exception(&fake_frame, abort));
	fake_frame.pc = at + 16; /* the terminator of the table */
	assert_false(cz_kernel_exception(&fake_frame, abort));
	fake_frame.pc = before.pc;
	assert_true(cz_kernel_exception(&fake_frame, abort));
	before.pc = at + 12 + 0x4000;
	before.x[0] = abort;
	assert_memory_equal(&fake_frame, &before, sizeof(before));
	fake_frame.pc = at + 0x1000;
	assert_true(cz_kernel_exception(&fake_frame, abort));
	assert_int_equal(fake_frame.pc, at + 4 + 0x2000);
}

static void other_instructions_and_addresses_are_refused(void **state)
{
	static const uint32_t forms[] = {
		0x3dc00022, /* ldr q2, [x1] */
		0xfd400022, /* ldr d2 */
		0xad400c22, /* ldp q2, q3 */
		0xc85f7c22, /* ldxr */
		0xc8dffc22, /* ldar */
		0xf8210022, /* ldadd */
		0xf8200422, /* ldraa */
		0xf9800022, /* prfm */
		0xf8800022, /* prfum */
		0x58000022, /* ldr, literal */
		0x69000c22, /* stgp: not a pair of words */
		0xe9400c22, /* unallocated */
		0xb9c00022, /* unallocated: ldrsw to w */
		0xd503201f, /* nop */
	};
	struct cz_frame before;

	(void)state;
	fill_device();
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		fake_frame.x[1] = FAKE_DEVICE + 1;
		fake_frame.pc = FAKE_CODE + 0x100;
		before = fake_frame;
		if (access_at(forms[i], FAKE_DEVICE + 1)) {
			fail_msg("%08x", forms[i]);
		}
		assert_memory_equal(&before, &fake_frame, sizeof(before));
	}
	fake_frame.x[1] = FAKE_DEVICE + 0xff9;
	assert_false(access_at(0xf9400022, FAKE_DEVICE + 0xff9));
	fake_frame.x[1] = FAKE_READ_ONLY + 1;
	assert_false(access_at(0xf9000022, FAKE_READ_ONLY + 1));
	fake_frame.x[1] = FAKE_DATA + 1;
	assert_false(access_at(0xf9400022, FAKE_DATA + 1));
	fake_frame.x[1] = 0xffff800000000001;
	assert_false(access_at(0xf9400022, 0xffff800000000001));
	/* The instruction does not access the faulting address. */
	fake_frame.x[1] = FAKE_DEVICE + 1;
	assert_false(access_at(0xf9400022, FAKE_DEVICE + 9));
	assert_false(access_at(0xf9400022, FAKE_DEVICE));
	assert_int_equal(
		fake_cz.stats.service[CZ_GET_TIME].traps[CZ_TRAP_ALIGNMENT], 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			queries_pass_and_resets_only_in_reset_system, start),
		cmocka_unit_test_setup(other_secure_calls_are_refused, start),
		cmocka_unit_test_setup(conduit_and_immediate_are_checked,
				       start),
		cmocka_unit_test_setup(messages_must_be_in_firmwares_memory,
				       start),
		cmocka_unit_test(a_preempted_partition_is_resumed),
		cmocka_unit_test(management_mode_is_not_preempted),
		cmocka_unit_test(only_the_calls_own_request_is_resumed),
		cmocka_unit_test(a_suspended_request_is_not_aborted),
		cmocka_unit_test_setup(a_refusal_is_logged_once_a_service,
				       start),
		cmocka_unit_test(every_form_of_load_is_emulated),
		cmocka_unit_test_setup(stores_are_emulated, start),
		cmocka_unit_test(an_external_abort_ends_the_call),
		cmocka_unit_test_setup(
			a_kernel_abort_is_recognized_by_its_address, start),
		cmocka_unit_test_setup(
			other_instructions_and_addresses_are_refused, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
