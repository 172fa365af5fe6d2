/* SPDX-License-Identifier: MIT */
/*
 * Interrupts a call at every instruction, for hosts that keep their per-CPU
 * data in x18 or in TPIDR_EL1: wherever the exception's PSTATE says that the
 * host was interrupted, both registers must have the host's values. The program
 * is in an image of its own, like gate.c: it calls in the worker's place, with
 * exception vectors of its own. It also checks where the gates have an ESB,
 * which separates firmware's SErrors from the host's.
 */
#include "interrupts.h"
#include "arm64/gate_layout.h"
#include "dev/gic.h"
#include "gate.h"
#include "lib/clobber.h"
#include "lib/common.h"
#include "place.h"
#include "sched/sched.h"

#include <kernel/ktap.h>
#include <kernel/print.h>
#include <kernel/string.h>
#include <kernel/symbols.h>
#include <kernel/time.h>

#define CODE_AT 0x100u /* in the trampoline's page, behind the trampoline */
#define LEAD_NS 1000u /* enough to reach the WFI */
#define MOST_NS 4000u /* a call takes less */
#define SAVE_BYTES 12u /* the gate's code before x18 is saved */
#define MODE_MASK 0x1fu
#define MODE_EL1H 0x05u
#define TIMER_ON 1u

#define SOON 64u /* instructions */
#define INSN_ESB 0xd503221fu
#define INSN_SPSEL_0 0xd50040bfu
#define INSN_SPSEL_1 0xd50041bfu
#define INSN_MASK_ALL 0xd5034fdfu
#define INSN_SVC 0xd4000001u

/* For how many instructions interrupts may be masked at a time. The longest
 * such time in the direct gate is its way back from firmware; in the sandbox
 * gate it lasts from the SVC, which is an exception, to the same place. */
#define MASKED_MOST_DIRECT 200u
#define MASKED_MOST_SANDBOX 250u

static struct {
	uint64_t count, pc, pstate, x18, thread;
} taken;

static struct {
	struct gate *gate;
	uint64_t thread; /* the host's TPIDR_EL1 */
	uint64_t gic_is_v2;
	uint64_t function;
	uint64_t arguments[CZ_MAX_ARGUMENTS];
	uint32_t anomalies;
	uint64_t interrupts, in_gate, in_firmware, wrong_x18, wrong_thread;
	uint64_t last_pc, at_last_pc; /* at_last_pc: interrupts in a row */
	uint64_t masked, masked_pc; /* the longest time, and its end */
	bool is_past_first;
} sweep;

void sweep_interrupted(uint64_t pc, uint64_t pstate, uint64_t x18,
		       uint64_t tpidr_el1)
{
	uint64_t interrupt = gic_acknowledge(sweep.gic_is_v2);

	WRITE_SYSREG(cntv_ctl_el0, 0);
	isb();
	gic_end(interrupt);
	taken.count++;
	taken.pc = pc;
	taken.pstate = pstate;
	taken.x18 = x18;
	taken.thread = tpidr_el1;
}

/* ---- One call ---- */

/* Writes a service that changes both registers, with instructions before and
 * after that in which an interrupt can come. Returns its address. */
static uint64_t write_service(void)
{
	static const uint32_t code[] = {
		0xd503201f, /* nop */
		0xaa3203f2, /* mvn x18, x18 */
		0xd518d092, /* msr tpidr_el1, x18 */
		0xd503201f, /* nop */
		0xd65f03c0, /* ret */
	};
	uint32_t *at = (uint32_t *)(firmware->trampoline.alias + CODE_AT);

	memcpy(at, code, sizeof(code));
	if (firmware->gate == CZ_GATE_SANDBOX) {
		at[2] = code[0]; /* EL0 cannot write TPIDR_EL1 */
	}
	cz_host_sync_code(firmware->host, at, sizeof(code));
	return firmware->window_address + CODE_AT;
}

static void call(void *unused)
{
	(void)unused;
	irq_enable();
	(void)cz_gate_call(firmware, sweep.function, sweep.arguments,
			   &sweep.anomalies);
	(void)irq_save();
}

/* Makes a call, and has the timer fire so many ticks after its start. WFI ends
 * at a tick, so the place of the interrupt depends on ticks and pad alone. */
static void call_under(uint64_t ticks, uint64_t pad)
{
	uint64_t start = ticks_now() + ns_to_ticks(LEAD_NS);

	taken.count = 0;
	WRITE_SYSREG(cntv_cval_el0, start);
	WRITE_SYSREG(cntv_ctl_el0, TIMER_ON);
	isb();
	__asm__ volatile("wfi" ::: "memory");
	WRITE_SYSREG(cntv_cval_el0, start + ticks);
	isb();
	padded_call(pad, call, NULL);
	WRITE_SYSREG(cntv_ctl_el0, 0);
	isb();
}

/* ---- What it shows ---- */

