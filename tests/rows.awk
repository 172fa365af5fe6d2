# SPDX-License-Identifier: MIT
# Prints the outcomes of the misbehaviours as a table. A record of the input is the check's
# name, words NAME=VALUE, and a line that begins with `report=`; an empty line ends it.

function value(name, fallback) {
	return name in found ? found[name] : fallback
}

# Returns an outcome in words: the status as it is, then the other parts.
function words(text, parts, count, i) {
	count = split(text, parts, "/")
	text = parts[1]
	for (i = 2; i <= count; i++) {
		gsub(/_/, " ", parts[i])
		text = text ", " parts[i]
	}
	return text
}

BEGIN {
	format = "%-34s %-7s %-62s %12s  %-9s %s\n"
	printf "\n" format, "misbehaviour", "gate", "outcome", "instructions", \
		"variables", "what still works, before anything is brought back"
}

/^firmware: / {
	name = substr($0, 11)
	gate = sub(/, sandbox$/, "", name) ? "sandbox" : "direct"
	split("", found)
	report = ""
	next
}

/^report=/ {
	report = substr($0, 8)
	next
}

NF > 0 {
	for (i = 1; i <= NF; i++) {
		at = index($i, "=")
		found[substr($i, 1, at - 1)] = substr($i, at + 1)
	}
	next
}

name != "" {
	recovery = value("recovery_ns", 0)
	printf format, name, gate, words(value("outcome", "?")), \
		(recovery > 0 ? recovery : "-"), value("variables", "-"), \
		value("works", "-")
	if (report != "") {
		print "    " report
	}
	name = ""
}
