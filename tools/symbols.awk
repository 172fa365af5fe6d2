# SPDX-License-Identifier: MIT
# Turns `nm -n` of the kernel into the table behind <kernel/symbols.h>, as
# assembly: offset from the image's start and offset of the name, for every
# function, by address. No input gives an empty table.

BEGIN {
	count = 0
	length_so_far = 0
	print ".section .symbols, \"a\""
	print ".balign 8"
	print ".globl symbol_table"
	print "symbol_table:"
}

# The image lies at a multiple of 4 GiB: the low half is the offset.
$2 ~ /^[tT]$/ && $3 !~ /^[$.]/ {
	print ".long 0x" substr($1, 9) ", " length_so_far
	name[count++] = $3
	length_so_far += length($3) + 1
}

END {
	print ".globl symbol_count"
	print "symbol_count:"
	print ".long " count
	print ".globl symbol_names"
	print "symbol_names:"
	for (i = 0; i < count; i++) {
		print ".asciz \"" name[i] "\""
	}
	print ".byte 0"
}
