/* SPDX-License-Identifier: MIT */
/* Each function executes one instruction that may fault, at a known address. */
#define CPACR_FPEN (3 << 20)

	.text
	.arch_extension fp

.macro function name
	.globl	\name
	.balign	16
\name:
.endm

	function touch_read
	ldr	w0, [x0]
	ret

	function touch_write
	str	wzr, [x0]
	ret

/* The code at the address returns to the caller of this function. */
	function touch_execute
	br	x0

	function touch_undefined
	udf	#0
	ret

	function touch_brk
	brk	#1
	ret

	function touch_svc
	svc	#0
	ret

	function touch_fp
	fmov	d0, xzr
	ret

	function touch_sve
	.inst	0x04e0e3e0		/* cntd x0 */
	ret

	function touch_fp_off
	mrs	x0, cpacr_el1
	bic	x0, x0, #CPACR_FPEN
	msr	cpacr_el1, x0
	isb
	ret

	function touch_code
	ret
