/* SPDX-License-Identifier: MIT */
/*
 * Exception vectors for the sweep. The handler of an interrupt does not depend
 * on x18 or TPIDR_EL1. It can therefore report that they have firmware's
 * values; a host that keeps its per-CPU data there could not go on.
 */

#define FRAME 176

	.section .text.sweep_vectors, "ax"

.macro to_kernel offset
	.balign	128
	b	exception_vectors + \offset
.endm

.macro to_sweep
	.balign	128
	b	interrupt
.endm

	.balign	2048
	.globl	sweep_vectors
	.hidden	sweep_vectors
sweep_vectors:
	to_kernel 0x000			/* EL1t: firmware, directly */
	to_sweep
	to_kernel 0x100
	to_kernel 0x180
	to_kernel 0x200			/* EL1h: the kernel */
	to_sweep
	to_kernel 0x300
	to_kernel 0x380
	to_kernel 0x400			/* EL0: firmware in the sandbox */
	to_sweep
	to_kernel 0x500
	to_kernel 0x580
	.irp	n, 0x600, 0x680, 0x700, 0x780
	to_kernel \n
	.endr

interrupt:
	sub	sp, sp, #FRAME
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x29, [sp, #144]
	str	x30, [sp, #160]
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	mov	x2, x18
	mrs	x3, tpidr_el1
	mov	x29, xzr
	bl	sweep_interrupted
	ldp	x0, x1, [sp]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x29, [sp, #144]
	ldr	x30, [sp, #160]
	add	sp, sp, #FRAME
	eret
