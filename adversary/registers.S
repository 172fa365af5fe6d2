/* SPDX-License-Identifier: MIT */
/*
 * The loops that keep firmware busy. A system may interrupt them anywhere and
 * use every register, but it must restore them.
 */
#include "registers.h"

#define COUNTER 0		/* counter, iterations left */
#define WRONG 16
#define SAVED_X18 24		/* x18 */
#define SAVED_X 32		/* x19-x30 */
#define SAVED_FP 128		/* FPCR, FPSR */
#define SAVED_D 144		/* d8-d15 */
#define SNAPSHOT 208
#define FRAME (SNAPSHOT + SNAPSHOT_BYTES)

/* Apply a macro to pairs of register numbers: each register and its
 * predecessor. */
#define UP_TO_15(do) \
	do 1, 0; do 2, 1; do 3, 2; do 4, 3; do 5, 4; do 6, 5; do 7, 6; \
	do 8, 7; do 9, 8; do 10, 9; do 11, 10; do 12, 11; do 13, 12; \
	do 14, 13; do 15, 14
#define UP_TO_30(do) \
	UP_TO_15(do); do 16, 15; do 17, 16; do 18, 17; do 19, 18; \
	do 20, 19; do 21, 20; do 22, 21; do 23, 22; do 24, 23; do 25, 24; \
	do 26, 25; do 27, 26; do 28, 27; do 29, 28; do 30, 29
#define DOWN_FROM_30(do) \
	do 30, 29; do 29, 28; do 28, 27; do 27, 26; do 26, 25; do 25, 24; \
	do 24, 23; do 23, 22; do 22, 21; do 21, 20; do 20, 19; do 19, 18; \
	do 18, 17; do 17, 16; do 16, 15; do 15, 14; do 14, 13; do 13, 12; \
	do 12, 11; do 11, 10; do 10, 9; do 9, 8; do 8, 7; do 7, 6; do 6, 5; \
	do 5, 4; do 4, 3; do 3, 2; do 2, 1; do 1, 0
#define EVEN(do) \
	do 0, 1; do 2, 3; do 4, 5; do 6, 7; do 8, 9; do 10, 11; do 12, 13; \
	do 14, 15; do 16, 17; do 18, 19; do 20, 21; do 22, 23; do 24, 25; \
	do 26, 27; do 28, 29

.macro fill_x n, before
	ror	x\n, x\before, #PATTERN_ROTATE
.endm

.macro fill_v n, before
	add	v\n\().2d, v\before\().2d, v0.2d
.endm

