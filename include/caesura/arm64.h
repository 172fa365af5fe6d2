/* SPDX-License-Identifier: MIT */
/*
 * The hooks that an arm64 port calls from its exception path, and the frame
 * that it passes to them. While a thread is inside the library's gate, firmware
 * runs on it; cz_frame_is_firmware() tells whether an exception was taken from
 * firmware. Firmware can run on the worker, on the thread in cz_init(), and on
 * any thread between cz_host_borrow_begin() and cz_host_borrow_end(). In all
 * other cases a port calls none of the hooks but cz_kernel_exception().
 *
 * A host that runs at EL0 itself links src/arm64/el0/ in place of the gates and
 * calls the hooks from its signal handlers. For such a host, read "signal" for
 * exception and interrupt, and "alternate signal stack" for the worker's kernel
 * stack.
 */
#ifndef CAESURA_ARM64_H
#define CAESURA_ARM64_H

#include <caesura/caesura.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The context that an exception interrupted, as the port saved it on the
 * worker's kernel stack (never on firmware's stack). sp is the stack pointer
 * that was in use; for firmware that is SP_EL0. A port's assembly may use the
 * offsets below.
 */
struct cz_frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate; /* as SPSR_ELx has it */
};

#define CZ_FRAME_X 0
#define CZ_FRAME_SP 248
#define CZ_FRAME_PC 256
#define CZ_FRAME_PSTATE 264
#define CZ_FRAME_SIZE 272

/*
 * Returns whether the exception was taken from firmware, which runs under `cz`
 * on the current thread. From an exception with interrupts off; does not block.
 */
bool cz_frame_is_firmware(const struct cz *cz, const struct cz_frame *frame);

/*
 * Tells the library that firmware was interrupted. late_ns is the time from the
 * interrupt's programmed time until it was taken, or 0 if its source has no
 * programmed time. Call it once for each interrupt, from the exception with
 * interrupts off, before the port may switch threads. Does not block.
 */
void cz_firmware_interrupted(struct cz *cz, const struct cz_frame *frame,
			     uint64_t late_ns);

/*
 * Tells the library that the scheduler is about to switch away from firmware.
 * Call it on the exception's way out with interrupts off. Does not block.
 */
void cz_firmware_preempted(struct cz *cz, const struct cz_frame *frame);

/*
 * Ends the call in flight if somebody has asked for that: it changes the frame
 * so that the exception returns into the gate. Call it last before every return
 * into firmware, on the exception's way out, on the worker's kernel stack, with
 * interrupts off until the return. Does not block.
 */
void cz_firmware_resume(struct cz *cz, struct cz_frame *frame);

/*
 * Handles a synchronous exception or an SError of firmware's. In the sandbox it
 * may be firmware's return from the call, or an instruction that the library
 * emulates. In both gates it may be the first write to a device. Any other
 * exception ends the call with CZ_E_FAULT; the worker logs it later, with
 * interrupts on. esr and far are ESR_EL1 and FAR_EL1. Returns true when the
 * port has to return to the frame, which may have changed. Returns false for an
 * SError that is not contained: it may have corrupted the kernel's state, and
 * the port treats it like an SError of its own.
 *
 * Call it on the worker's kernel stack with interrupts off; they are off on
 * return, too. While it emulates an instruction or opens a device, interrupts
 * are on and it can be preempted, except in a cz_call_now(), and except in the
 * direct gate after firmware has masked interrupts. Does not block.
 */
bool cz_firmware_exception(struct cz *cz, struct cz_frame *frame, uint64_t esr,
			   uint64_t far);

/*
 * Handles a synchronous exception that the kernel itself took. The library
 * makes unaligned accesses to devices byte by byte in firmware's place, and a
 * device may answer one of them with an external abort. A host that offers the
 * sandbox must therefore call this before it treats such an exception as a bug
 * of its own. Returns true if it was that access: the port returns to the
 * frame, of which x[0] and pc have changed, and firmware's call ends with the
 * fault. Otherwise returns false and changes nothing. Only x[0] and pc of the
 * frame are used. Any stack and any state of interrupts; does not block.
 */
bool cz_kernel_exception(struct cz_frame *frame, uint64_t esr);

#ifdef __cplusplus
}
#endif

#endif
