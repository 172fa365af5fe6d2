/* SPDX-License-Identifier: MIT */
/*
 * The hooks on the port's exception path: whose frame it is, what is counted,
 * and how a call is ended. All run with interrupts off on the worker's kernel
 * stack; the first three are on the wake-up path of a preempting thread.
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

/* What is cut off now, nobody else can finish: a device would be left in the middle
 * of a write, or a partition of the secure world in the middle of a request. */
static bool must_go_on(const struct cz *cz)
{
	return (cz->touched & CZ_TOUCHED_DEVICE) != 0 ||
	       const_gate_of(cz)->virtual.is_suspended;
}

/* An end was asked for: of this call, or of one that has returned since. One that
 * must go on does so, unless its limit has come. */
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
	/* A newer one stays. It comes with an interrupt, which acts on it. */
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

/* With the stack as it was, too: else firmware has lost its way. */
static bool is_return(const struct cz *cz, const struct cz_frame *frame,
		      uint64_t esr)
{
	return EC(esr) == EC_SVC &&
	       frame->pc == cz->window_address + TRAMPOLINE_RETURNED &&
	       frame->sp == cz->stack_top;
}

/* A data abort by a store that the page's permissions deny; not one of cache
 * maintenance (ISS.CM), which is no write. */
static bool is_write_denied(uint64_t esr)
{
	return (EC(esr) == EC_DATA_ABORT_EL0 || EC(esr) == EC_DATA_ABORT) &&
	       (esr & ISS_WNR) != 0 && (esr & ISS_CM) == 0 &&
	       FAULT_KIND(esr) == FAULT_PERMISSION;
}

/* What an SError of firmware's says of the state of the machine (Arm ARM
 * D17.2.37, ISS of SError). Without RAS, or in words of the implementer's own,
 * nothing: the kernel's state may be hurt. */
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

/* With interrupts as the call has them: what firmware does takes no longer to be
 * interrupted than what the kernel does. */
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

/* The same for the first write to a device, in either gate: in the direct one
 * firmware's own mask counts. */
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

	/* First, as it is in every call. */
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
	/* Of an access that was made in its place, what became of that. */
	if (gate_of(cz)->virtual.abort_esr != 0) {
		esr = gate_of(cz)->virtual.abort_esr;
		far = gate_of(cz)->virtual.abort_far;
	}
	cz_gate_end(cz, frame, esr, far, CZ_E_FAULT);
	return true;
}

CZ_COLD void cz_gate_report_sandbox(struct cz *cz)
{
	/* A console may be slow: that is not firmware's time. */
	__atomic_store_n(&cz->left_firmware, true, __ATOMIC_RELAXED);
	if (gate_of(cz)->virtual.masked) {
		cz_mask_end(cz);
	}
	cz_broker_report(cz);
}
