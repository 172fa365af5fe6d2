/* SPDX-License-Identifier: MIT */
/* Misbehaviours that need assembly; misbehave.h has the prototypes. */
#define SPSR_ILLEGAL 0x3c2		/* a mode that does not exist */
#define SIGNATURE_BIT (1 << 52)

	.text

.macro function name
	.globl	\name
	.balign	16
\name:
.endm

/* Pushes a frame record, so that a fault's report can name the callers. */
.macro frame
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
.endm

.macro unframe
	ldp	x29, x30, [sp], #16
.endm

	function hang_masked
	msr	daifset, #3
1:	b	1b

	function wait_for_ever
1:	wfi
	b	1b

	function wait_masked
	msr	daifset, #3
1:	wfi
	b	1b

	function call_hvc
	frame
	hvc	#0
	unframe
	ret

	function call_smc
	frame
	smc	#0
	unframe
	ret

	function sign_wrongly
	frame
	mov	x9, x30
	hint	#25			/* paciasp */
	cmp	x9, x30
	b.eq	1f
	eor	x30, x30, #SIGNATURE_BIT
	hint	#29			/* autiasp */
	ret
1:	mov	x0, xzr
	unframe
	ret

	function branch_unmarked
	frame
	adr	x1, 1f
	blr	x1
	unframe
	ret
1:	ret

	function misalign_stack
	frame
	sub	sp, sp, #8
	ldr	x9, [sp]
	add	sp, sp, #8
	unframe
	ret

	function enter_illegal_state
	frame
	mov	x9, #SPSR_ILLEGAL
	adr	x10, 1f
	msr	spsr_el1, x9
	msr	elr_el1, x10
	eret
1:	unframe
	ret

	function overflow_stack
	frame
	b	overflow_stack
