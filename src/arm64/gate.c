/* SPDX-License-Identifier: MIT */
/*
 * The C part of the gates: it prepares the trampoline, makes the call, and
 * checks the system registers that firmware must leave unchanged.
 */
#include "../gate.h"
#include "gate_layout.h"
#include "sysreg.h"
#include "trap.h"

#define INSN_ESB 0xd503221fu
#define INSN_SVC 0xd4000001u

/* Returns which bits of PSTATE_KEPT this CPU has; the call stays on it. The
 * CPUs of a machine may differ. MIDR_EL1 identifies the kind of CPU; the ID
 * registers are not read for each call, because a hypervisor may trap them,
 * which is slow. */
static inline uint64_t state_of_cpu(struct gate *gate)
{
	uint64_t midr = READ_SYSREG("midr_el1");
	uint64_t cpu = gate->cpu, has = gate->has_state;

	if (midr != cpu) {
		cz_state_learn(gate, midr);
		has = gate->has_state;
	}
	return has;
}

/* Not inline, so that the path of a call stays short on CPUs that have none of
 * these bits. */
static __attribute__((noinline)) uint64_t read_present_state(uint64_t has)
{
	uint64_t state = 0;

	if ((has & PSTATE_PAN) != 0) {
		state |= READ_SYSREG(PAN_REGISTER);
	}
	if ((has & PSTATE_UAO) != 0) {
		state |= READ_SYSREG(UAO_REGISTER);
	}
	if ((has & PSTATE_DIT) != 0) {
		state |= READ_SYSREG(DIT_REGISTER);
	}
	if ((has & PSTATE_SSBS) != 0) {
		state |= READ_SYSREG(SSBS_REGISTER);
	}
	if ((has & PSTATE_TCO) != 0) {
		state |= READ_SYSREG(TCO_REGISTER);
	}
	if ((has & PSTATE_ALLINT) != 0) {
		state |= READ_SYSREG(ALLINT_REGISTER);
	}
	return state;
}

/* Reads the bits of PSTATE_KEPT. Each register has its bit at the position that
 * it has in PSTATE. */
static inline uint64_t read_state(uint64_t has)
{
	return has == 0 ? has : read_present_state(has);
}

/* Reads all registers but `coprocessor`. On the way back the gate's assembly
 * reads that one, because it needs FP/SIMD. */
static inline void read_registers(struct system_registers *registers,
				  uint64_t has_state)
{
	registers->state = read_state(has_state);
	registers->thread_user = READ_SYSREG("tpidr_el0");
	registers->thread_kernel = READ_SYSREG("tpidr_el1");
	registers->translation = READ_SYSREG("ttbr0_el1");
	registers->vectors = READ_SYSREG("vbar_el1");
	registers->control = READ_SYSREG("sctlr_el1");
}

void cz_gate_prepare(struct cz *cz)
{
	uint32_t *code = (uint32_t *)cz->trampoline.alias;

	/* These are the same for all calls. */
	gate_of(cz)->stack_top = cz->stack_top;
	gate_of(cz)->return_address = cz->window_address;
	if (cz->gate == CZ_GATE_SANDBOX) {
		cz_gate_write_page(cz, NULL);
		code[0] = INSN_ESB;
		code[TRAMPOLINE_SVC / 4] = INSN_SVC;
	} else {
		cz_gate_write_page(cz, cz_gate_direct_return);
	}
	cz_state_learn(gate_of(cz), READ_SYSREG("midr_el1"));
}

bool cz_gate_read_fails(struct cz_host *host, uint64_t address)
{
	uint8_t value;

	(void)host;
	return cz_machine_user_read(address, &value) != 0;
}

static inline uint32_t check_registers(const struct system_registers *before,
				       const struct system_registers *after)
{
	struct system_registers was, is;

	/* All registers are compared with a single branch. */
	if (((after->state ^ before->state) |
	     (after->thread_user ^ before->thread_user) |
	     (after->thread_kernel ^ before->thread_kernel) |
	     ((after->translation ^ before->translation) & TRANSLATION_TABLE) |
	     (after->vectors ^ before->vectors) |
	     (after->control ^ before->control) |
	     (after->coprocessor ^ before->coprocessor)) == 0) {
		return 0;
	}
	/* Copies, so that the compiler can keep the originals in registers. */
	was = *before;
	is = *after;
	return cz_mend_registers(&was, &is);
}

