/* SPDX-License-Identifier: MIT */
/*
 * Changes every register, as the worst possible other work would. In assembly,
 * because the kernel is compiled without FP/SIMD.
 */
#include "lib/clobber.h"

	.arch armv8-a+fp+simd

/* RMode = towards zero, FZ, DN; the cumulative exception bits and QC */
#define FPCR_BITS 0x03c00000
#define FPSR_BITS 0x0800009f

	.macro function name
	.section .text.\name, "ax"
	.balign 4
	.global \name
	.type \name, %function
\name:
	.cfi_startproc
	.endm

	.macro end name
	.cfi_endproc
	.size \name, . - \name
	.endm

/* x0: seed */
function clobber_general
	stp	x29, x30, [sp, #-96]!
	.cfi_def_cfa_offset 96
	.cfi_offset x29, -96
	.cfi_offset x30, -88
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, \
		18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	add	x\n, x0, #\n
	.endr
	msr	nzcv, x0
	mvn	x0, x0
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	.cfi_def_cfa_offset 0
	ret
end clobber_general

/* x0: seed. vn = { seed + n, ~(seed + n) } */
function fp_fill
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, \
		18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	add	x1, x0, #\n
	mvn	x2, x1
	mov	v\n\().d[0], x1
	mov	v\n\().d[1], x2
	.endr
	ldr	x3, =FPCR_BITS
	and	x1, x0, x3
	msr	fpcr, x1
	ldr	x3, =FPSR_BITS
	and	x1, x0, x3
	msr	fpsr, x1
	ret
	.ltorg
end fp_fill

/* x0: seed in, result out */
function fp_check
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, \
		18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	mov	x5, #\n + 1
	add	x1, x0, #\n
	mvn	x2, x1
	mov	x3, v\n\().d[0]
	mov	x4, v\n\().d[1]
	cmp	x1, x3
	ccmp	x2, x4, #0, eq
	b.ne	1f
	.endr
	mov	x5, #33
	ldr	x3, =FPCR_BITS
	and	x1, x0, x3
	mrs	x2, fpcr
	cmp	x1, x2
	b.ne	1f
	mov	x5, #34
	ldr	x3, =FPSR_BITS
	and	x1, x0, x3
	mrs	x2, fpsr
	cmp	x1, x2
	b.ne	1f
	mov	x5, #0
1:	mov	x0, x5
	ret
	.ltorg
end fp_check

/* x0: pad, x1: call, x2: argument */
function padded_call
	adr	x3, 1f
	sub	x3, x3, x0, lsl #2
	mov	x0, x2
	br	x3
	.rept MAX_PAD
	nop
	.endr
1:	br	x1
end padded_call
