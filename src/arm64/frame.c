/* SPDX-License-Identifier: MIT */
/*
 * The hooks on the port's exception path: whose frame it is, what is counted,
 * and how a call is ended. All run with interrupts off on the worker's kernel
 * stack; the first three are on the wake-up path of a preempting thread.
 */
#include "../core.h"
#include "../gate.h"
#include "trap.h"
#include <stddef.h>

_Static_assert(offsetof(struct cz_frame, sp) == CZ_FRAME_SP, "frame: sp");
_Static_assert(offsetof(struct cz_frame, pc) == CZ_FRAME_PC, "frame: pc");
_Static_assert(offsetof(struct cz_frame, pstate) == CZ_FRAME_PSTATE,
	       "frame: pstate");
_Static_assert(sizeof(struct cz_frame) == CZ_FRAME_SIZE, "frame: size");

#define MODE_MASK 0x1full
#define MODE_EL0T 0x00ull
#define MODE_EL1T 0x04ull
#define MODE_EL1H 0x05ull
#define MASKED 0x3c0ull /* DAIF: all interrupts */
#define PSTATE_PAN (1ull << 22)

#define EC(esr) ((esr) >> 26 & 0x3f)
#define EC_SVC 0x15
#define INSN_BYTES 4

/* Syndrome classes (Arm ARM D17.2.37, ESR_EL1.EC) in words. */
static const char *class_name(uint64_t esr)
{
	switch (EC(esr)) {
	case 0x00:
		return "undefined instruction";
	case 0x07:
		return "FP, SIMD or SVE access";
	case 0x0d:
		return "branch target";
	case 0x0e:
		return "illegal execution state";
	case 0x15:
		return "SVC";
	case 0x18:
		return "system register access";
	case 0x19:
		return "SVE access, against the UEFI specification";
	case 0x1d:
		return "SME access, against the UEFI specification";
	case 0x01:
		return "WFI or WFE";
	case 0x1c:
		return "pointer authentication";
	case 0x20:
	case 0x21:
		return "instruction abort";
	case 0x22:
		return "PC alignment";
	case 0x24:
	case 0x25:
		return (esr & 0x40) != 0 ? "data abort, write"
					 : "data abort, read";
	case 0x26:
		return "SP alignment";
	case 0x2f:
		return "SError";
	case 0x3c:
		return "BRK";
	default:
		return "exception";
	}
}

bool cz_frame_is_firmware(const struct cz *cz, const struct cz_frame *frame)
{
	const struct gate *gate = const_gate_of(cz);

	if (cz->gate == CZ_GATE_SANDBOX) {
		return (frame->pstate & MODE_MASK) == MODE_EL0T;
	}
	if ((frame->pstate & MODE_MASK) == MODE_EL1T) {
		return true;
	}
	/* Firmware that selected the other stack pointer is still firmware. */
	return gate->active != 0 && (frame->pc >> 55 & 1) == 0;
}

void cz_firmware_interrupted(struct cz *cz, const struct cz_frame *frame,
			     uint64_t late_ns)
{
	struct cz_service_stats *stats = cz_stats_in_flight(cz);

	if (gate_of(cz)->virtual.masked) {
		cz_mask_pause(cz);
	}
	if (stats == NULL) {
		return;
	}
	stats->interrupts++;
	if (late_ns > stats->latest_interrupt_ns) {
		stats->latest_interrupt_ns = late_ns;
		stats->latest_interrupt_address = frame->pc;
	}
}

void cz_firmware_preempted(struct cz *cz, const struct cz_frame *frame)
{
	struct cz_service_stats *stats = cz_stats_in_flight(cz);

	(void)frame;
	if (stats != NULL) {
		stats->preemptions++;
	}
}

/* Whether the class sets FAR_EL1; after the others it is an older fault's. */
static bool has_address(uint64_t esr)
{
	switch (EC(esr)) {
	case 0x20:
	case 0x21:
	case 0x22:
	case 0x24:
	case 0x25:
		return true;
	default:
		return false;
	}
}

/* Makes the frame return to the gate instead of to firmware. Interrupts stay off
 * until the gate has looked at what firmware left. */
static void return_to_gate(struct cz *cz, struct cz_frame *frame,
			   const char *where)
{
	struct gate *gate = gate_of(cz);
	uint64_t pan =
		cz->gate == CZ_GATE_SANDBOX ? gate->pstate : frame->pstate;

	frame->x[16] = (uint64_t)gate;
	frame->pc = (uint64_t)where;
	frame->pstate = MODE_EL1H | MASKED | (pan & PSTATE_PAN);
}

