/* SPDX-License-Identifier: MIT */
/* Secure calls with all the registers of the calling convention (DEN0028). */

/* void \name(uint64_t registers[18]): loads x0 to x17 from the array, makes the
 * call, and stores their values in the array again. */
.macro secure_call name, instruction
	.globl	\name
	.hidden	\name
	.type	\name, %function
\name:
	stp	x0, x30, [sp, #-16]!
	mov	x18, x0
	ldp	x0, x1, [x18]
	ldp	x2, x3, [x18, #16]
	ldp	x4, x5, [x18, #32]
	ldp	x6, x7, [x18, #48]
	ldp	x8, x9, [x18, #64]
	ldp	x10, x11, [x18, #80]
	ldp	x12, x13, [x18, #96]
	ldp	x14, x15, [x18, #112]
	ldp	x16, x17, [x18, #128]
	\instruction #0
	ldr	x18, [sp]
	stp	x0, x1, [x18]
	stp	x2, x3, [x18, #16]
	stp	x4, x5, [x18, #32]
	stp	x6, x7, [x18, #48]
	stp	x8, x9, [x18, #64]
	stp	x10, x11, [x18, #80]
	stp	x12, x13, [x18, #96]
	stp	x14, x15, [x18, #112]
	stp	x16, x17, [x18, #128]
	ldp	x0, x30, [sp], #16
	ret
	.size	\name, . - \name
.endm

	.text
	secure_call secure_call_hvc, hvc
	secure_call secure_call_smc, smc