.macro keep_x n, next
	stp	x\n, x\next, [sp, #SNAPSHOT + 8 * \n]
.endm

.macro keep_v n, next
	stp	q\n, q\next, [sp, #SNAPSHOT + SNAPSHOT_V + 16 * \n]
.endm

/* Leaves 0 in the register if it fits the pattern. */
.macro compare_x n, before
	eor	x\n, x\n, x\before, ror #PATTERN_ROTATE
.endm

.macro gather_x n, before
	.if	\n < 30
	orr	x30, x30, x\n
	.endif
.endm

.macro compare_v n, before
	sub	v\n\().2d, v\n\().2d, v\before\().2d
	eor	v\n\().16b, v\n\().16b, v0.16b
.endm

.macro gather_v n, before
	orr	v31.16b, v31.16b, v\n\().16b
.endm

/* ORs into x30 the bits under the mask in which \reg differs from the
 * pattern. */
.macro compare_status reg, mask, offset
	mrs	x1, \reg
	str	x1, [sp, #SNAPSHOT + \offset]
	and	x2, x0, #\mask
	eor	x1, x1, x2
	orr	x30, x30, x1
.endm

/* Replaces a counter's value by its pattern. */
.macro pattern counter, temporary
	movz	\temporary, #PATTERN_FACTOR_0
	movk	\temporary, #PATTERN_FACTOR_1, lsl #16
	movk	\temporary, #PATTERN_FACTOR_2, lsl #32
	movk	\temporary, #PATTERN_FACTOR_3, lsl #48
	mul	\counter, \counter, \temporary
	eor	\counter, \counter, \counter, lsr #PATTERN_SHIFT
.endm

	.text
	.arch_extension fp		/* the C code does not use it */
	.arch_extension simd

/*
 * uint64_t registers_loop(uint64_t counter, uint64_t iterations,
 *			   struct snapshot *wrong)
 *
 * All registers except sp hold the pattern. The loop keeps its own state on the
 * stack.
 */
	.globl	registers_loop
	.balign	16
registers_loop:
	sub	sp, sp, #FRAME
	stp	x0, x1, [sp, #COUNTER]
	str	x2, [sp, #WRONG]
	str	x18, [sp, #SAVED_X18]
	stp	x19, x20, [sp, #SAVED_X]
	stp	x21, x22, [sp, #SAVED_X + 16]
	stp	x23, x24, [sp, #SAVED_X + 32]
	stp	x25, x26, [sp, #SAVED_X + 48]
	stp	x27, x28, [sp, #SAVED_X + 64]
	stp	x29, x30, [sp, #SAVED_X + 80]
	mrs	x3, fpcr
	mrs	x4, fpsr
	stp	x3, x4, [sp, #SAVED_FP]
	stp	d8, d9, [sp, #SAVED_D]
	stp	d10, d11, [sp, #SAVED_D + 16]
	stp	d12, d13, [sp, #SAVED_D + 32]
	stp	d14, d15, [sp, #SAVED_D + 48]

.Lnext:
	ldp	x0, x1, [sp, #COUNTER]
	cbz	x1, .Ldone
	pattern	x0, x1
	and	x1, x0, #PATTERN_NZCV
	msr	nzcv, x1
	and	x1, x0, #PATTERN_FPCR
	msr	fpcr, x1
	and	x1, x0, #PATTERN_FPSR
	msr	fpsr, x1
	mvn	x1, x0
	fmov	d0, x0
	mov	v0.d[1], x1
	UP_TO_30(fill_v)
	fill_v	31, 30
	UP_TO_30(fill_x)

	.rept	32
	nop
	.endr

	EVEN(keep_x)
	str	x30, [sp, #SNAPSHOT + 8 * 30]
	EVEN(keep_v)
	keep_v	30, 31
	DOWN_FROM_30(compare_x)
	DOWN_FROM_30(gather_x)
	ldr	x1, [sp, #COUNTER]
	pattern	x1, x2
	eor	x0, x0, x1
	orr	x30, x30, x0
	mov	x0, x1
	compare_status nzcv, PATTERN_NZCV, SNAPSHOT_NZCV
	compare_status fpcr, PATTERN_FPCR, SNAPSHOT_FPCR
	compare_status fpsr, PATTERN_FPSR, SNAPSHOT_FPSR
	compare_v 31, 30
	DOWN_FROM_30(compare_v)
	DOWN_FROM_30(gather_v)
	fmov	x1, d31
	orr	x30, x30, x1
	mov	x1, v31.d[1]
	orr	x30, x30, x1
	fmov	x1, d0
	eor	x1, x1, x0
	orr	x30, x30, x1
	mov	x1, v0.d[1]
	mvn	x2, x0
	eor	x1, x1, x2
	orr	x30, x30, x1

	ldp	x0, x1, [sp, #COUNTER]
	cbnz	x30, .Lwrong
	add	x0, x0, #1
	sub	x1, x1, #1
	stp	x0, x1, [sp, #COUNTER]
	b	.Lnext

.Lwrong:
	ldr	x2, [sp, #WRONG]
	add	x3, sp, #SNAPSHOT
	mov	x4, #SNAPSHOT_BYTES
.Lcopy:
	ldp	x5, x6, [x3], #16
	stp	x5, x6, [x2], #16
	subs	x4, x4, #16
	b.ne	.Lcopy

.Ldone:
	mov	x0, x1
	ldr	x18, [sp, #SAVED_X18]
	ldp	x19, x20, [sp, #SAVED_X]
	ldp	x21, x22, [sp, #SAVED_X + 16]
	ldp	x23, x24, [sp, #SAVED_X + 32]
	ldp	x25, x26, [sp, #SAVED_X + 48]
	ldp	x27, x28, [sp, #SAVED_X + 64]
	ldp	x29, x30, [sp, #SAVED_X + 80]
	ldp	x3, x4, [sp, #SAVED_FP]
	msr	fpcr, x3
	msr	fpsr, x4
	ldp	d8, d9, [sp, #SAVED_D]
	ldp	d10, d11, [sp, #SAVED_D + 16]
	ldp	d12, d13, [sp, #SAVED_D + 32]
	ldp	d14, d15, [sp, #SAVED_D + 48]
	add	sp, sp, #FRAME
	ret

/*
 * void spin_loop(uint64_t iterations)
 */
	.globl	spin_loop
	.balign	16
spin_loop:
	cbz	x0, .Lspun
.Lspin:
	subs	x0, x0, #1
	b.ne	.Lspin
.Lspun:
	ret

/*
 * void mask_loop(uint64_t iterations)
 */
	.globl	mask_loop
	.balign	16
mask_loop:
	msr	daifset, #2
	cbz	x0, .Lmasked
.Lmask:
	subs	x0, x0, #1
	b.ne	.Lmask
.Lmasked:
	msr	daifclr, #2
	ret
