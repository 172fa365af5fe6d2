# SPDX-License-Identifier: MIT
# From a disassembly: whether each function that accesses a device does it by one load
# or store of one general register, without write-back, and accesses nothing else. Those
# are the only accesses that a hypervisor can emulate by the syndrome alone. Prints what
# is otherwise, and what was found; exit code 1 if something is otherwise.

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

# The mnemonics of all that touches memory.
(name in wanted) && $2 ~ /^(ld|st|cas|swp|prf)/ {
	text = $2
	for (i = 3; i <= NF; i++) {
		text = text " " $i
	}
	# The byte that was read, for the caller.
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
