/* SPDX-License-Identifier: MIT */
/* The runtime driver that the image carries: adversary/, as a PE file. */

	.section .rodata.payload, "a"
	.balign	16
	.globl	boot_adversary
	.hidden	boot_adversary
boot_adversary:
	.incbin	"adversary.efi"
	.globl	boot_adversary_end
	.hidden	boot_adversary_end
boot_adversary_end:
