# SPDX-License-Identifier: MIT
# Turns the output of `nm -n` for the kernel into the table for <kernel/symbols.h>, in
# assembly. For every function, sorted by address, it has the offset from the image's
# start and the offset of the name. Empty input gives an empty table.

BEGIN {
	count = 0
	length_so_far = 0
	print ".section .symbols, \"a\""
	print ".balign 8"
	print ".globl symbol_table"
	print "symbol_table:"
}

# The image starts at a multiple of 4 GiB, so the low half of an address is the offset.
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
