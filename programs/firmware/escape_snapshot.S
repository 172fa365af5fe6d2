/* SPDX-License-Identifier: MIT */
/* Code that is copied into firmware's space, and is not executed here. See
 * struct snapshot in escape_registers.c. */
	.section .rodata.escape_snapshot, "a"
	.arch_extension fp
	.arch_extension simd

.macro keep_x n, next
	stp	x\n, x\next, [sp, #-512 + 8 * \n]
.endm

.macro keep_v n, next
	stp	q\n, q\next, [sp, #-1024 + 16 * \n]
.endm

	.balign	4
	.globl	escape_snapshot
	.hidden	escape_snapshot
escape_snapshot:
	keep_x	0, 1
	keep_x	2, 3
	keep_x	4, 5
	keep_x	6, 7
	keep_x	8, 9
	keep_x	10, 11
	keep_x	12, 13
	keep_x	14, 15
	keep_x	16, 17
	keep_x	18, 19
	keep_x	20, 21
	keep_x	22, 23
	keep_x	24, 25
	keep_x	26, 27
	keep_x	28, 29
	keep_v	0, 1
	keep_v	2, 3
	keep_v	4, 5
	keep_v	6, 7
	keep_v	8, 9
	keep_v	10, 11
	keep_v	12, 13
	keep_v	14, 15
	keep_v	16, 17
	keep_v	18, 19
	keep_v	20, 21
	keep_v	22, 23
	keep_v	24, 25
	keep_v	26, 27
	keep_v	28, 29
	keep_v	30, 31
	mrs	x9, nzcv
	stp	x30, x9, [sp, #-272]
	mrs	x9, fpsr
	mrs	x10, fpcr
	stp	x9, x10, [sp, #-256]
	ret
	.globl	escape_snapshot_end
	.hidden	escape_snapshot_end
escape_snapshot_end:
