/* SPDX-License-Identifier: MIT */
/*
 * Runs the register loop, and finds out which register of a snapshot was wrong.
 */
#include "registers.h"
#include <stdbool.h>

static struct snapshot snapshot; /* too large for firmware's stack */

static uint64_t pattern(uint64_t counter)
{
	uint64_t factor = (uint64_t)PATTERN_FACTOR_3 << 48 |
			  (uint64_t)PATTERN_FACTOR_2 << 32 |
			  (uint64_t)PATTERN_FACTOR_1 << 16 | PATTERN_FACTOR_0;
	uint64_t x = counter * factor;

	return x ^ x >> PATTERN_SHIFT;
}

static uint64_t rotate(uint64_t x, unsigned count)
{
	return count == 0 ? x : x >> count | x << (64 - count);
}

/* Returns whether the register was as expected. If not, fills the record. */
static bool compare(struct adversary_registers_record *record,
		    enum adversary_register kind, uint32_t number,
		    const uint64_t *found, const uint64_t *expected,
		    uint32_t count)
{
	bool same = true;

	for (uint32_t i = 0; i < count; i++) {
		same = same && found[i] == expected[i];
	}
	if (!same) {
		record->kind = kind;
		record->number = number;
		for (uint32_t i = 0; i < count; i++) {
			record->found[i] = found[i];
			record->expected[i] = expected[i];
		}
	}
	return same;
}

static bool compare_status(struct adversary_registers_record *record,
			   enum adversary_register kind, uint64_t found,
			   uint64_t expected)
{
	return compare(record, kind, 0, &found, &expected, 1);
}

static void find_wrong(uint64_t counter,
		       struct adversary_registers_record *record)
{
	uint64_t x = pattern(counter);

	for (uint32_t n = 0; n < 31; n++) {
		uint64_t expected = rotate(x, PATTERN_ROTATE * n % 64);
		if (!compare(record, ADVERSARY_X, n, &snapshot.x[n], &expected,
			     1)) {
			return;
		}
	}
	for (uint32_t n = 0; n < 32; n++) {
		uint64_t expected[2] = {(n + 1) * x, (n + 1) * ~x};
		if (!compare(record, ADVERSARY_V, n, snapshot.v[n], expected,
			     2)) {
			return;
		}
	}
	if (compare_status(record, ADVERSARY_NZCV, snapshot.nzcv,
			   x & PATTERN_NZCV) &&
	    compare_status(record, ADVERSARY_FPCR, snapshot.fpcr,
			   x & PATTERN_FPCR) &&
	    compare_status(record, ADVERSARY_FPSR, snapshot.fpsr,
			   x & PATTERN_FPSR)) {
		record->kind = ADVERSARY_GONE;
	}
}

void registers_run(const struct adversary_registers_order *order,
		   struct adversary_registers_record *record)
{
	uint64_t left =
		registers_loop(order->seed, order->iterations, &snapshot);

	record->kind = ADVERSARY_NONE;
	record->number = 0;
	record->iteration = order->iterations - left;
	for (uint32_t i = 0; i < 2; i++) {
		record->expected[i] = 0;
		record->found[i] = 0;
	}
	if (left != 0) {
		find_wrong(order->seed + record->iteration, record);
	}
}
