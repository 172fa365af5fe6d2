/* SPDX-License-Identifier: MIT */
/*
 * The sandbox gate. Firmware runs at EL0 and returns by the trampoline's SVC.
 * That exception uses SP_EL1, the worker's kernel stack, as all exceptions of
 * firmware's do; the hook changes its frame to return to
 * cz_gate_sandbox_return. Firmware does not see the contents of any register of
 * the kernel's.
 */
#include "gate_layout.h"
#include "gate_macros.inc"

	.text

/*
 * void cz_gate_sandbox(struct gate *gate)
 * Calls firmware. Registers at the ERET: x0 to x5 firmware's arguments, x30 the
 * trampoline; all other general registers are zero or a pattern.
 */
	.globl	cz_gate_sandbox
	.hidden	cz_gate_sandbox
	.type	cz_gate_sandbox, %function
	.balign	64
cz_gate_sandbox:
	.cfi_startproc
	hint	#34			/* bti c */
	save_caller
	synchronize_errors

	ldp	x9, x10, [x0, #GATE_FUNCTION]
	ldp	x30, x11, [x0, #GATE_RETURN]	/* and GATE_ARGUMENTS */
	ldr	x12, [x0, #GATE_PSTATE]
	hide_fp
	/* An exception would overwrite ELR_EL1 and SPSR_EL1, and its handler
	 * would run with firmware's x18. */
	msr	daifset, #15
	give_registers
	msr	elr_el1, x9
	msr	spsr_el1, x12
	msr	sp_el0, x10
	ldp	x4, x5, [x11, #32]
	ldp	x2, x3, [x11, #16]
	ldp	x0, x1, [x11]
	.irp	n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 29
	mov	x\n, xzr
	.endr
	eret
	dsb	nsh			/* prevents speculation past the ERET */
	isb

/*
 * Firmware has returned: the frame of its SVC was changed to return here. x16
 * gate, x0 status; all other registers are as firmware left them. EL1h, all
 * interrupts masked.
 */
	.globl	cz_gate_sandbox_return
	.hidden	cz_gate_sandbox_return
cz_gate_sandbox_return:
	mrs	x9, fpcr
	str	x0, [x16, #GATE_RESULT]
	str	x9, [x16, #GATE_LEFT_FPCR]
	check_kept GATE_GIVEN, GATE_GIVEN_D8

/* A call that is ended continues here. Registers as above. */
	.globl	cz_gate_sandbox_end
	.hidden	cz_gate_sandbox_end
cz_gate_sandbox_end:
	return_to_caller
	.cfi_endproc
	.size	cz_gate_sandbox, . - cz_gate_sandbox
