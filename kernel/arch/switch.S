/* SPDX-License-Identifier: MIT */
/* Switches between kernel threads; saves and loads the FP/SIMD registers. */
#include "arch/offsets.h"

	.text

/*
 * void cpu_switch(struct thread *previous, struct thread *next) Saves the
 * callee-saved registers on the stack of `previous`, and returns on the stack
 * of `next`. Interrupts are off.
 */
	.globl	cpu_switch
	.hidden	cpu_switch
	.type	cpu_switch, %function
cpu_switch:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mov	x2, sp
	ldr	x3, [x1, #THREAD_SP]
	str	x2, [x0, #THREAD_SP]
	mov	sp, x3
	msr	tpidrro_el0, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret
	.size	cpu_switch, . - cpu_switch

/* A new thread starts here. thread_create() has stored its entry function in
 * the saved x19 and its argument in the saved x20. */
	.globl	thread_trampoline
	.hidden	thread_trampoline
	.type	thread_trampoline, %function
thread_trampoline:
	bl	thread_started
	mov	x0, x20
	blr	x19
	bl	thread_exit
	.size	thread_trampoline, . - thread_trampoline

	.arch_extension fp
	.arch_extension simd

/* void fp_save(struct fp_state *to) */
	.globl	fp_save
	.hidden	fp_save
	.type	fp_save, %function
fp_save:
	stp	q0, q1, [x0, #16]
	stp	q2, q3, [x0, #48]
	stp	q4, q5, [x0, #80]
	stp	q6, q7, [x0, #112]
	stp	q8, q9, [x0, #144]
	stp	q10, q11, [x0, #176]
	stp	q12, q13, [x0, #208]
	stp	q14, q15, [x0, #240]
	stp	q16, q17, [x0, #272]
	stp	q18, q19, [x0, #304]
	stp	q20, q21, [x0, #336]
	stp	q22, q23, [x0, #368]
	stp	q24, q25, [x0, #400]
	stp	q26, q27, [x0, #432]
	stp	q28, q29, [x0, #464]
	stp	q30, q31, [x0, #496]
	mrs	x1, fpcr
	mrs	x2, fpsr
	stp	x1, x2, [x0]
	ret
	.size	fp_save, . - fp_save

/* void fp_load(const struct fp_state *from) */
	.globl	fp_load
	.hidden	fp_load
	.type	fp_load, %function
fp_load:
	ldp	x1, x2, [x0]
	msr	fpcr, x1
	msr	fpsr, x2
	ldp	q0, q1, [x0, #16]
	ldp	q2, q3, [x0, #48]
	ldp	q4, q5, [x0, #80]
	ldp	q6, q7, [x0, #112]
	ldp	q8, q9, [x0, #144]
	ldp	q10, q11, [x0, #176]
	ldp	q12, q13, [x0, #208]
	ldp	q14, q15, [x0, #240]
	ldp	q16, q17, [x0, #272]
	ldp	q18, q19, [x0, #304]
	ldp	q20, q21, [x0, #336]
	ldp	q22, q23, [x0, #368]
	ldp	q24, q25, [x0, #400]
	ldp	q26, q27, [x0, #432]
	ldp	q28, q29, [x0, #464]
	ldp	q30, q31, [x0, #496]
	ret
	.size	fp_load, . - fp_load
