/* SPDX-License-Identifier: MIT */
/* Embeds the runtime driver built from adversary/, a PE file, in the image. */

	.section .rodata.payload, "a"
	.balign	16
	.globl	boot_adversary
	.hidden	boot_adversary
boot_adversary:
	.incbin	"adversary.efi"
	.globl	boot_adversary_end
	.hidden	boot_adversary_end
boot_adversary_end:
