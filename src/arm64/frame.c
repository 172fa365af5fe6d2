/* SPDX-License-Identifier: MIT */
/*
 * The hooks that the port's exception path calls. They count interrupts and
 * preemptions, handle firmware's exceptions and end calls. All are called with
 * interrupts off, on the worker's kernel stack. The hooks for interrupts,
 * preemptions and the return to firmware add to the latency of the thread that
 * preempts firmware.
 */
#include "../call.h"
#include "../gate.h"
#include "syndrome.h"
#include "trap.h"
#include <stddef.h>

_Static_assert(offsetof(struct cz_frame, sp) == CZ_FRAME_SP, "frame: sp");
_Static_assert(offsetof(struct cz_frame, pc) == CZ_FRAME_PC, "frame: pc");
_Static_assert(offsetof(struct cz_frame, pstate) == CZ_FRAME_PSTATE,
	       "frame: pstate");
_Static_assert(sizeof(struct cz_frame) == CZ_FRAME_SIZE, "frame: size");

#define MASKED 0x3c0ull /* DAIF: all interrupts */

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

/* Returns whether an abort on request must not end the call: a device could be
 * left in the middle of a write, or a partition of the secure world in the
 * middle of a request. Nobody else could finish that. */
static bool must_go_on(const struct cz *cz)
{
	return (cz->touched & CZ_TOUCHED_DEVICE) != 0 ||
	       const_gate_of(cz)->virtual.is_suspended;
}

/* Somebody has asked for the end of this call, or of an earlier one that has
 * returned since. Ends the call, unless it must go on; past its kill limit it
 * ends in any case. */
static CZ_COLD void act_on_end(struct cz *cz, struct cz_frame *frame)
{
	uint64_t asked = __atomic_load_n(&cz->end_request, __ATOMIC_ACQUIRE);
	uint64_t expected = asked;
	uint64_t number = __atomic_load_n(&cz->watch_state, __ATOMIC_RELAXED) /
			  CZ_WATCH_CALL;
	bool kill = asked == cz_end_of(number, true);

	if (!kill && asked == cz_end_of(number, false) && must_go_on(cz)) {
		return;
	}
	/* If the word has changed, somebody has asked for the end of a newer
	 * call, and an interrupt will follow, which acts on it. */
	(void)__atomic_compare_exchange_n(&cz->end_request, &expected, 0, false,
					  __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	if (kill || asked == cz_end_of(number, false)) {
		cz_gate_end(cz, frame, 0, 0, kill ? CZ_E_KILLED : CZ_E_ABORTED);
	}
}

void cz_firmware_resume(struct cz *cz, struct cz_frame *frame)
{
	if (gate_of(cz)->virtual.masked) {
		cz_mask_resume(cz);
	}
	if (__atomic_load_n(&cz->end_request, __ATOMIC_RELAXED) != 0) {
		act_on_end(cz, frame);
	}
}

/* Returns whether this is firmware's return: the trampoline's SVC, with the
 * stack pointer that the call began with. */
static bool is_return(const struct cz *cz, const struct cz_frame *frame,
		      uint64_t esr)
{
	return EC(esr) == EC_SVC &&
	       frame->pc == cz->window_address + TRAMPOLINE_RETURNED &&
	       frame->sp == cz->stack_top;
}

/* Returns whether the exception is a data abort by a store that the page's
 * permissions deny. Cache maintenance (ISS.CM) is not a store. */
static bool is_write_denied(uint64_t esr)
{
	return (EC(esr) == EC_DATA_ABORT_EL0 || EC(esr) == EC_DATA_ABORT) &&
	       (esr & ISS_WNR) != 0 && (esr & ISS_CM) == 0 &&
	       FAULT_KIND(esr) == FAULT_PERMISSION;
}

/* Returns whether the syndrome of an SError says that the error is contained
 * (Arm ARM D17.2.37, ISS of SError). Without RAS, or with an
 * implementation-defined syndrome, it says nothing, and the kernel's state may
 * be corrupted. */
static bool serror_is_contained(uint64_t esr)
{
	return (esr & ISS_IDS) == 0 &&
	       FAULT_STATUS(esr) == SERROR_ASYNCHRONOUS &&
	       SERROR_AET(esr) != AET_UNCONTAINABLE;
}

static bool serror_is_corrected(uint64_t esr)
{
	return SERROR_AET(esr) == AET_CORRECTED;
}

/* Emulates an instruction, with interrupts as they were when the gate was
 * entered, so that emulation adds nothing to interrupt latency. */
static bool emulate(struct cz *cz, struct cz_frame *frame, uint64_t esr,
		    uint64_t far)
{
	bool emulated;

	cz_mask_pause(cz);
	cz_machine_set_daif(gate_of(cz)->daif);
	emulated = cz_trap_emulate(cz, frame, esr, far);
	cz_machine_set_daif(MASKED);
	return emulated;
}

/* Handles the first write to a device, with interrupts as above. In the direct
 * gate, interrupts that firmware has masked stay masked. */
static bool note(struct cz *cz, const struct cz_frame *frame, uint64_t far)
{
	bool noted;

	cz_mask_pause(cz);
	cz_machine_set_daif(gate_of(cz)->daif | (frame->pstate & MASKED));
	noted = cz_note_device_write(cz, far);
	cz_machine_set_daif(MASKED);
	return noted;
}

bool cz_firmware_exception(struct cz *cz, struct cz_frame *frame, uint64_t esr,
			   uint64_t far)
{
	bool sandbox = cz->gate == CZ_GATE_SANDBOX;

	/* First, because every call takes this way. */
	if (sandbox && is_return(cz, frame, esr)) {
		cz_gate_return_to(cz, frame, cz_gate_sandbox_return);
		return true;
	}
	if (EC(esr) == EC_SERROR &&
	    (!serror_is_contained(esr) || serror_is_corrected(esr))) {
		return serror_is_contained(esr);
	}
	if ((is_write_denied(esr) && note(cz, frame, far)) ||
	    (sandbox && emulate(cz, frame, esr, far))) {
		cz_firmware_resume(cz, frame);
		return true;
	}
	/* If an access that the library made for firmware faulted, report that
	 * fault. */
	if (gate_of(cz)->virtual.abort_esr != 0) {
		esr = gate_of(cz)->virtual.abort_esr;
		far = gate_of(cz)->virtual.abort_far;
	}
	cz_gate_end(cz, frame, esr, far, CZ_E_FAULT);
	return true;
}

CZ_COLD void cz_gate_report_sandbox(struct cz *cz)
{
	/* Logging to a slow console must not count as firmware's time. */
	__atomic_store_n(&cz->left_firmware, true, __ATOMIC_RELAXED);
	if (gate_of(cz)->virtual.masked) {
		cz_mask_end(cz);
	}
	cz_broker_report(cz);
}