static void end_call(struct cz *cz, struct cz_frame *frame, cz_status why)
{
	cz->ended_by = why;
	return_to_gate(cz, frame,
		       cz->gate == CZ_GATE_SANDBOX ? cz_gate_sandbox_end
						   : cz_gate_direct_end);
}

void cz_firmware_resume(struct cz *cz, struct cz_frame *frame)
{
	if (gate_of(cz)->virtual.masked) {
		cz_mask_go_on(cz);
	}
	if (__atomic_load_n(&cz->abort_asked, __ATOMIC_RELAXED)) {
		__atomic_store_n(&cz->abort_asked, false, __ATOMIC_RELAXED);
		end_call(cz, frame, CZ_E_ABORTED);
	}
}

static bool is_at_trampoline(const struct cz *cz, const struct cz_frame *frame,
			     uint64_t esr)
{
	return EC(esr) == EC_SVC &&
	       frame->pc == cz->window_address + INSN_BYTES;
}

/* With the stack as it was, too: else firmware has lost its way. */
static bool is_return(const struct cz *cz, const struct cz_frame *frame,
		      uint64_t esr)
{
	return is_at_trampoline(cz, frame, esr) && frame->sp == cz->stack_top;
}

/* With interrupts as the call has them: what firmware does takes no longer to be
 * interrupted than what the kernel does. */
static bool emulate(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		    uint64_t far)
{
	bool emulated;

	cz_mask_pause(cz);
	cz_machine_interrupts(gate_of(cz)->daif);
	emulated = cz_trap_emulate(cz, frame, esr, far);
	cz_machine_interrupts(MASKED);
	return emulated;
}

void cz_firmware_exception(struct cz *cz, struct cz_frame *frame, uint64_t esr,
			   uint64_t far)
{
	struct gate *gate = gate_of(cz);

	if (cz->gate == CZ_GATE_SANDBOX) {
		if (is_return(cz, frame, esr)) {
			return_to_gate(cz, frame, cz_gate_sandbox_return);
			return;
		}
		if (emulate(cz, frame, esr, far)) {
			cz_firmware_resume(cz, frame);
			return;
		}
	}
	/* Formatting and printing take long: not here, with interrupts off. */
	gate->fault = *frame;
	gate->fault_esr = esr;
	gate->fault_far = far;
	end_call(cz, frame, CZ_E_FAULT);
}

/* ---- Reports, from the worker after the call ---- */

static void report_registers(struct cz *cz, const struct cz_frame *frame)
{
	for (uint32_t i = 0; i < 28; i += 4) {
		cz_error(cz->host, "x%02u %016llx %016llx %016llx %016llx", i,
			 cz_ull(frame->x[i]), cz_ull(frame->x[i + 1]),
			 cz_ull(frame->x[i + 2]), cz_ull(frame->x[i + 3]));
	}
	cz_error(cz->host,
		 "x28 %016llx %016llx %016llx, sp %016llx, pstate %llx",
		 cz_ull(frame->x[28]), cz_ull(frame->x[29]),
		 cz_ull(frame->x[30]), cz_ull(frame->sp),
		 cz_ull(frame->pstate));
}

static void report_instruction(struct cz *cz, const struct gate *gate)
{
	char text[CZ_INSTRUCTION_CHARS];
	uint32_t instruction;

	if (cz_trap_fetch(cz, gate->fault.pc, &instruction)) {
		cz_trap_describe(instruction, text);
		cz_error(cz->host, "instruction %08x: %s; syndrome 0x%llx",
			 instruction, text, cz_ull(gate->fault_esr));
	}
}

CZ_SELDOM void cz_gate_report_end(struct cz *cz)
{
	const struct gate *gate = gate_of(cz);

	if (cz->ended_by != CZ_E_FAULT) {
		return;
	}
	cz_report_fault(cz,
			is_at_trampoline(cz, &gate->fault, gate->fault_esr)
				? "return with another stack pointer"
				: class_name(gate->fault_esr),
			gate->fault.pc,
			has_address(gate->fault_esr) ? gate->fault_far
						     : CZ_NO_ADDRESS);
	report_instruction(cz, gate);
	report_registers(cz, &gate->fault);
}

CZ_SELDOM void cz_gate_report_sandbox(struct cz *cz)
{
	if (gate_of(cz)->virtual.masked) {
		cz_mask_end(cz);
	}
	cz_broker_report(cz);
}
