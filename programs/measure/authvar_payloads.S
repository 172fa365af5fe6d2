/* SPDX-License-Identifier: MIT */
/* The payloads that tools/sign-variable.sh has signed, as a table of addresses
 * and sizes. */

	.macro	payload file
	.pushsection .rodata.authvar_bytes, "a"
	.balign	8
1:	.incbin	"\file"
2:	.popsection
	.quad	1b, 2b - 1b
	.endm

	.section .rodata.authvar, "a"
	.balign	8
	.globl	authvar_payloads
authvar_payloads:
	.include "authvar.list"
	.globl	authvar_payloads_end
authvar_payloads_end:
