/* SPDX-License-Identifier: MIT */
/*
 * Runs firmware that returns with something changed that it must preserve: each
 * thing alone, then all together. Exactly these anomalies must be counted, each
 * must be logged once, and neither the worker nor any other thread may keep the
 * change.
 */
#include "lib/adversary.h"
#include "lib/clobber.h"
#include "lib/common.h"
#include "lib/watch.h"

#include <kernel/ktap.h>
#include <kernel/mm.h>
#include <kernel/port.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/thread.h>
#include <kernel/time.h>

#define TABLE_ADDRESS 0x0000fffffffff000ull
#define A_WHILE_NS 8000u
#define LINGER_ITERATIONS 200000u
#define URGENT_NS 32000u
#define PRIORITY_URGENT 50
#define SEED_STEP 0x9e3779b97f4a7c15ull

#define BIT(n) (1ull << (n))
#define LEFT(name) BIT(ADVERSARY_LEAVE_##name)
#define COUNTED(name) (1u << CZ_ANOMALY_##name)

/* In the sandbox the call is ended instead of returning. */
#define ENDED (1u << 31)

struct leaving {
	const char *name;
	uint64_t what;
	uint32_t anomalies; /* expected in the direct gate */
	uint32_t sandboxed; /* expected in the sandbox */
};

/* Interrupts are masked where an interrupt in between would crash any system.
 *  */
static const struct leaving table[] = {
	{"leave: interrupts masked", LEFT(DAIF), COUNTED(INTERRUPTS), 0},
	{"leave: the kernel's stack selected", LEFT(SPSEL),
	 COUNTED(STACK_SELECT), 0},
	{"leave: another stack pointer", LEFT(SP), COUNTED(STACK_POINTER),
	 ENDED},
	{"leave: the end of the stack overwritten", LEFT(STACK),
	 COUNTED(STACK_CANARY), COUNTED(STACK_CANARY)},
	{"leave: x18 changed", BIT(ADVERSARY_LEAVE_X(18)),
	 COUNTED(PLATFORM_REGISTER), COUNTED(PLATFORM_REGISTER)},
	{"leave: FPCR changed", LEFT(FPCR), COUNTED(FP_CONTROL),
	 COUNTED(FP_CONTROL)},
	{"leave: TPIDR_EL0 changed", LEFT(TPIDR_EL0), COUNTED(THREAD_USER),
	 COUNTED(THREAD_USER)},
	{"leave: TPIDR_EL1 changed", LEFT(DAIF) | LEFT(TPIDR_EL1),
	 COUNTED(INTERRUPTS) | COUNTED(THREAD_KERNEL), 0},
	{"leave: another translation table", LEFT(DAIF) | LEFT(TTBR0),
	 COUNTED(INTERRUPTS) | COUNTED(TRANSLATION), ENDED},
	{"leave: another ASID, allowed in the direct gate", LEFT(ASID), 0,
	 ENDED},
	{"leave: VBAR_EL1 changed", LEFT(DAIF) | LEFT(VBAR),
	 COUNTED(INTERRUPTS) | COUNTED(VECTORS), ENDED},
	{"leave: SCTLR_EL1 changed", LEFT(SCTLR), COUNTED(SYSTEM_CONTROL),
	 ENDED},
	{"leave: FP switched off", LEFT(CPACR), COUNTED(COPROCESSOR), ENDED},
};

/* State that not every CPU has. EL0 can write three of these, and the kernel's
 * values are restored on the way out. */
static const struct {
	const char *name;
	uint64_t bit, what;
	uint32_t anomaly, sandboxed;
} states[] = {
	{"leave: PAN changed", STATE_PAN, LEFT(PAN), COUNTED(PAN), ENDED},
	{"leave: UAO changed", STATE_UAO, LEFT(UAO), COUNTED(UAO), ENDED},
	{"leave: DIT changed", STATE_DIT, LEFT(DIT), COUNTED(DIT), 0},
	{"leave: SSBS changed", STATE_SSBS, LEFT(SSBS), COUNTED(SSBS), 0},
	{"leave: TCO changed", STATE_TCO, LEFT(TCO), COUNTED(TCO), 0},
	{"leave: ALLINT changed", STATE_ALLINT, LEFT(ALLINT), COUNTED(ALLINT),
	 ENDED},
};

static struct {
	struct system_state before;
	struct adversary_leave_order order;
	uint32_t said; /* anomalies that have been logged */
	uint64_t seed;
} leave;

/* Returns the address of a separate translation table with the same mappings,
 * for TTBR0. */
static uint64_t copy_translation(void)
{
	uint64_t copy = pages_alloc(1);
	uint64_t ttbr;

	if (copy == 0) {
		panic("no page");
	}
	space_adopt(port_firmware_space());
	ttbr = system_state_now().ttbr0;
	space_adopt(NULL);
	memcpy(phys_to_virt(copy), phys_to_virt(ttbr & TABLE_ADDRESS),
	       PAGE_SIZE);
	return copy | (ttbr & ~TABLE_ADDRESS);
}

static cz_status leave_call(uint64_t what, uint64_t iterations)
{
	leave.order.what = what;
	leave.order.iterations = iterations;
	return cz_set_variable(firmware, ADVERSARY_LEAVE, &adversary_guid,
			       ADVERSARY_ATTRIBUTES, &leave.order,
			       sizeof(leave.order), CZ_FOREVER);
}

/* Checks this thread's registers and this CPU's state. */
static bool check_kernel(void)
{
	struct system_state now = system_state_now();
	uint64_t fpcr, tick = tick_after_ns(A_WHILE_NS);
	bool sound = system_state_same(&now, &leave.before);

	thread_sleep_until(tick);
	fp_begin();
	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	fp_end();
	if (fpcr != 0) {
		kprintf("# a new FP section begins with FPCR %llx\n",
			(unsigned long long)fpcr);
	}
	return sound && fpcr == 0;
}

/* Makes the call while this thread holds a pattern in the FP registers. */
static bool call_in_section(uint64_t what)
{
	uint64_t wrong;
	cz_status status;

	fp_begin();
	leave.seed += SEED_STEP;
	fp_fill(leave.seed);
	status = leave_call(what, 0);
	wrong = fp_check(leave.seed);
	fp_end();
	if (status != CZ_OK) {
		kprintf("# %s\n", cz_status_name(status));
	}
	if (wrong != 0) {
		kprintf("# FP register %llu of the caller has changed\n",
			(unsigned long long)wrong - 1);
	}
	return status == CZ_OK && wrong == 0;
}

static bool counted(const uint64_t *before, uint32_t due)
{
	static struct cz_stats stats;
	bool right = true;

	cz_get_stats(firmware, &stats);
	for (uint32_t i = 0; i < CZ_ANOMALY_COUNT; i++) {
		uint64_t times = stats.anomalies[i] - before[i];

		if (times != (due >> i & 1)) {
			kprintf("# %s: %llu times\n",
				cz_anomaly_name((enum cz_anomaly)i),
				(unsigned long long)times);
			right = false;
		}
	}
	return right;
}

static unsigned count_bits(uint32_t bits)
{
	unsigned count = 0;

	for (; bits != 0; bits &= bits - 1) {
		count++;
	}
	return count;
}

/* Checks that there was one line for each kind of anomaly that had none yet,
 * and that the last line is for the highest. */
static bool was_said(uint32_t anomalies)
{
	uint32_t fresh = anomalies & ~leave.said;
	const struct cz_image *image;
	char due[WATCH_LINE_BYTES] = "";
	uint64_t offset;

	leave.said |= anomalies;
	image = cz_find_image(firmware, firmware->function[CZ_SET_VARIABLE],
			      &offset);
	if (fresh != 0) {
		ksnprintf(due, sizeof(due),
			  "SetVariable (%s) left %s changed: mended",
			  image == NULL ? "no image" : image->name,
			  cz_anomaly_name((enum cz_anomaly)(
				  31 - __builtin_clz(fresh))));
	}
	if (watched.lines != count_bits(fresh) ||
	    strcmp(watched.last, due) != 0) {
		kprintf("# %u lines, the last: %s\n# instead of: %s\n",
			watched.lines, watched.last, due);
		return false;
	}
	return fresh == 0 || system_state_same(&watched.state, &leave.before);
}

/* For changes that firmware cannot make: the call must have been ended, with
 * nothing changed. */
static bool is_ended(uint64_t what)
{
	cz_status status = leave_call(what, 0);

	restore_services();
	if (status != CZ_E_FAULT) {
		kprintf("# %s\n", cz_status_name(status));
	}
	return check_kernel() && status == CZ_E_FAULT;
}

static bool leave_once(uint64_t what, uint32_t anomalies)
{
	static struct cz_stats stats;
	bool right;

	if (anomalies == ENDED) {
		return is_ended(what);
	}
	cz_get_stats(firmware, &stats);
	watch_begin();
	right = call_in_section(what);
	watch_end();
	right = counted(stats.anomalies, anomalies) && right;
	right = was_said(anomalies) && right;
	return check_kernel() && right;
}

static bool sandboxed(void)
{
	return firmware->gate == CZ_GATE_SANDBOX;
}

static void check_table(void)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		uint32_t due =
			sandboxed() ? table[i].sandboxed : table[i].anomalies;
		bool first = leave_once(table[i].what, due);
		bool again = leave_once(table[i].what, due);

		ktap_result(first && again, table[i].name);
	}
}

static void check_states(void)
{
	uint64_t has = cpu_state_bits();

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		uint32_t due =
			sandboxed() ? states[i].sandboxed : states[i].anomaly;
		bool first, again;

		if ((has & states[i].bit) == 0) {
			ktap_skip(states[i].name, "the CPU does not have it");
			continue;
		}
		first = leave_once(states[i].what, due);
		again = leave_once(states[i].what, due);
		ktap_result(first && again, states[i].name);
	}
}

