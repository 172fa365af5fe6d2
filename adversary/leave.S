/* SPDX-License-Identifier: MIT */
/*
 * The outermost functions of GetVariable and SetVariable. Nothing in the driver
 * runs after them that could restore what firmware must preserve, so they
 * change what leave_order requests.
 */
#include "adversary.h"
#include "leave.h"

#define DAIF_FI 3
#define VBAR_NEXT (1 << 11)
#define SCTLR_UMA (1 << 9)
#define PAN (1 << 22)
#define PAN_REGISTER s3_0_c4_c2_3
#define SSBS (1 << 12)
#define SSBS_REGISTER s3_3_c4_c2_6
#define ALLINT (1 << 13)
#define ALLINT_REGISTER s3_0_c4_c3_0
#define UAO (1 << 23)
#define UAO_REGISTER s3_0_c4_c2_4
#define DIT (1 << 24)
#define DIT_REGISTER s3_3_c4_c2_5
#define TCO (1 << 25)
#define TCO_REGISTER s3_3_c4_c2_7
#define ASID_BIT (1 << 55)
#define FPCR_RMODE (1 << 22)
#define CPACR_FPEN (3 << 20)

/* x9: the mask; x10: the order; x13: temporary. */
.macro flip bit, register, mask
	tbz	x9, #\bit, 1f
	mrs	x13, \register
	eor	x13, x13, #\mask
	msr	\register, x13
	isb
1:
.endm

.macro spoil_x n
	tbz	x9, #ADVERSARY_LEAVE_X(\n), 1f
	mvn	x\n, x\n
1:
.endm

.macro spoil_d n
	tbz	x9, #ADVERSARY_LEAVE_D(\n), 1f
	fmov	x13, d\n
	mvn	x13, x13
	fmov	d\n, x13
1:
.endm

	.text
	.arch_extension fp
	.arch_extension simd

	.globl	get_variable_entry
	.balign	16
get_variable_entry:
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	get_variable
	b	.Lout

	.globl	set_variable_entry
	.balign	16
set_variable_entry:
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	set_variable
.Lout:
	ldp	x29, x30, [sp], #16
	adrp	x10, leave_order
	add	x10, x10, :lo12:leave_order
	ldr	x9, [x10, #LEAVE_WHAT]
	cbnz	x9, .Lleave
	ret

.Lleave:
	str	xzr, [x10, #LEAVE_WHAT]
	ldr	x11, [x10, #LEAVE_TRANSLATION]
	ldr	x12, [x10, #LEAVE_ITERATIONS]
	tbz	x9, #ADVERSARY_LEAVE_DAIF, 1f
	msr	daifset, #DAIF_FI
1:	flip	ADVERSARY_LEAVE_TPIDR_EL0, tpidr_el0, 1
	flip	ADVERSARY_LEAVE_TPIDR_EL1, tpidr_el1, 1
	flip	ADVERSARY_LEAVE_VBAR, vbar_el1, VBAR_NEXT
	flip	ADVERSARY_LEAVE_SCTLR, sctlr_el1, SCTLR_UMA
	flip	ADVERSARY_LEAVE_PAN, PAN_REGISTER, PAN
	flip	ADVERSARY_LEAVE_UAO, UAO_REGISTER, UAO
	flip	ADVERSARY_LEAVE_DIT, DIT_REGISTER, DIT
	flip	ADVERSARY_LEAVE_SSBS, SSBS_REGISTER, SSBS
	flip	ADVERSARY_LEAVE_TCO, TCO_REGISTER, TCO
	flip	ADVERSARY_LEAVE_ALLINT, ALLINT_REGISTER, ALLINT
	tbz	x9, #ADVERSARY_LEAVE_TTBR0, 1f
	msr	ttbr0_el1, x11
	isb
1:	flip	ADVERSARY_LEAVE_ASID, ttbr0_el1, ASID_BIT
	flip	ADVERSARY_LEAVE_FPCR, fpcr, FPCR_RMODE
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	spoil_d	\n
	.endr
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	spoil_x	\n
	.endr
	tbz	x9, #ADVERSARY_LEAVE_CPACR, 1f
	mrs	x13, cpacr_el1
	bic	x13, x13, #CPACR_FPEN
	msr	cpacr_el1, x13
	isb
1:	tbz	x9, #ADVERSARY_LEAVE_SP, 1f
	sub	sp, sp, #64
1:	tbz	x9, #ADVERSARY_LEAVE_SPSEL, 1f
	msr	spsel, #1
1:	cbz	x12, .Lleft
.Llinger:
	subs	x12, x12, #1
	b.ne	.Llinger
.Lleft:
	ret
