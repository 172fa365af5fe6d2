/* SPDX-License-Identifier: MIT */
#include "keep.h"

#define SEED 0			/* seed, DAIF */
#define SAVED_X 16		/* x19-x30 */
#define SAVED_D 112		/* d8-d15 */
#define FRAME 176
#define FPCR_RMODE (3 << 22)

	.text
	.arch_extension fp
	.arch_extension simd

.macro keep_x n
	ror	x9, x10, #\n
	eor	x9, x9, x\n
	cmp	x9, #0
	cset	x9, ne
	orr	x0, x0, x9, lsl #\n
.endm

.macro keep_d n
	ror	x9, x10, #(\n + 32)
	fmov	x11, d\n
	cmp	x9, x11
	cset	x9, ne
	orr	x0, x0, x9, lsl #(KEEP_D + \n)
.endm

/* x0 gate  x1 seed; then x0 the mask, x10 the seed */
	.globl	gate_keep
	.hidden	gate_keep
	.type	gate_keep, %function
gate_keep:
	sub	sp, sp, #FRAME
	mrs	x2, daif
	stp	x1, x2, [sp, #SEED]
	stp	x19, x20, [sp, #SAVED_X]
	stp	x21, x22, [sp, #SAVED_X + 16]
	stp	x23, x24, [sp, #SAVED_X + 32]
	stp	x25, x26, [sp, #SAVED_X + 48]
	stp	x27, x28, [sp, #SAVED_X + 64]
	stp	x29, x30, [sp, #SAVED_X + 80]
	stp	d8, d9, [sp, #SAVED_D]
	stp	d10, d11, [sp, #SAVED_D + 16]
	stp	d12, d13, [sp, #SAVED_D + 32]
	stp	d14, d15, [sp, #SAVED_D + 48]
	mov	x10, #FPCR_RMODE
	msr	fpcr, x10
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	ror	x9, x1, #(\n + 32)
	fmov	d\n, x9
	.endr
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	ror	x\n, x1, #\n
	.endr
	bl	cz_gate_direct
	ldp	x10, x11, [sp, #SEED]
	msr	daif, x11
	mov	x0, #0
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	keep_x	\n
	.endr
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	keep_d	\n
	.endr
	mrs	x9, fpcr
	cmp	x9, #FPCR_RMODE
	cset	x9, ne
	orr	x0, x0, x9, lsl #KEEP_FPCR
	msr	fpcr, xzr
	ldp	x19, x20, [sp, #SAVED_X]
	ldp	x21, x22, [sp, #SAVED_X + 16]
	ldp	x23, x24, [sp, #SAVED_X + 32]
	ldp	x25, x26, [sp, #SAVED_X + 48]
	ldp	x27, x28, [sp, #SAVED_X + 64]
	ldp	x29, x30, [sp, #SAVED_X + 80]
	ldp	d8, d9, [sp, #SAVED_D]
	ldp	d10, d11, [sp, #SAVED_D + 16]
	ldp	d12, d13, [sp, #SAVED_D + 32]
	ldp	d14, d15, [sp, #SAVED_D + 48]
	add	sp, sp, #FRAME
	ret
	.size	gate_keep, . - gate_keep
