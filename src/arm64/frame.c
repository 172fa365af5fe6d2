/* SPDX-License-Identifier: MIT */
/*
 * The hooks on the port's exception path: whose frame it is, what is counted,
 * and how a call is ended. All run with interrupts off on the worker's kernel
 * stack; the first three are on the wake-up path of a preempting thread.
 */
#include "../gate.h"
#include "gate.h"
#include <caesura/arm64.h>
#include <stddef.h>

_Static_assert(offsetof(struct cz_frame, sp) == CZ_FRAME_SP, "frame: sp");
_Static_assert(offsetof(struct cz_frame, pc) == CZ_FRAME_PC, "frame: pc");
_Static_assert(offsetof(struct cz_frame, pstate) == CZ_FRAME_PSTATE,
	       "frame: pstate");
_Static_assert(sizeof(struct cz_frame) == CZ_FRAME_SIZE, "frame: size");

#define MODE_MASK 0x1full
#define MODE_EL1T 0x04ull
#define MODE_EL1H 0x05ull
#define MASKED 0x3c0ull /* DAIF: all interrupts */
#define PSTATE_PAN (1ull << 22)

/* Syndrome classes (Arm ARM D17.2.37, ESR_EL1.EC) in words. */
static const char *class_name(uint64_t esr)
{
	switch ((esr >> 26) & 0x3f) {
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
		return "SVE access";
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
	const struct gate *gate = (const struct gate *)cz->gate_context.words;

	if ((frame->pstate & MODE_MASK) == MODE_EL1T) {
		return true;
	}
	/* Firmware that selected the other stack pointer is still firmware. */
	return gate->active != 0 && (frame->pc >> 55 & 1) == 0;
}

static struct cz_service_stats *stats_of(struct cz *cz)
{
	return cz->in_flight == NULL
		       ? NULL
		       : &cz->stats.service[cz->in_flight->service];
}

void cz_firmware_interrupted(struct cz *cz, const struct cz_frame *frame,
			     uint64_t late_ns)
{
	struct cz_service_stats *stats = stats_of(cz);

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
	struct cz_service_stats *stats = stats_of(cz);

	(void)frame;
	if (stats != NULL) {
		stats->preemptions++;
	}
}

/* Whether the class sets FAR_EL1; after the others it is an older fault's. */
static bool has_address(uint64_t esr)
{
	switch ((esr >> 26) & 0x3f) {
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

/* Makes the frame return to the gate's end instead of to firmware. Interrupts
 * stay off until the gate has looked at what firmware left. */
static void end_call(struct cz *cz, struct cz_frame *frame, cz_status why)
{
	struct gate *gate = gate_of(cz);

	cz->ended_by = why;
	frame->x[16] = (uint64_t)gate;
	frame->pc = (uint64_t)cz_gate_direct_end;
	frame->pstate = MODE_EL1H | MASKED | (frame->pstate & PSTATE_PAN);
}

void cz_firmware_resume(struct cz *cz, struct cz_frame *frame)
{
	if (__atomic_load_n(&cz->abort_asked, __ATOMIC_RELAXED)) {
		__atomic_store_n(&cz->abort_asked, false, __ATOMIC_RELAXED);
		end_call(cz, frame, CZ_E_ABORTED);
	}
}

void cz_firmware_fault(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		       uint64_t far)
{
	struct gate *gate = gate_of(cz);

	/* Formatting and printing take long: not here, with interrupts off. */
	gate->fault_esr = esr;
	gate->fault_pc = frame->pc;
	gate->fault_far = far;
	end_call(cz, frame, CZ_E_FAULT);
}

__attribute__((noinline, cold)) void cz_gate_report_end(struct cz *cz)
{
	const struct gate *gate = gate_of(cz);

	if (cz->ended_by == CZ_E_FAULT) {
		cz_report_fault(cz, class_name(gate->fault_esr), gate->fault_pc,
				has_address(gate->fault_esr) ? gate->fault_far
							     : CZ_NO_ADDRESS);
	}
}