static bool begins_with(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static void say_wrong(const char *which, uint64_t times)
{
	uint64_t offset = 0;
	const char *name = symbol_find(taken.pc, &offset);

	if (times <= 8) {
		kprintf("# %s is firmware's at %s+0x%llx\n", which,
			name == NULL ? "?" : name, (unsigned long long)offset);
	}
}

/* Checks an interrupt that was taken in the host, according to PSTATE. */
static void look_at_host(void)
{
	uint64_t offset = 0;
	const char *name = symbol_find(taken.pc, &offset);

	if (taken.thread != sweep.thread) {
		say_wrong("TPIDR_EL1", ++sweep.wrong_thread);
	}
	if (name == NULL || (!begins_with(name, "cz_gate_direct") &&
			     !begins_with(name, "cz_gate_sandbox"))) {
		return;
	}
	sweep.in_gate++;
	if (strcmp(name, "cz_gate_direct") == 0 ||
	    strcmp(name, "cz_gate_sandbox") == 0) {
		if (offset < SAVE_BYTES) {
			return;
		}
	}
	if (taken.x18 != sweep.gate->x18[0]) {
		say_wrong("x18", ++sweep.wrong_x18);
	}
}

/* From call to call the interrupt comes one instruction later. Several
 * successive interrupts that are taken at one place were therefore pending
 * while interrupts were masked. The first place is not counted: it belongs to
 * this program. */
static void measure_masked(void)
{
	if (taken.pc == sweep.last_pc) {
		sweep.at_last_pc++;
		if (sweep.is_past_first && sweep.at_last_pc > sweep.masked) {
			sweep.masked = sweep.at_last_pc;
			sweep.masked_pc = taken.pc;
		}
		return;
	}
	sweep.is_past_first = sweep.last_pc != 0;
	sweep.last_pc = taken.pc;
	sweep.at_last_pc = 0;
}

static void look(void)
{
	sweep.interrupts++;
	if ((taken.pstate & MODE_MASK) == MODE_EL1H) {
		look_at_host();
	} else {
		sweep.in_firmware++;
	}
	measure_masked();
}

static void sweep_call(void)
{
	uint64_t most = ns_to_ticks(MOST_NS);

	for (uint64_t ticks = 0; ticks < most; ticks++) {
		for (uint64_t pad = tick_instructions(); pad-- > 0;) {
			call_under(ticks, pad);
			if (taken.count == 0) {
				return;
			}
			look();
		}
	}
}

/* ---- In the worker's place, with this program's vectors ---- */

static void run_sweep(void)
{
	uint64_t daif = irq_save();
	uint64_t vectors = READ_SYSREG(vbar_el1);
	uint64_t next = READ_SYSREG(cntv_cval_el0);

	sweep.thread = READ_SYSREG(tpidr_el1);
	sweep.gic_is_v2 = this_cpu()->gic_is_v2;
	WRITE_SYSREG(vbar_el1, sweep_vectors);
	isb();
	sweep_call();
	WRITE_SYSREG(vbar_el1, vectors);
	WRITE_SYSREG(cntv_cval_el0, next);
	WRITE_SYSREG(cntv_ctl_el0, TIMER_ON);
	isb();
	irq_restore(daif);
}

static void check_thread(void)
{
	const char *name = "interrupts: TPIDR_EL1 is the host's there too";

	if (firmware->gate == CZ_GATE_SANDBOX) {
		ktap_skip(name, "firmware at EL0 cannot change it");
	} else {
		ktap_result(sweep.wrong_thread == 0, name);
	}
}

static void check_registers(void)
{
	uint32_t due = 1u << CZ_ANOMALY_PLATFORM_REGISTER;
	uint64_t offset = 0;
	uint64_t most = MASKED_MOST_SANDBOX;
	const char *name;

	if (firmware->gate == CZ_GATE_DIRECT) {
		due |= 1u << CZ_ANOMALY_THREAD_KERNEL;
		most = MASKED_MOST_DIRECT;
	}
	place_take();
	fp_begin();
	preempt_disable();
	run_sweep();
	preempt_enable();
	fp_end();
	place_leave();
	name = symbol_find(sweep.masked_pc, &offset);
	kprintf("# %llu interrupts, %llu in the gate, %llu in firmware\n",
		(unsigned long long)sweep.interrupts,
		(unsigned long long)sweep.in_gate,
		(unsigned long long)sweep.in_firmware);
	kprintf("# interrupts were masked for %llu instructions at most, "
		"until %s+0x%llx\n",
		(unsigned long long)sweep.masked, name == NULL ? "?" : name,
		(unsigned long long)offset);
	ktap_result(sweep.anomalies == due && sweep.in_gate > 16 &&
			    sweep.in_firmware > 4,
		    "interrupts: interrupts come everywhere in a call");
	ktap_result(sweep.wrong_x18 == 0, "interrupts: x18 is the host's "
					  "wherever the host is interrupted");
	check_thread();
	ktap_result(sweep.masked <= most,
		    "interrupts: interrupts are masked for a short time");
}

/* ---- Which side caused an SError ---- */

/* Returns whether `word` comes before `before` in the SOON instructions that
 * begin at `from`. */
static bool comes_before(const void *from, uint32_t word, uint32_t before)
{
	const uint32_t *at = from;

	for (unsigned i = 0; i < SOON; i++) {
		if (at[i] == word || at[i] == before) {
			return at[i] == word;
		}
	}
	return false;
}

/* Checks only that the ESBs are in their places. Their effect cannot be tested,
 * because the emulator raises no SError. */
static void check_errors(void)
{
	ktap_result(
		comes_before(cz_gate_direct, INSN_ESB, INSN_SPSEL_0) &&
			comes_before(cz_gate_sandbox, INSN_ESB, INSN_MASK_ALL),
		"interrupts: ESB comes before firmware");
	ktap_result(
		comes_before(cz_gate_direct_return, INSN_ESB, INSN_SPSEL_1) &&
			(firmware->gate == CZ_GATE_DIRECT ||
			 comes_before(firmware->trampoline.alias, INSN_ESB,
				      INSN_SVC)),
		"interrupts: ESB comes after firmware");
}

PROGRAM(interrupts, "interrupts at every instruction of the gates")
{
	const char *why = why_time_is_not_counted();

	if (why != NULL) {
		return could_not_run(why);
	}
	sweep.gate = (struct gate *)firmware->gate_context.words;
	sweep.function = write_service();
	ktap_begin(6);
	check_registers();
	check_errors();
	return ktap_end() == 0 ? EXIT_PASSED : EXIT_FAILED;
}
