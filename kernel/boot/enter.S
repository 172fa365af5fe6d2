/* SPDX-License-Identifier: MIT */
/*
 * Enters the kernel from the boot code: builds the first page tables, replaces
 * firmware's MMU configuration by the kernel's, and continues at the link
 * address. The other CPUs, which PSCI starts later, use the same tables.
 */
#include "arch/offsets.h"

#define SCTLR_RES1 0x30d00800
#define SCTLR_M (1 << 0)
#define SCTLR_C (1 << 2)
#define SCTLR_SA (1 << 3)
#define SCTLR_SA0 (1 << 4)
#define SCTLR_I (1 << 12)

/* T0SZ = T1SZ = 16, 4 KiB granules, walks cacheable and inner shareable. */
#define TCR_BASE 0xb5103510
#define TCR_AS (1 << 36)

.macro load_constant register, value
	movz	\register, #((\value) & 0xffff)
	movk	\register, #(((\value) >> 16) & 0xffff), lsl #16
.endm

.macro load_address register, symbol
	movz	\register, #:abs_g3:\symbol
	movk	\register, #:abs_g2_nc:\symbol
	movk	\register, #:abs_g1_nc:\symbol
	movk	\register, #:abs_g0_nc:\symbol
.endm

	.section .text.enter, "ax"

/*
 * _Noreturn void boot_enter(struct boot_info *info) Called at the load address,
 * on firmware's stack and address map, with interrupts masked. x19: info; x20:
 * early_tables.
 */
	.globl	boot_enter
	.hidden	boot_enter
	.type	boot_enter, %function
boot_enter:
	mov	x19, x0
	adrp	x9, boot_stack_top
	add	x9, x9, :lo12:boot_stack_top
	mov	sp, x9
	mov	x29, xzr
	adrp	x20, early_tables
	add	x20, x20, :lo12:early_tables
	mov	x0, x19
	mov	x1, x20
	bl	early_map
	cbz	w0, .			/* failed; nothing can be printed yet */
	mov	x0, x19
	bl	early_clean
	bl	boot_leave_el2		/* changes x9 */

	bl	enter_kernel
	load_address x1, boot_stack_top
	mov	sp, x1
	load_address x0, kernel_start
	mov	x30, xzr
	br	x0
	.size	boot_enter, . - boot_enter

/*
 * PSCI starts a CPU here, with the MMU off, all exceptions masked, and the
 * address of its struct cpu in x0. The data that it reads before the MMU is on
 * was cleaned to memory at boot.
 */
	.globl	secondary_enter
	.hidden	secondary_enter
	.type	secondary_enter, %function
secondary_enter:
	mov	x19, x0
	mov	x29, xzr
	adrp	x20, early_tables
	add	x20, x20, :lo12:early_tables
	bl	boot_leave_el2
	bl	enter_kernel
	ldr	x1, [x19, #CPU_IDLE_STACK]
	mov	sp, x1
	mov	x0, x19
	load_address x1, secondary_start
	mov	x30, xzr
	br	x1
	.size	secondary_enter, . - secondary_enter

/* In: x20 points to early_tables. Returns with the MMU on, to a physical
 * address, which the identity map translates to itself. Changes x9-x17. */
	.type	enter_kernel, %function
enter_kernel:
	ldp	x10, x11, [x20]		/* identity, kernel */

	load_constant x12, SCTLR_RES1 | SCTLR_SA | SCTLR_SA0
	msr	sctlr_el1, x12		/* MMU and caches off */
	isb
	load_constant x13, 0xff4404	/* MAIR_VALUE: see exception.c */
	msr	mair_el1, x13
	mrs	x14, id_aa64mmfr0_el1
	load_constant x15, TCR_BASE
	and	x16, x14, #7		/* PARange; 48 bits at most */
	cmp	x16, #5
	mov	x17, #5
	csel	x16, x16, x17, lo
	orr	x15, x15, x16, lsl #32
	ubfx	x16, x14, #4, #4	/* ASIDBits: 2 means 16 */
	cmp	x16, #2
	b.ne	1f
	orr	x15, x15, #TCR_AS
1:	msr	tcr_el1, x15
	msr	ttbr0_el1, x10
	msr	ttbr1_el1, x11
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	orr	x12, x12, #SCTLR_M
	orr	x12, x12, #SCTLR_C
	orr	x12, x12, #SCTLR_I
	msr	sctlr_el1, x12
	isb
	ret
	.size	enter_kernel, . - enter_kernel

	/* The stack is the upper half of an aligned slot: see
	 * arch/offsets.h. */
	.section .bss.boot_stack, "aw", %nobits
	.balign	32768
	.skip	32768
boot_stack_top:

	.globl	early_tables
	.hidden	early_tables
early_tables:
	.skip	32
