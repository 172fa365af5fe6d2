/* SPDX-License-Identifier: MIT */
/*
 * The gate at EL0. Firmware returns through the trampoline, or the signal
 * handler changes a signal frame to return here. The code from cz_gate_el0 to
 * cz_gate_el0_end counts as the gate even while GATE_ACTIVE is set: no call is
 * ended there.
 */
#include "../gate_layout.h"
#include "../gate_macros.inc"

	.text

/*
 * void cz_gate_el0(struct gate *gate)
 * Calls firmware. Registers at the branch: x0 to x5 firmware's arguments, x16
 * firmware's function, x30 the trampoline; all others are zero or a pattern.
 */
	.globl	cz_gate_el0
	.hidden	cz_gate_el0
	.type	cz_gate_el0, %function
	.balign	64
cz_gate_el0:
	.cfi_startproc
	hint	#34			/* bti c */
	save_registers
	mrs	x10, fpcr
	str	x10, [x0, #GATE_FPCR]

	ldp	x16, x9, [x0, #GATE_FUNCTION]	/* and GATE_STACK_TOP */
	ldp	x30, x11, [x0, #GATE_RETURN]	/* and GATE_ARGUMENTS */
	hide_fp
	give_registers
	mov	x12, #1
	str	x12, [x0, #GATE_ACTIVE]
	mov	sp, x9
	ldp	x4, x5, [x11, #32]
	ldp	x2, x3, [x11, #16]
	ldp	x0, x1, [x11]
	.irp	n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 29
	mov	x\n, xzr
	.endr
	br	x16

/* In: x16 gate. Ends SME's streaming mode, in which the caller's instructions
 * may be undefined, and disables ZA. This must come before d8 is compared or
 * loaded, because leaving the mode zeroes it. Not every assembler has the
 * names, hence the numbers. Changes x9. */
.macro leave_streaming
	ldr	x9, [x16, #GATE_HAS_STREAMING]
	cbz	x9, 1f
	mrs	x9, S3_3_C4_C2_2	/* SVCR */
	cbz	x9, 1f
	str	x9, [x16, #GATE_LEFT_STREAMING]
	.inst	0xd503467f		/* smstop */
1:
.endm

/* Firmware has returned through the trampoline. x16 gate, x0 status; all other
 * registers are as firmware left them. */
	.globl	cz_gate_sandbox_return
	.hidden	cz_gate_sandbox_return
cz_gate_sandbox_return:
	hint	#36			/* bti j */
	leave_streaming
	mov	x10, sp
	ldr	x9, [x16, #GATE_SP]
	mov	sp, x9
	str	xzr, [x16, #GATE_ACTIVE]
	str	x10, [x16, #GATE_LEFT_SP]
	mrs	x9, fpcr
	str	x0, [x16, #GATE_RESULT]
	str	x9, [x16, #GATE_LEFT_FPCR]
	check_kept GATE_GIVEN, GATE_GIVEN_D8

/* A call that is ended continues here. x16 gate. */
	.globl	cz_gate_sandbox_end
	.hidden	cz_gate_sandbox_end
cz_gate_sandbox_end:
	leave_streaming
	str	xzr, [x16, #GATE_ACTIVE]
	return_to_caller
	.globl	cz_gate_el0_end
	.hidden	cz_gate_el0_end
cz_gate_el0_end:
	.cfi_endproc
	.size	cz_gate_el0, . - cz_gate_el0
	.section .note.GNU-stack, "", %progbits
