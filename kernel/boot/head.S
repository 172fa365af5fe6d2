/* SPDX-License-Identifier: MIT */
/*
 * The image's first page is a PE32+ header. With it, UEFI firmware can load the
 * kernel as an application at any page-aligned address, without relocations.
 * kernel.lds computes the numbers. The entry point is here, too.
 */

	.section .head, "a"
	.globl	image_header
image_header:
	.ascii	"MZ"
	.zero	0x3c - 2
	.long	pe_header - image_header

pe_header:
	.ascii	"PE\0\0"
	.short	0xaa64			/* Machine: ARM64 */
	.short	3			/* NumberOfSections */
	.long	0			/* TimeDateStamp */
	.long	0			/* PointerToSymbolTable */
	.long	0			/* NumberOfSymbols */
	.short	pe_sections - pe_optional
	.short	0x0226			/* executable, large addresses,
					   no line numbers, no debug data */

pe_optional:
	.short	0x20b			/* PE32+ */
	.byte	0, 0			/* linker version */
	.long	pe_text_size		/* SizeOfCode */
	.long	pe_data_file_size	/* SizeOfInitializedData */
	.long	pe_bss_size		/* SizeOfUninitializedData */
	.long	pe_entry		/* AddressOfEntryPoint */
	.long	pe_text_offset		/* BaseOfCode */
	.quad	0			/* ImageBase: any */
	.long	4096			/* SectionAlignment */
	.long	4096			/* FileAlignment */
	.short	0, 0			/* operating system version */
	.short	0, 1			/* image version */
	.short	0, 0			/* subsystem version */
	.long	0
	.long	pe_image_size		/* SizeOfImage */
	.long	pe_text_offset		/* SizeOfHeaders */
	.long	0			/* CheckSum */
	.short	10			/* Subsystem: EFI application */
	.short	0x100			/* DllCharacteristics: NX_COMPAT */
	.quad	0, 0, 0, 0		/* stack and heap: unused */
	.long	0			/* LoaderFlags */
	.long	(pe_sections - pe_directories) / 8
pe_directories:
	.quad	0			/* export */
	.quad	0			/* import */
	.quad	0			/* resource */
	.quad	0			/* exception */
	.quad	0			/* certificate: room for sbsign */
	.quad	0			/* base relocation: none needed */

/* name (8 bytes), VirtualSize, offset in memory and file, SizeOfRawData,
 * Characteristics */
	.macro	pe_section name, size, offset, file_size, flags
	.ascii	"\name"
	.long	\size, \offset, \file_size, \offset
	.long	0, 0
	.short	0, 0
	.long	\flags
	.endm

pe_sections:
	pe_section ".text\0\0\0", pe_text_size, pe_text_offset, pe_text_size, \
		0x60000020		/* code, execute, read */
	pe_section ".rodata\0", pe_rodata_size, pe_rodata_offset, \
		pe_rodata_size, 0x40000040	/* initialised data, read */
	pe_section ".data\0\0\0", pe_data_size, pe_data_offset, \
		pe_data_file_size, 0xc0000040	/* initialised data, write */

/*
 * uint64_t efi_entry(void *image_handle, struct cz_efi_system_table *table)
 *
 * Calls boot_main() with x0 and x1 as they are, x2 = DAIF at entry and x3 = the
 * exception level at entry. Returns to firmware, with a status in x0, only if
 * boot_main() failed.
 */
	.section .text.boot, "ax"
	.globl	efi_entry
	.type	efi_entry, %function
efi_entry:
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mrs	x2, daif
	mrs	x3, CurrentEL
	ubfx	x3, x3, #2, #2
	bl	boot_main
	ldp	x29, x30, [sp], #16
	ret
	.size	efi_entry, . - efi_entry
