/* SPDX-License-Identifier: MIT */
/*
 * Tests that the direct gate is a function like any other for its caller: it
 * preserves the callee-saved registers, whatever firmware leaves in them and
 * however the call ends. The worker is compiled code that uses only some of
 * these registers, and no FP registers; here all of them are in use. The
 * program is in an image of its own, because it enters the gate in place of the
 * worker, which sleeps meanwhile.
 */
#include "arm64/gate_layout.h"
#include "call.h"
#include "keep.h"
#include "lib/adversary.h"
#include "lib/common.h"
#include "place.h"
#include "sched/sched.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/time.h>

#define SEED 0x0123456789abcdefull
#define CPACR_FPEN (3ull << 20)
#define PRIORITY_ABORT 60
#define PRIORITY_IN_VAIN 2
#define ABORT_AFTER_NS 32000u
#define LONG 100000000ull /* iterations: seconds */

#define BIT(n) (1ull << (n))

static struct gate *gate;
static uint64_t arguments[CZ_MAX_ARGUMENTS];

/* ---- In the worker's place ---- */

static void prepare(enum cz_service service, uint64_t first, const void *second,
		    uint64_t third, uint64_t fourth, const void *fifth)
{
	gate->function = firmware->function[service];
	gate->stack_top = firmware->stack_top;
	gate->return_address = firmware->window_address;
	gate->arguments = arguments;
	arguments[0] = first;
	arguments[1] = (uintptr_t)second;
	arguments[2] = third;
	arguments[3] = fourth;
	arguments[4] = (uintptr_t)fifth;
}

/* Prepares a call of the adversary's SetVariable, which runs at EL1 and can
 * therefore read the order from the kernel's memory. */
static void prepare_adversary(const uint16_t *name, const void *order,
			      size_t size_bytes)
{
	prepare(CZ_SET_VARIABLE, (uintptr_t)name, &adversary_guid,
		ADVERSARY_ATTRIBUTES, size_bytes, order);
}

static uint64_t enter(void)
{
	uint64_t changed;

	__atomic_store_n(&gate->active, 1, __ATOMIC_RELEASE);
	changed = gate_keep(gate, SEED);
	__atomic_store_n(&gate->active, 0, __ATOMIC_RELEASE);
	return changed;
}

static uint64_t enter_in_section(void)
{
	uint64_t changed;

	place_take();
	fp_begin();
	changed = enter();
	fp_end();
	place_leave();
	return changed;
}

/* Enables FP/SIMD without an FP section, so that the kernel does not handle the
 * trap of an FP instruction in code that finds FP disabled. */
static uint64_t enter_with_fp(void)
{
	uint64_t changed;

	preempt_disable();
	place_take();
	WRITE_SYSREG(cpacr_el1, CPACR_FPEN);
	isb();
	changed = enter();
	WRITE_SYSREG(cpacr_el1, 0);
	isb();
	place_leave();
	preempt_enable();
	return changed;
}

static void kept(uint64_t changed, bool as_due, const char *name)
{
	if (changed != 0) {
		kprintf("# changed: %llx\n", (unsigned long long)changed);
	}
	ktap_result(changed == 0 && as_due, name);
}

/* ---- Calls that return ---- */

static void check_null(void)
{
	uint64_t changed;

	prepare(CZ_NULL_SERVICE, 7, NULL, 0, 0, NULL);
	changed = enter_in_section();
	kept(changed,
	     gate->result == 7 && gate->left_saved == 0 &&
		     gate->left_x18 == 0 && gate->left_fpcr == gate->fpcr,
	     "gate: a call that changes nothing");
}

/* Changes every register that the gate itself compares. The caller of the gate
 * compares the system registers. */
static void check_spoiled(void)
{
	struct adversary_leave_order order = {
		.what = BIT(ADVERSARY_LEAVE_FPCR) | BIT(ADVERSARY_LEAVE_SP) |
			BIT(ADVERSARY_LEAVE_DAIF),
	};
	uint64_t changed;

	for (unsigned n = 18; n < 30; n++) {
		order.what |= BIT(ADVERSARY_LEAVE_X(n));
	}
	for (unsigned n = 8; n < 16; n++) {
		order.what |= BIT(ADVERSARY_LEAVE_D(n));
	}
	prepare_adversary(ADVERSARY_LEAVE, &order, sizeof(order));
	changed = enter_in_section();
	kept(changed,
	     gate->result == CZ_OK && gate->left_saved == 1 &&
		     gate->left_x18 == 1 && gate->left_fpcr != gate->fpcr &&
		     gate->left_daif != gate->daif &&
		     gate->left_sp != gate->stack_top,
	     "gate: a call that changes everything");
}

static void check_fp_off(void)
{
	struct adversary_leave_order order = {
		.what = BIT(ADVERSARY_LEAVE_CPACR),
	};
	uint64_t changed;

	prepare_adversary(ADVERSARY_LEAVE, &order, sizeof(order));
	changed = enter_with_fp();
	kept(changed,
	     gate->result == CZ_OK &&
		     (gate->left_coprocessor & CPACR_FPEN) == 0,
	     "gate: a call that switches FP off");
}

/* ---- Calls that are ended ---- */

/* Asks for the end of the present call. This program starts no watch, so the
 * number is that of the worker's latest call. */
static void ask_for_end(void)
{
	uint64_t number = firmware->watch_state / CZ_WATCH_CALL;

	__atomic_store_n(&firmware->end_request, cz_end_of(number, false),
			 __ATOMIC_RELEASE);
}

static void abort_entry(void *unused)
{
	(void)unused;
	thread_sleep_until(tick_after_ns(ABORT_AFTER_NS));
	ask_for_end();
}

static void check_ended(void)
{
	struct adversary_registers_order order = {.seed = 1,
						  .iterations = LONG};
	struct thread *thread =
		thread_create("abort", PRIORITY_ABORT, abort_entry, NULL);
	uint64_t changed;

	prepare_adversary(ADVERSARY_REGISTERS, &order, sizeof(order));
	changed = enter_in_section();
	thread_join(thread);
	kept(changed, firmware->ended_by == CZ_E_ABORTED,
	     "gate: a call that is ended while all registers are in use");
}

static void in_vain(void *unused)
{
	(void)unused;
	thread_sleep_until(tick_after_ns(ABORT_AFTER_NS));
}

/* The call is ended at the timer interrupt of a thread that does not get to
 * run, because preemption is off. */
static void check_ended_fp_off(void)
{
	struct adversary_leave_order order = {
		.what = BIT(ADVERSARY_LEAVE_CPACR), .iterations = LONG};
	struct thread *thread =
		thread_create("in vain", PRIORITY_IN_VAIN, in_vain, NULL);
	uint64_t changed;

	thread_sleep_until(tick_after_ns(ABORT_AFTER_NS / 4));
	prepare_adversary(ADVERSARY_LEAVE, &order, sizeof(order));
	ask_for_end();
	changed = enter_with_fp();
	thread_join(thread);
	kept(changed,
	     firmware->ended_by == CZ_E_ABORTED &&
		     (gate->left_coprocessor & CPACR_FPEN) == 0,
	     "gate: a call that is ended with FP off");
}

PROGRAM(gate, "what the gate keeps for its caller")
{
	struct adversary_registers_record record;

	if (!adversary_record(&record)) {
		return could_not_run("the adversary's driver is not there");
	}
	gate = (struct gate *)firmware->gate_context.words;
	ktap_begin(5);
	check_null();
	check_spoiled();
	check_fp_off();
	check_ended();
	check_ended_fp_off();
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
