/* SPDX-License-Identifier: MIT */
/*
 * Exception vectors (Arm ARM D1.3.1). Firmware runs at EL1t or EL0 and the
 * kernel at EL1h, so the vector tells them apart. All exceptions land on
 * SP_EL1, which is the stack of the running thread, and save a struct
 * exception_frame there. An interrupt's handler then runs on the CPU's
 * interrupt stack; a thread switch happens after that, on the thread's own
 * stack again.
 */
#include "arch/offsets.h"

/* In: sp points to the lowest byte of the frame. Saves x0 to x30, sp, pc,
 * pstate and SP_EL0. Clobbers x0 to x3 after it has saved them. \from: 0 if the
 * exception came from firmware, 1 if it came from EL1h. */
.macro save_frame from
	stp	x0, x1, [sp, #16 * 0]
	stp	x2, x3, [sp, #16 * 1]
	stp	x4, x5, [sp, #16 * 2]
	stp	x6, x7, [sp, #16 * 3]
	stp	x8, x9, [sp, #16 * 4]
	stp	x10, x11, [sp, #16 * 5]
	stp	x12, x13, [sp, #16 * 6]
	stp	x14, x15, [sp, #16 * 7]
	stp	x16, x17, [sp, #16 * 8]
	stp	x18, x19, [sp, #16 * 9]
	stp	x20, x21, [sp, #16 * 10]
	stp	x22, x23, [sp, #16 * 11]
	stp	x24, x25, [sp, #16 * 12]
	stp	x26, x27, [sp, #16 * 13]
	stp	x28, x29, [sp, #16 * 14]
	mrs	x0, sp_el0
	.if \from
	add	x1, sp, #FRAME_BYTES
	.else
	mov	x1, x0
	.endif
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x30, x1, [sp, #FRAME_SP - 8]
	stp	x2, x3, [sp, #FRAME_PC]
	str	x0, [sp, #FRAME_SP_EL0]
.endm

/* In: sp points to the frame. Returns to the context that the frame
 * describes. */
.macro restore_frame
	ldp	x2, x3, [sp, #FRAME_PC]
	ldr	x0, [sp, #FRAME_SP_EL0]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	msr	sp_el0, x0
	ldp	x0, x1, [sp, #16 * 0]
	ldp	x2, x3, [sp, #16 * 1]
	ldp	x4, x5, [sp, #16 * 2]
	ldp	x6, x7, [sp, #16 * 3]
	ldp	x8, x9, [sp, #16 * 4]
	ldp	x10, x11, [sp, #16 * 5]
	ldp	x12, x13, [sp, #16 * 6]
	ldp	x14, x15, [sp, #16 * 7]
	ldp	x16, x17, [sp, #16 * 8]
	ldp	x18, x19, [sp, #16 * 9]
	ldp	x20, x21, [sp, #16 * 10]
	ldp	x22, x23, [sp, #16 * 11]
	ldp	x24, x25, [sp, #16 * 12]
	ldp	x26, x27, [sp, #16 * 13]
	ldp	x28, x29, [sp, #16 * 14]
	ldr	x30, [sp, #FRAME_SP - 8]
	add	sp, sp, #FRAME_BYTES
	eret
.endm

.macro vector_slot label
	.balign	128
	sub	sp, sp, #FRAME_BYTES
	b	\label
.endm

/* Like vector_slot, for exceptions from the kernel itself, whose stack may
 * have overflowed. The test needs sp in x0, and there is no safe memory to
 * save x0 in. So the additions and subtractions keep both values in the two
 * registers. */
.macro vector_slot_checked label
	.balign	128
	sub	sp, sp, #FRAME_BYTES
	add	sp, sp, x0
	sub	x0, sp, x0
	tbz	x0, #STACK_SHIFT, 1f
	sub	x0, sp, x0
	sub	sp, sp, x0
	b	\label
1:	b	overflow
.endm

	.section .text.vectors, "ax"
	.balign	2048
	.globl	exception_vectors
	.hidden	exception_vectors
exception_vectors:
	vector_slot firmware_sync
	vector_slot firmware_irq
	vector_slot firmware_fiq
	vector_slot firmware_serror
	vector_slot_checked kernel_sync
	vector_slot_checked kernel_irq
	vector_slot_checked kernel_fiq
	vector_slot_checked kernel_serror
	vector_slot firmware_sync
	vector_slot firmware_irq
	vector_slot firmware_fiq
	vector_slot firmware_serror
	.irp	n, 12, 13, 14, 15
	.balign	128
	sub	sp, sp, #FRAME_BYTES
	stp	x0, x1, [sp]
	mov	x0, #\n
	b	unexpected
	.endr

.macro irq_body
	mov	x19, sp
	mrs	x20, tpidr_el1
	ldp	x2, x1, [x20, #CPU_IRQ_STACK]	/* and CPU_GIC_IS_V2 */
	mov	x0, x19
	mov	sp, x2
	bl	irq_handle
	mov	sp, x19
	mov	x1, x19
	bl	irq_exit
	restore_frame
.endm

/* The handlers of firmware's exceptions clear x29, so that a backtrace of the
 * kernel ends here and does not follow firmware's frame records. */
firmware_irq:
	save_frame 0
	mov	x29, xzr
	irq_body

kernel_irq:
	save_frame 1
	irq_body

.macro sync_body
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	bl	sync_handle
	restore_frame
.endm

firmware_sync:
	save_frame 0
	mov	x29, xzr
	sync_body

firmware_serror:
	save_frame 0
	mov	x29, xzr
	sync_body

kernel_sync:
	save_frame 1
	sync_body

.macro bad_body number
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	mov	x3, #\number
	bl	bad_exception
.endm

firmware_fiq:
	save_frame 0
	bad_body 2
kernel_fiq:
	save_frame 1
	bad_body 6
kernel_serror:
	save_frame 1
	bad_body 7

/* In: x0 is the vector's number; x0 and x1 have been saved in the frame. */
unexpected:
	mov	x29, x0
	ldp	x0, x1, [sp]
	save_frame 1
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	mov	x3, x29
	bl	bad_exception

/* In: x0 is the sp that overflowed; sp is that plus the original x0. Saves
 * the frame on the emergency stack. TPIDR_EL0 holds x0 meanwhile, because
 * there is no memory for it yet; its old value does not matter, since the
 * kernel panics. */
overflow:
	sub	x0, sp, x0
	msr	tpidr_el0, x0
	mrs	x0, tpidr_el1
	ldr	x0, [x0, #CPU_EMERGENCY_STACK]
	sub	x0, x0, #FRAME_BYTES
	mov	sp, x0
	mrs	x0, tpidr_el0
	save_frame 1
	mov	x0, sp
	bl	stack_overflow
