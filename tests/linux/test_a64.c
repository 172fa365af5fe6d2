/* SPDX-License-Identifier: MIT */
/* linux/commit/a64.c: each supported instruction has the same effect as on a
 * processor; all others are left to the processor. */
#include "commit/a64.h"

#include "a64_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT (sizeof(follow_cases) / sizeof(follow_cases[0]))
#define PC 0x10000ull

static uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Returns a pseudorandom value; about half of them are the ends of ranges. */
static uint64_t value(uint64_t number)
{
	static const uint64_t ends[] = {
		0,	     1,		 2,
		0x7fffffff,  0x80000000, 0xffffffff,
		0x100000000, INT64_MAX,	 (uint64_t)INT64_MIN,
		UINT64_MAX,
	};
	uint64_t mixed = mix(number);

	return (mixed & 1) != 0 ? ends[(mixed >> 8) % 10] : mixed;
}

static uint64_t hash(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0x100000001b3u;
	return sum ^ sum >> 29;
}

static void instructions_match_a_processor(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		uint32_t instruction = follow_cases[i].instruction;
		struct cz_frame frame = {
			.pc = PC,
			.pstate = (i * 7 & 15) << 28,
		};
		uint64_t sum = 0;

		for (size_t k = 0; k < 8; k++) {
			frame.x[k] = value(i * 8 + k);
		}
		if (!a64_step(&frame, instruction)) {
			fail_msg("%08x is not done", instruction);
		}
		for (size_t k = 0; k < 8; k++) {
			sum = hash(sum, frame.x[k]);
		}
		sum = hash(sum, frame.pstate);
		if ((uint32_t)sum != follow_cases[i].hash ||
		    frame.pc != PC + 4) {
			fail_msg("%08x is done wrong", instruction);
		}
	}
}

/* Each branch is executed at PC, with x1 = 5, x2 = 0, x3 = 0x777000 and the
 * flags Z and C set. */
static void branches_reach_their_targets(void **state)
{
	static const struct {
		uint32_t instruction;
		uint64_t to;
		bool is_call;
	} cases[] = {
		{0x14000003, PC + 12, false}, /* b */
		{0x17fffffe, PC - 8, false},
		{0x94000100, PC + 0x400, true}, /* bl */
		{0x34000061, PC + 4, false}, /* cbz w1 */
		{0x34000062, PC + 12, false}, /* cbz w2 */
		{0xb5000061, PC + 12, false}, /* cbnz x1 */
		{0xb5ffffe2, PC + 4, false}, /* cbnz x2 */
		{0x36000061, PC + 4, false}, /* tbz w1, #0 */
		{0x37000061, PC + 12, false}, /* tbnz w1, #0 */
		{0x370fffe1, PC + 4, false}, /* tbnz w1, #1 */
		{0xb607ffe1, PC - 4, false}, /* tbz x1, #32 */
		{0x54000060, PC + 12, false}, /* b.eq */
		{0x54000061, PC + 4, false}, /* b.ne */
		{0x54000068, PC + 4, false}, /* b.hi */
		{0x5400006e, PC + 12, false}, /* b.al */
		{0xd61f0060, 0x777000, false}, /* br x3 */
		{0xd63f0060, 0x777000, true}, /* blr x3 */
		{0xd65f0060, 0x777000, false}, /* ret x3 */
		{0xd503201f, PC + 4, false}, /* nop */
		{0xd5033bbf, PC + 4, false}, /* dmb ish */
		{0xd5033f9f, PC + 4, false}, /* dsb sy */
		{0xd5033fdf, PC + 4, false}, /* isb */
		{0xd503245f, PC + 4, false}, /* bti c */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cz_frame frame = {.pc = PC, .pstate = 6ull << 28};

		frame.x[1] = 5;
		frame.x[3] = 0x777000;
		frame.x[30] = 7;
		assert_true(a64_step(&frame, cases[i].instruction));
		if (frame.pc != cases[i].to ||
		    frame.x[30] != (cases[i].is_call ? PC + 4 : 7)) {
			fail_msg("%08x goes to %llx", cases[i].instruction,
				 (unsigned long long)frame.pc);
		}
	}
}

static void sp_and_pc_are_operands(void **state)
{
	struct cz_frame frame = {.pc = 0x12345678, .sp = 0x8000};

	(void)state;
	assert_true(a64_step(&frame, 0xd10083ff)); /* sub sp, sp, #32 */
	assert_int_equal(frame.sp, 0x7fe0);
	assert_true(a64_step(&frame, 0x910043fd)); /* add x29, sp, #16 */
	assert_int_equal(frame.x[29], 0x7ff0);
	assert_true(a64_step(&frame, 0xb0000000)); /* adrp x0, . + 4096 */
	assert_int_equal(frame.x[0], 0x12346000);
	assert_true(a64_step(&frame, 0x70ffffe1)); /* adr x1, . - 1 */
	assert_int_equal(frame.x[1], 0x12345683);
}

static void other_instructions_are_left_alone(void **state)
{
	static const uint32_t others[] = {
		0xd4000001, /* svc */
		0xd4000002, /* hvc */
		0xd4200000, /* brk */
		0xd5380000, /* mrs */
		0xd503207f, /* wfi */
		0xd69f03e0, /* eret */
		0x1e604000, /* fmov */
		0x9ac00800, /* udiv */
		0x92400000 | 31, /* and sp, x0, #1 */
		0x00000000,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct cz_frame frame = {.pc = PC}, before = frame;

		assert_false(a64_step(&frame, others[i]));
		assert_memory_equal(&frame, &before, sizeof(frame));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions_match_a_processor),
		cmocka_unit_test(branches_reach_their_targets),
		cmocka_unit_test(sp_and_pc_are_operands),
		cmocka_unit_test(other_instructions_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
