/* SPDX-License-Identifier: MIT */
/*
 * The direct gate: firmware at EL1 on SP_EL0 (EL1t), so that its exceptions
 * land on SP_EL1, the worker's kernel stack. Firmware returns through a
 * trampoline in its own space that holds the gate's address, so that the way
 * home depends on no register that firmware could have changed.
 */
#include "gate.h"

#define CPACR_FPEN_EL1 20		/* clear: FP/SIMD traps at EL1 */
#define CPACR_FPEN (3 << 20)

	.arch_extension fp
	.arch_extension simd
	.text

/*
 * void cz_gate_direct(struct gate *gate)
 * x0 gate, then firmware's arguments  x16 firmware's function  x30 trampoline
 */
	.globl	cz_gate_direct
	.hidden	cz_gate_direct
	.type	cz_gate_direct, %function
	.balign	64
cz_gate_direct:
	.cfi_startproc
	hint	#34			/* bti c */
	mov	x9, sp
	stp	x18, x19, [x0, #GATE_X18]
	stp	x20, x21, [x0, #GATE_X18 + 16]
	stp	x22, x23, [x0, #GATE_X18 + 32]
	stp	x24, x25, [x0, #GATE_X18 + 48]
	stp	x26, x27, [x0, #GATE_X18 + 64]
	stp	x28, x29, [x0, #GATE_X18 + 80]
	stp	x30, x9, [x0, #GATE_X18 + 96]	/* and GATE_SP */
	stp	d8, d9, [x0, #GATE_D8]
	stp	d10, d11, [x0, #GATE_D8 + 16]
	stp	d12, d13, [x0, #GATE_D8 + 32]
	stp	d14, d15, [x0, #GATE_D8 + 48]
	mrs	x9, daif
	mrs	x10, fpcr
	stp	x9, x10, [x0, #GATE_DAIF]

	ldp	x16, x9, [x0, #GATE_FUNCTION]
	ldr	x30, [x0, #GATE_RETURN]
	msr	sp_el0, x9
	ldr	x9, [x0, #GATE_ARGUMENTS]
	ldp	x4, x5, [x9, #32]
	ldp	x2, x3, [x9, #16]
	ldp	x0, x1, [x9]
	mov	x29, xzr		/* backtraces end here */
	msr	spsel, #0
	br	x16

/*
 * Firmware has returned, through the trampoline. x16 gate, x0 status; all else
 * is what firmware left.
 */
	.globl	cz_gate_direct_return
	.hidden	cz_gate_direct_return
cz_gate_direct_return:
	hint	#36			/* bti j */
	mrs	x9, spsel
	mov	x10, sp
	msr	spsel, #1
	stp	x10, x9, [x16, #GATE_LEFT_SP]
	mrs	x9, cpacr_el1
	stp	x0, x9, [x16, #GATE_RESULT]
	tbz	x9, #CPACR_FPEN_EL1, 3f
1:	mrs	x9, daif
	mrs	x10, fpcr
	stp	x9, x10, [x16, #GATE_LEFT_DAIF]

	ldp	x9, x10, [x16, #GATE_X18]
	cmp	x18, x9
	cset	x11, ne
	cmp	x19, x10
	ldp	x9, x10, [x16, #GATE_X18 + 16]
	ccmp	x20, x9, #0, eq
	ccmp	x21, x10, #0, eq
	ldp	x9, x10, [x16, #GATE_X18 + 32]
	ccmp	x22, x9, #0, eq
	ccmp	x23, x10, #0, eq
	ldp	x9, x10, [x16, #GATE_X18 + 48]
	ccmp	x24, x9, #0, eq
	ccmp	x25, x10, #0, eq
	ldp	x9, x10, [x16, #GATE_X18 + 64]
	ccmp	x26, x9, #0, eq
	ccmp	x27, x10, #0, eq
	ldr	x9, [x16, #GATE_X18 + 80]
	ccmp	x28, x9, #0, eq
	ccmp	x29, xzr, #0, eq	/* firmware was given 0 */
	.irp	pair, 0, 1, 2, 3
	ldp	x9, x10, [x16, #GATE_D8 + 16 * \pair]
	.if \pair == 0
	fmov	x12, d8
	fmov	x13, d9
	.elseif \pair == 1
	fmov	x12, d10
	fmov	x13, d11
	.elseif \pair == 2
	fmov	x12, d12
	fmov	x13, d13
	.else
	fmov	x12, d14
	fmov	x13, d15
	.endif
	ccmp	x12, x9, #0, eq
	ccmp	x13, x10, #0, eq
	.endr
	cset	x12, ne
	stp	x11, x12, [x16, #GATE_LEFT_X18]

/* Back to the caller, whatever firmware left; but interrupts stay masked as it
 * left them until the system registers have been mended. */
2:	ldp	x30, x9, [x16, #GATE_X18 + 96]
	mov	sp, x9
	ldr	x10, [x16, #GATE_FPCR]
	msr	fpcr, x10
	ldp	x18, x19, [x16, #GATE_X18]
	ldp	x20, x21, [x16, #GATE_X18 + 16]
	ldp	x22, x23, [x16, #GATE_X18 + 32]
	ldp	x24, x25, [x16, #GATE_X18 + 48]
	ldp	x26, x27, [x16, #GATE_X18 + 64]
	ldp	x28, x29, [x16, #GATE_X18 + 80]
	ldp	d8, d9, [x16, #GATE_D8]
	ldp	d10, d11, [x16, #GATE_D8 + 16]
	ldp	d12, d13, [x16, #GATE_D8 + 32]
	ldp	d14, d15, [x16, #GATE_D8 + 48]
	ret

/* Firmware switched FP/SIMD off, which the gate itself needs. */
3:	orr	x9, x9, #CPACR_FPEN
	msr	cpacr_el1, x9
	isb
	b	1b

/* Where the frame of a call that is ended points to. x16 gate, EL1h, all
 * interrupts masked. */
	.globl	cz_gate_direct_end
	.hidden	cz_gate_direct_end
cz_gate_direct_end:
	mrs	x9, cpacr_el1
	str	x9, [x16, #GATE_LEFT_CPACR]
	orr	x9, x9, #CPACR_FPEN
	msr	cpacr_el1, x9
	isb
	b	2b
	.cfi_endproc
	.size	cz_gate_direct, . - cz_gate_direct
