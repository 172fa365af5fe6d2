/* SPDX-License-Identifier: MIT */
/*
 * Hooks that an arm64 port calls from its exception path, and the frame they
 * exchange. Firmware is running on a thread between the library's entry into
 * the gate and its return: an exception taken then belongs to it when
 * cz_frame_is_firmware() says so. A port that finds no live cz on the current
 * thread calls none of these.
 *
 * A host that runs at EL0 itself links src/arm64/el0/ in place of the gates and
 * calls these from its signal handlers: read "signal" for exception and interrupt,
 * "alternate signal stack" for the worker's kernel stack.
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
 * An interrupted context, as the port saved it on the worker's kernel stack
 * (never on the firmware's). sp is the stack pointer that was in use: SP_EL0
 * for firmware. Assembly uses the offsets below.
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
 * Whether the frame was taken from firmware that runs under `cz` on the current
 * thread. From an exception, interrupts off; does not block.
 */
bool cz_frame_is_firmware(const struct cz *cz, const struct cz_frame *frame);

/*
 * Firmware was interrupted. late_ns is how long after its programmed time the
 * interrupt was taken, or 0 where the source has no programmed time. From an
 * exception, interrupts off, once per interrupt, before the handler may switch.
 * Does not block.
 */
void cz_firmware_interrupted(struct cz *cz, const struct cz_frame *frame,
			     uint64_t late_ns);

/*
 * The scheduler is about to switch away from firmware. From the exception's way
 * out, interrupts off. Does not block.
 */
void cz_firmware_preempted(struct cz *cz, const struct cz_frame *frame);

/*
 * The last thing before any return into firmware: acts on an abort that was
 * asked for by changing the frame so that the call ends. From the exception's
 * way out, on the worker's kernel stack, interrupts off. Does not block.
 */
void cz_firmware_resume(struct cz *cz, struct cz_frame *frame);

/*
 * Firmware took a synchronous exception or an SError. It may be its return, an
 * instruction that is done for it in the sandbox, or the first write to a device;
 * anything else ends the call with CZ_E_FAULT: what happened is kept, for the worker
 * to log with interrupts on. Changes the frame, to which the port returns. esr and
 * far as the exception left them. On the worker's kernel stack, interrupts off on
 * entry and on return; while it stands in for the machine it puts them as the call
 * has them: on, but for cz_call_now(). It may then be preempted. Does not block.
 *
 * False for an SError that is not contained: it may have hurt the kernel, which does
 * what it does about its own.
 */
bool cz_firmware_exception(struct cz *cz, struct cz_frame *frame, uint64_t esr,
			   uint64_t far);

/*
 * The kernel itself took a synchronous exception. A host that offers the sandbox asks
 * here before it takes that for a bug of its own: an unaligned access to a device is
 * made byte by byte for firmware, and the device may answer with an abort. True:
 * it was that; the frame is changed, the port returns to it, and firmware's call ends
 * with the fault. False, and nothing done: it was not. Of the frame x[0] and pc are
 * used. Any stack; interrupts as they are. Does not block.
 */
bool cz_kernel_exception(struct cz_frame *frame, uint64_t esr);

#ifdef __cplusplus
}
#endif

#endif
