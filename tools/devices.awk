# SPDX-License-Identifier: MIT
# Reads a disassembly. Checks that each function that accesses a device does so by one
# load or store of one general register, without write-back, and has no other memory
# access. A hypervisor can emulate only such accesses from the syndrome alone. Prints
# the violations and a summary. The exit code is 1 if there is a violation.

BEGIN {
	split("device_read32 device_read64 device_write32 " \
	      "cz_machine_user_read cz_machine_user_write", names)
	for (i in names) {
		wanted[names[i]] = 1
	}
}

/^[0-9a-f]+ <.*>:$/ {
	name = $2
	gsub(/[<>:]/, "", name)
	next
}

# The mnemonics of all instructions that access memory.
(name in wanted) && $2 ~ /^(ld|st|cas|swp|prf)/ {
	text = $2
	for (i = 3; i <= NF; i++) {
		text = text " " $i
	}
	# This store returns the byte to the caller.
	if (name == "cz_machine_user_read" && text ~ /^strb w[0-9]+, \[x1\]$/) {
		next
	}
	accesses[name]++
	if (text !~ /^(ldrb?|strb?) [wx][0-9]+, \[x[0-9]+\]$/) {
		print name ": " text
		code = 1
	}
}

END {
	for (name in wanted) {
		if (accesses[name] != 1) {
			print name ": " accesses[name] + 0 " accesses, not one"
			code = 1
		} else {
			count++
		}
	}
	print "# " count + 0 " functions access devices, by one instruction each"
	exit code
}
