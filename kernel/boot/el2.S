/* SPDX-License-Identifier: MIT */
/*
 * Goes from EL2, at which the firmware of most boards starts an application,
 * down to EL1, and leaves no traps to EL2 enabled. Arm ARM, chapter D19,
 * describes the registers.
 */

#define HCR_RW (1 << 31)		/* EL1 is AArch64 */
#define HCR_APK (1 << 40)		/* no traps of pointer authentication */
#define HCR_API (1 << 41)
#define HCR_ATA (1 << 56)
#define CNTHCTL_COUNTER_TIMER 3		/* physical counter, timer: no traps */
#define CPTR_RES1 0x33ff		/* FP/SIMD: no traps */
#define MDCR_HPMN 0x1f
#define ICC_SRE_ALL 15			/* system registers at EL1; no bypass */
#define SCTLR_EL1_RES1 0x30d00800	/* MMU and caches off */
#define SPSR_EL1H_MASKED 0x3c5

	.section .text.el2, "ax"

/*
 * void boot_leave_el2(void)
 * Called at EL2, it switches the MMU off and returns at EL1 with the same stack
 * pointer. Data that EL1 will read with the MMU off must have been cleaned to
 * memory before. Called at EL1, it returns at once. Uses no stack; changes x9.
 */
	.globl	boot_leave_el2
	.hidden	boot_leave_el2
	.type	boot_leave_el2, %function
boot_leave_el2:
	mrs	x9, CurrentEL
	cmp	x9, #(2 << 2)
	b.eq	1f
	ret
1:	mrs	x9, sctlr_el2
	bic	x9, x9, #(1 << 0)	/* M */
	bic	x9, x9, #(1 << 2)	/* C */
	msr	sctlr_el2, x9
	isb
	ldr	x9, =(HCR_RW | HCR_APK | HCR_API | HCR_ATA)
	msr	hcr_el2, x9
	isb

	mov	x9, #CNTHCTL_COUNTER_TIMER
	msr	cnthctl_el2, x9
	msr	cntvoff_el2, xzr
	mov	x9, #CPTR_RES1
	msr	cptr_el2, x9
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	mrs	x9, mdcr_el2
	and	x9, x9, #MDCR_HPMN
	msr	mdcr_el2, x9
	mrs	x9, midr_el1
	msr	vpidr_el2, x9
	mrs	x9, mpidr_el1
	msr	vmpidr_el2, x9

	mrs	x9, id_aa64pfr0_el1
	ubfx	x9, x9, #24, #4		/* GIC system registers */
	cbz	x9, 2f
	mrs	x9, S3_4_C12_C9_5	/* ICC_SRE_EL2 */
	orr	x9, x9, #ICC_SRE_ALL
	msr	S3_4_C12_C9_5, x9
	isb
	msr	S3_4_C12_C11_0, xzr	/* ICH_HCR_EL2 */
2:	mrs	x9, id_aa64mmfr0_el1
	ubfx	x9, x9, #56, #4		/* fine-grained traps */
	cbz	x9, 3f
	msr	S3_4_C1_C1_4, xzr	/* HFGRTR_EL2 */
	msr	S3_4_C1_C1_5, xzr	/* HFGWTR_EL2 */
	msr	S3_4_C1_C1_6, xzr	/* HFGITR_EL2 */
	msr	S3_4_C3_C1_4, xzr	/* HDFGRTR_EL2 */
	msr	S3_4_C3_C1_5, xzr	/* HDFGWTR_EL2 */

3:	ldr	x9, =SCTLR_EL1_RES1
	msr	sctlr_el1, x9
	mov	x9, sp
	msr	sp_el1, x9
	mov	x9, #SPSR_EL1H_MASKED
	msr	spsr_el2, x9
	msr	elr_el2, x30
	isb
	eret
	.ltorg
	.size	boot_leave_el2, . - boot_leave_el2
