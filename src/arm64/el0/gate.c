/* SPDX-License-Identifier: MIT */
/*
 * The gate of a host that runs at EL0 itself, for example a process. Firmware
 * is called as a function on a stack of its own. An instruction that it may not
 * execute arrives as a signal. Firmware returns through the trampoline's page.
 * Frames are signal frames, which return to EL0 only.
 */
#include "../../gate.h"
#include "../gate_layout.h"
#include "../trap.h"

#define READ_THREAD()                                                 \
	__extension__({                                               \
		uint64_t value_;                                      \
		__asm__ volatile("mrs %0, tpidr_el0" : "=r"(value_)); \
		value_;                                               \
	})

/* ID_AA64PFR1_EL1.SME. A kernel lets a process read it, and shows SME only if
 * the process may use it. */
#define HAS_STREAMING(value) (((value) >> 24 & 15) != 0)

/* The condition flags: all of firmware's PSTATE that a frame keeps. */
#define PSTATE_NZCV 0xf0000000ull

void cz_gate_prepare(struct cz *cz)
{
	uint64_t features;

	__asm__("mrs %0, S3_0_C0_C4_1" : "=r"(features));
	gate_of(cz)->has_streaming = HAS_STREAMING(features);
	cz_gate_write_page(cz, cz_gate_sandbox_return);
}

/* Not checked here: a process would get a signal and end. */
bool cz_gate_read_fails(struct cz_host *host, uint64_t address)
{
	(void)host;
	(void)address;
	return true;
}

/* While firmware may be running, all code but the gate itself counts as
 * firmware. */
bool cz_frame_is_firmware(const struct cz *cz, const struct cz_frame *frame)
{
	uint64_t gate = (uint64_t)cz_gate_el0;

	return __atomic_load_n(&const_gate_of(cz)->active, __ATOMIC_RELAXED) !=
		       0 &&
	       frame->pc - gate >= (uint64_t)cz_gate_el0_end - gate;
}

const char *cz_gate_end_of(const struct cz *cz)
{
	(void)cz;
	return cz_gate_sandbox_end;
}

void cz_gate_return_to(struct cz *cz, struct cz_frame *frame, const char *where)
{
	frame->x[16] = (uint64_t)gate_of(cz);
	frame->pc = (uint64_t)where;
	frame->pstate &= PSTATE_NZCV;
}

uint64_t cz_gate_call(struct cz *cz, uint64_t function,
		      const uint64_t *registers, uint32_t *anomalies)
{
	struct gate *gate = gate_of(cz);
	uint64_t thread = READ_THREAD();
	uint32_t found = 0;

	gate->function = function;
	gate->stack_top = cz->stack_top;
	gate->return_address = cz->window_address;
	gate->arguments = registers;
	gate->virtual = (struct virtual_machine){.spsel = 1};
	gate->left_streaming = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	cz_gate_el0(gate);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (READ_THREAD() != thread) {
		__asm__ volatile("msr tpidr_el0, %0" ::"r"(thread) : "memory");
		found |= 1u << CZ_ANOMALY_THREAD_USER;
	}
	if (gate->left_streaming != 0) {
		found |= 1u << CZ_ANOMALY_STREAMING;
	}
	if (gate->virtual.masked || gate->refused != 0) {
		cz_gate_report_sandbox(cz);
	}
	if (cz->ended_by == 0) {
		found |= gate_check_kept(gate);
		if (gate->left_sp != gate->stack_top) {
			found |= 1u << CZ_ANOMALY_STACK_POINTER;
		}
	}
	*anomalies = found;
	return gate->result;
}