/* Runs the cases from `first` to `last`, each alone. */
static bool each(unsigned first, unsigned last)
{
	bool right = true;

	for (unsigned bit = first; bit <= last; bit++) {
		if (!leave_once(BIT(bit), COUNTED(CALLEE_SAVED))) {
			kprintf("# register %u of this range\n",
				bit - first + 1);
			right = false;
		}
	}
	return right;
}

static void check_callee_saved(void)
{
	ktap_result(each(ADVERSARY_LEAVE_X(19), ADVERSARY_LEAVE_X(29)),
		    "leave: x19 to x29 changed, each alone");
	ktap_result(each(ADVERSARY_LEAVE_D(8), ADVERSARY_LEAVE_D(15)),
		    "leave: d8 to d15 changed, each alone");
}

static void check_all(void)
{
	uint64_t what = 0;
	uint32_t anomalies = COUNTED(CALLEE_SAVED);

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		what |= table[i].what;
		anomalies |= table[i].anomalies;
	}
	for (unsigned i = 0; i < 11; i++) {
		what |= BIT(ADVERSARY_LEAVE_X(19 + i));
	}
	for (unsigned i = 8; i < 16; i++) {
		what |= BIT(ADVERSARY_LEAVE_D(i));
	}
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		if ((cpu_state_bits() & states[i].bit) != 0) {
			what |= states[i].what;
			anomalies |= states[i].anomaly;
		}
	}
	/* Firmware that has selected the other stack changes that stack's
	 * pointer. */
	anomalies &= ~COUNTED(STACK_POINTER);
	ktap_result(leave_once(what, sandboxed() ? ENDED : anomalies),
		    "leave: all of the tested state changed at once");
}

/* ---- FP off under a call that is then switched away from ---- */

static struct {
	bool stop;
	uint64_t rounds, wrong;
} urgent;

static void urgent_entry(void *argument)
{
	(void)argument;
	while (!__atomic_load_n(&urgent.stop, __ATOMIC_ACQUIRE)) {
		thread_sleep_until(tick_after_ns(URGENT_NS));
		fp_begin();
		fp_fill(++urgent.rounds * SEED_STEP);
		thread_sleep_until(tick_after_ns(URGENT_NS));
		urgent.wrong += fp_check(urgent.rounds * SEED_STEP) != 0;
		fp_end();
	}
}

static void check_fp_off(void)
{
	static struct cz_stats before, after;
	struct thread *thread;
	uint64_t preemptions;
	cz_status status;

	if (sandboxed()) {
		ktap_skip("leave: FP switched off in a call that is preempted",
			  "firmware in the sandbox cannot switch it off");
		return;
	}
	thread = thread_create("urgent", PRIORITY_URGENT, urgent_entry, NULL);
	cz_get_stats(firmware, &before);
	status = leave_call(LEFT(CPACR), LINGER_ITERATIONS);
	cz_get_stats(firmware, &after);
	__atomic_store_n(&urgent.stop, true, __ATOMIC_RELEASE);
	thread_join(thread);
	preemptions = after.service[CZ_SET_VARIABLE].preemptions -
		      before.service[CZ_SET_VARIABLE].preemptions;
	kprintf("# %llu preemptions, %llu FP sections\n",
		(unsigned long long)preemptions,
		(unsigned long long)urgent.rounds);
	ktap_result(status == CZ_OK && preemptions != 0 && urgent.rounds != 0 &&
			    urgent.wrong == 0 && check_kernel(),
		    "leave: FP switched off in a call that is preempted");
}

static void check_works(void)
{
	struct adversary_registers_order order = {.seed = 1, .iterations = 2};
	struct cz_efi_time time;

	ktap_result(
		cz_set_variable(firmware, ADVERSARY_REGISTERS, &adversary_guid,
				ADVERSARY_ATTRIBUTES, &order, sizeof(order),
				CZ_FOREVER) == CZ_OK &&
			cz_get_time(firmware, &time, NULL, CZ_FOREVER) == CZ_OK,
		"leave: the services still work");
}

PROGRAM(leave, "mends what firmware leaves changed")
{
	struct adversary_registers_record record;

	if (!adversary_record(&record)) {
		return without_adversary();
	}
	/* Every CPU has its own TPIDR_EL1, so all calls are made on one. */
	(void)thread_set_cpus((struct thread *)cz_host_self(firmware->host), 1);
	(void)thread_set_cpus((struct thread *)firmware->worker, 1);
	leave.before = system_state_now();
	leave.order.translation = copy_translation();
	leave.order.stack = firmware->stack_top - CZ_STACK_PAGES * PAGE_SIZE;
	ktap_begin(0);
	check_table();
	check_states();
	check_callee_saved();
	check_all();
	check_fp_off();
	check_works();
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
