/* SPDX-License-Identifier: MIT */
/* Operations that C cannot express: reading an ID register by its number, and
 * making an access with the rights of EL0. */

	.text

/*
 * uint64_t cz_machine_identification(uint32_t number)
 * Returns S3_0_C0_C<crm>_<op2>; number = crm * 8 + op2, below 64.
 */
	.globl	cz_machine_identification
	.hidden	cz_machine_identification
	.type	cz_machine_identification, %function
cz_machine_identification:
	hint	#34			/* bti c */
	and	w0, w0, #63
	adr	x1, 1f
	add	x1, x1, x0, lsl #4
	br	x1
	.balign	16
1:
	.irp	crm, 0, 1, 2, 3, 4, 5, 6, 7
	.irp	op2, 0, 1, 2, 3, 4, 5, 6, 7
	hint	#36			/* bti j */
	mrs	x0, S3_0_C0_C\crm\()_\op2
	ret
	nop
	.endr
	.endr
	.size	cz_machine_identification, . - cz_machine_identification

/*
 * uint64_t cz_machine_user_read(uint64_t address, uint8_t *value) Reads a byte
 * with the rights of EL0. Returns 0, or the syndrome of the abort that the
 * access took: see fixup.h.
 */
	.globl	cz_machine_user_read
	.hidden	cz_machine_user_read
	.type	cz_machine_user_read, %function
cz_machine_user_read:
	hint	#34
.Lread:
	ldtrb	w2, [x0]
	strb	w2, [x1]
	mov	x0, xzr
.Lread_end:
	ret
	.size	cz_machine_user_read, . - cz_machine_user_read

/* uint64_t cz_machine_user_write(uint64_t address, uint8_t value)
 * Writes a byte with the rights of EL0. Returns as above. */
	.globl	cz_machine_user_write
	.hidden	cz_machine_user_write
	.type	cz_machine_user_write, %function
cz_machine_user_write:
	hint	#34
.Lwrite:
	sttrb	w1, [x0]
	mov	x0, xzr
.Lwrite_end:
	ret
	.size	cz_machine_user_write, . - cz_machine_user_write

/* const struct cz_fixup cz_machine_fixups[] */
	.section .rodata, "a"
	.globl	cz_machine_fixups
	.hidden	cz_machine_fixups
	.type	cz_machine_fixups, %object
	.balign	4
cz_machine_fixups:
	.word	.Lread - ., .Lread_end - .
	.word	.Lwrite - ., .Lwrite_end - .
	.word	0, 0
	.size	cz_machine_fixups, . - cz_machine_fixups
