/* SPDX-License-Identifier: MIT */
/*
 * The direct gate. Firmware runs at EL1 on SP_EL0 (EL1t), so that its
 * exceptions use SP_EL1, the worker's kernel stack. Firmware returns through a
 * trampoline in its own space that contains the gate's address, so that the
 * return depends on no register that firmware could have changed.
 */
#include "gate_layout.h"
#include "gate_macros.inc"

#define CPACR_FPEN_EL1 20		/* clear: FP/SIMD traps at EL1 */
#define CPACR_FPEN (3 << 20)

	.text

/*
 * void cz_gate_direct(struct gate *gate)
 * Calls firmware. Registers at the branch: x0 to x5 firmware's arguments, x16
 * firmware's function, x30 the trampoline.
 */
	.globl	cz_gate_direct
	.hidden	cz_gate_direct
	.type	cz_gate_direct, %function
	.balign	64
cz_gate_direct:
	.cfi_startproc
	hint	#34			/* bti c */
	save_caller
	synchronize_errors

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
 * Firmware has returned through the trampoline. x16 gate, x0 status; all other
 * registers are as firmware left them. Until the stack is switched, an
 * exception counts as firmware's. After that it counts as the host's, and the
 * host's handler would run with firmware's x18 and TPIDR_EL1. Interrupts
 * therefore stay masked until the caller has restored both.
 */
	.globl	cz_gate_direct_return
	.hidden	cz_gate_direct_return
cz_gate_direct_return:
	hint	#36			/* bti j */
	mrs	x9, daif
	synchronize_errors
	msr	daifset, #15
	mrs	x10, spsel
	mov	x11, sp
	msr	spsel, #1
	stp	x11, x10, [x16, #GATE_LEFT_SP]
	mrs	x10, cpacr_el1
	stp	x0, x10, [x16, #GATE_RESULT]
	tbz	x10, #CPACR_FPEN_EL1, 3f
1:	mrs	x10, fpcr
	stp	x9, x10, [x16, #GATE_LEFT_DAIF]

	check_kept GATE_X18, GATE_D8

2:	return_to_caller

/* Firmware has disabled FP/SIMD, which the gate itself needs. */
3:	orr	x10, x10, #CPACR_FPEN
	msr	cpacr_el1, x10
	isb
	b	1b

/* A call that is ended continues here: its frame was changed to return to this
 * place. x16 gate, EL1h, all interrupts masked. */
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