/* Returns whether what the gate's assembly has noted is as it should be, with a
 * single branch. */
static inline bool left_as_it_was(const struct gate *gate)
{
	return (gate->left_spsel | (gate->left_sp ^ gate->stack_top) |
		(gate->left_daif ^ gate->daif) |
		(gate->left_fpcr ^ gate->fpcr) | gate->left_x18 |
		gate->left_saved) == 0;
}

static inline uint32_t check_return(const struct gate *gate)
{
	uint32_t found = 0;

	if (gate->left_spsel != 0) {
		found |= 1u << CZ_ANOMALY_STACK_SELECT;
	} else if (gate->left_sp != gate->stack_top) {
		found |= 1u << CZ_ANOMALY_STACK_POINTER;
	}
	if (gate->left_daif != gate->daif) {
		found |= 1u << CZ_ANOMALY_INTERRUPTS;
	}
	return found;
}

/* ---- The two gates ---- */

/* Calls the gate. While `active` is set, an exception may be firmware's. */
#define ENTER(gate, how)                                                \
	do {                                                            \
		__atomic_store_n(&(gate)->active, 1, __ATOMIC_RELAXED); \
		__atomic_signal_fence(__ATOMIC_SEQ_CST);                \
		how(gate);                                              \
		__atomic_signal_fence(__ATOMIC_SEQ_CST);                \
		__atomic_store_n(&(gate)->active, 0, __ATOMIC_RELAXED); \
	} while (0)

static inline uint32_t call_direct(struct cz *cz, struct gate *gate)
{
	struct system_registers before, after;
	uint32_t found;

	read_registers(&before, state_of_cpu(gate));
	before.coprocessor = READ_SYSREG("cpacr_el1");
	ENTER(gate, cz_gate_direct);
	read_registers(&after, gate->has_state);
	after.coprocessor = gate->left_coprocessor;
	found = check_registers(&before, &after);
	WRITE_SYSREG("daif", gate->daif);
	if (cz->ended_by == 0 && !left_as_it_was(gate)) {
		found |= check_return(gate) | gate_check_kept(gate);
	}
	return found;
}

/* Of the registers, sandboxed firmware can change only those that EL0 can
 * write. */
static inline uint32_t call_sandbox(struct cz *cz, struct gate *gate)
{
	uint64_t thread = READ_SYSREG("tpidr_el0");
	uint32_t found = 0;

	/* Firmware starts with interrupts as they are now, ALLINT included. PAN
	 * is passed on too: if the host has set SCTLR_EL1.SPAN, an exception
	 * leaves PAN unchanged, and the host's handlers run with firmware's
	 * value. */
	gate->state = read_state(state_of_cpu(gate));
	gate->pstate = READ_SYSREG("daif") |
		       (gate->state & (PSTATE_PAN | PSTATE_ALLINT));
	gate->return_address = cz->window_address;
	if ((gate->pstate & PSTATE_A) != 0) {
		/* With SErrors masked, ESB would consume one that is pending,
		 * and the host would not see it. Skip the ESB. */
		gate->return_address += TRAMPOLINE_SVC;
	}
	ENTER(gate, cz_gate_sandbox);
	if (READ_SYSREG("tpidr_el0") != thread) {
		WRITE_SYSREG("tpidr_el0", thread);
		found = 1u << CZ_ANOMALY_THREAD_USER;
	}
	WRITE_SYSREG("daif", gate->daif);
	return cz->ended_by != 0 ? found : found | gate_check_kept(gate);
}

uint64_t cz_gate_call(struct cz *cz, uint64_t function,
		      const uint64_t *registers, uint32_t *anomalies)
{
	struct gate *gate = gate_of(cz);

	gate->function = function;
	gate->arguments = registers;
	if (cz->gate == CZ_GATE_SANDBOX) {
		gate->virtual = (struct virtual_machine){.spsel = 1};
		*anomalies = call_sandbox(cz, gate);
		if (gate->virtual.masked || gate->refused != 0) {
			cz_gate_report_sandbox(cz);
		}
	} else {
		*anomalies = call_direct(cz, gate);
	}
	return gate->result;
}
