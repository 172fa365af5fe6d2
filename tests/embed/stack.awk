# SPDX-License-Identifier: MIT
# Reads the call graphs that gcc writes (-fcallgraph-info=su) and prints how deep the stack
# gets below each function that is called from elsewhere, the deepest first. The host's
# functions count as nothing. Exit code 1 for recursion, a frame of unknown size, or a call
# through a pointer. One such call is allowed: emulation calls a static function of its file
# through a table. It counts as a call of every static function there that nothing else
# calls.

function field(line, name,	rest) {
	if (!match(line, name ": \"[^\"]*\"")) {
		return ""
	}
	rest = substr(line, RSTART + length(name) + 3, RLENGTH)
	sub(/".*/, "", rest)
	return rest
}

function is_emulation(name) {
	return name == "cz_trap_emulate" || name ~ /^src\/arm64\/trap\.c:/
}

# Returns how many bytes the function and those that it calls need; sets path[name].
function depth(name,	n, i, below, most, callees) {
	if (name in known) {
		return known[name]
	}
	if (name in active) {
		print "recursion: infinite stack through " name
		wrong = 1
		return 0
	}
	active[name] = 1
	n = split(edges[name], callees, " ")
	most = 0
	path[name] = name
	for (i = 1; i <= n; i++) {
		below = depth(callees[i])
		if (below > most) {
			most = below
			path[name] = name " > " path[callees[i]]
		}
	}
	delete active[name]
	known[name] = frame[name] + most
	return known[name]
}

/^node:/ {
	name = field($0, "title")
	label = field($0, "label")
	if (match(label, /[0-9]+ bytes \([a-z,]+\)/)) {
		split(substr(label, RSTART, RLENGTH), words, " ")
		frame[name] = words[1]
		if (words[3] ~ /dynamic/ && words[3] !~ /bounded/) {
			print "unknown frame: " name
			wrong = 1
		}
	}
}

/^edge:/ {
	from = field($0, "sourcename")
	to = field($0, "targetname")
	if (to == "__indirect_call" && is_emulation(from)) {
		through_table = from
		next
	}
	if (to == "__indirect_call") {
		print "call through a pointer: " from
		wrong = 1
	}
	edges[from] = edges[from] " " to
	called[to] = 1
}

END {
	for (name in frame) {
		if (name ~ /^src\/arm64\/trap\.c:/ && !(name in called)) {
			edges[through_table] = edges[through_table] " " name
			called[name] = 1
		}
	}
	for (name in frame) {
		bytes = depth(name)
		if (!(name in called)) {
			print bytes, path[name] | "sort -rn | head -n 5"
		}
		if (bytes > most_bytes) {
			most_bytes = bytes
			deepest = name
		}
	}
	close("sort -rn | head -n 5")
	printf "stack: %d bytes at most, below %s, without the host's\n",
		most_bytes, deepest
	exit wrong
}
