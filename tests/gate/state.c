/* SPDX-License-Identifier: MIT */
/*
 * Tests that each bit of PSTATE besides the interrupt mask has the host's value
 * again after a call. Each bit is tested clear and set before the call, and
 * firmware inverts it. The program is in an image of its own, because it calls
 * in the worker's place.
 */
#include "arm64/gate_layout.h"
#include "gate.h"
#include "lib/common.h"
#include "lib/watch.h"
#include "place.h"
#include "sched/sched.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/string.h>

#define CODE_AT 0x100u /* in the trampoline's page, behind the trampoline */
#define INSN_MRS_X9 0xd5380009u
#define INSN_MSR_X9 0xd5180009u
#define INSN_MOVZ_X10 0xd280000au
#define INSN_MOVZ_X10_HIGH 0xd2a0000au
#define INSN_EOR_X9_X10 0xca0a0129u
#define INSN_RET 0xd65f03c0u

/* The register S3_<op1>_C4_<CRm>_<op2>, encoded as in the instructions MRS and
 * MSR. */
#define REGISTER(op1, crm, op2) \
	((op1) << 16 | 4u << 12 | (crm) << 8 | (op2) << 5)

static const struct state {
	const char *name;
	uint64_t bit;
	uint32_t place;
	uint32_t anomaly;
	bool el0; /* whether EL0 may write it */
} states[] = {
	{"state: PAN", STATE_PAN, REGISTER(0u, 2u, 3u), CZ_ANOMALY_PAN, false},
	{"state: UAO", STATE_UAO, REGISTER(0u, 2u, 4u), CZ_ANOMALY_UAO, false},
	{"state: DIT", STATE_DIT, REGISTER(3u, 2u, 5u), CZ_ANOMALY_DIT, true},
	{"state: SSBS", STATE_SSBS, REGISTER(3u, 2u, 6u), CZ_ANOMALY_SSBS,
	 true},
	{"state: TCO", STATE_TCO, REGISTER(3u, 2u, 7u), CZ_ANOMALY_TCO, true},
	{"state: ALLINT", STATE_ALLINT, REGISTER(0u, 3u, 0u), CZ_ANOMALY_ALLINT,
	 false},
};

static uint64_t read_bit(uint64_t bit)
{
	switch (bit) {
	case STATE_PAN:
		return READ_SYSREG(s3_0_c4_c2_3);
	case STATE_UAO:
		return READ_SYSREG(s3_0_c4_c2_4);
	case STATE_DIT:
		return READ_SYSREG(s3_3_c4_c2_5);
	case STATE_SSBS:
		return READ_SYSREG(s3_3_c4_c2_6);
	case STATE_TCO:
		return READ_SYSREG(s3_3_c4_c2_7);
	default:
		return READ_SYSREG(s3_0_c4_c3_0);
	}
}

static void write_bit(uint64_t bit, uint64_t value)
{
	switch (bit) {
	case STATE_PAN:
		WRITE_SYSREG(s3_0_c4_c2_3, value);
		break;
	case STATE_UAO:
		WRITE_SYSREG(s3_0_c4_c2_4, value);
		break;
	case STATE_DIT:
		WRITE_SYSREG(s3_3_c4_c2_5, value);
		break;
	case STATE_SSBS:
		WRITE_SYSREG(s3_3_c4_c2_6, value);
		break;
	case STATE_TCO:
		WRITE_SYSREG(s3_3_c4_c2_7, value);
		break;
	default:
		WRITE_SYSREG(s3_0_c4_c3_0, value);
		break;
	}
}

/* Writes a service that inverts a bit and returns. Returns its address. */
static uint64_t write_service(const struct state *state)
{
	uint32_t code[] = {
		INSN_MRS_X9 | state->place, INSN_MOVZ_X10, INSN_EOR_X9_X10,
		INSN_MSR_X9 | state->place, INSN_RET,
	};
	uint8_t *at = firmware->trampoline.alias + CODE_AT;

	if (state->bit >> 16 != 0) {
		code[1] = INSN_MOVZ_X10_HIGH | (uint32_t)(state->bit >> 16)
						       << 5;
	} else {
		code[1] |= (uint32_t)state->bit << 5;
	}
	memcpy(at, code, sizeof(code));
	cz_host_sync_code(firmware->host, at, sizeof(code));
	return firmware->window_address + CODE_AT;
}

/* Sets the bit to `value`, makes a call, and returns the bit. */
static uint64_t call_with(const struct state *state, uint64_t value,
			  uint32_t *anomalies)
{
	static const uint64_t arguments[CZ_MAX_ARGUMENTS];
	uint64_t function = write_service(state);
	uint64_t daif, usual, after;

	place_take();
	fp_begin();
	daif = irq_save();
	usual = read_bit(state->bit);
	write_bit(state->bit, value);
	(void)cz_gate_call(firmware, function, arguments, anomalies);
	after = read_bit(state->bit);
	write_bit(state->bit, usual);
	irq_restore(daif);
	fp_end();
	place_leave();
	return after;
}

static bool stays(const struct state *state, uint64_t value)
{
	bool sandbox = firmware->gate == CZ_GATE_SANDBOX;
	uint32_t due = sandbox ? 0 : 1u << state->anomaly;
	uint32_t anomalies = 0;
	uint64_t after = call_with(state, value, &anomalies);
	bool is_ended = firmware->ended_by != 0;

	firmware->ended_by = 0;
	if (after == value && anomalies == due &&
	    is_ended == (sandbox && !state->el0)) {
		return true;
	}
	kprintf("# %llx became %llx, anomalies %x%s\n",
		(unsigned long long)value, (unsigned long long)after, anomalies,
		is_ended ? ", ended" : "");
	return false;
}

/* Makes a call with SErrors masked. The gates execute no ESB then, and the
 * sandbox's trampoline is entered behind its ESB. */
static bool returns_with_errors_masked(void)
{
	static const uint64_t arguments[CZ_MAX_ARGUMENTS] = {7};
	uint64_t value, daif, after;
	uint32_t anomalies;

	place_take();
	fp_begin();
	daif = irq_save();
	__asm__ volatile("msr daifset, #4" ::: "memory");
	value = cz_gate_call(firmware, firmware->function[CZ_NULL_SERVICE],
			     arguments, &anomalies);
	after = READ_SYSREG(daif);
	irq_restore(daif);
	fp_end();
	place_leave();
	return value == 7 && anomalies == 0 && firmware->ended_by == 0 &&
	       (after & PSTATE_A) != 0;
}

PROGRAM(state, "the host's PSTATE after a call")
{
	uint64_t has = cpu_state_bits();

	ktap_begin(sizeof(states) / sizeof(*states) + 1);
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		if ((has & states[i].bit) == 0) {
			ktap_skip(states[i].name, "the CPU has none");
			continue;
		}
		bool clear = stays(&states[i], 0);
		bool set = stays(&states[i], states[i].bit);

		ktap_result(clear && set, states[i].name);
	}
	ktap_result(returns_with_errors_masked(),
		    "state: a call returns with SErrors masked");
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
