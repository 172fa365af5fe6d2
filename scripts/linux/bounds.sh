# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Makes tables, rows and bounds from the logs of the boots of Linux.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

system_name() {
	echo "Linux $(release_of "$1"), $2"
}

# of_system COMMAND KERNEL PATH: runs tools/results on the logs of one system.
of_system() {
	"$root/build/tools/results" "$1" --no-bounds \
		--system "$(system_name "$2" "$3")" \
		--firmware "$(firmware_name)" --cpus "$cpus" \
		"$out/boots/$2.$3".*.log
}

# Joins the JSON arrays of all systems to one, in results.json.
write_linux_rows() {
	local kernel path
	while read -r kernel path; do
		of_system json "$kernel" "$path" || return
	done <"$out/boots/systems" >"$out/boots/rows" || return
	awk '
	/^\[$/ || /^\]$/ { next }
	held != "" { print held ($0 ~ /^  \{$/ && held ~ /\}$/ ? "," : "") }
	BEGIN { print "[" }
	{ held = $0 }
	END { print held "\n]" }' "$out/boots/rows" >"$out/results.json"
}

# worst_of LOG PHASE: prints the latest wake-up, in ns, as either instrument printed it.
worst_of() {
	tr -d '\r' <"$1" | awk -v phase="$2" '
	/^cell / { inside = index($0, " phase=" phase " ") }
	/^hist / && inside {
		split($NF, pair, ":")
		worst = pair[1]
	}
	/^cyclictest / && index($0, " phase=" phase " ") {
		split($NF, pair, "=")
		worst = pair[2]
	}
	END { print worst }'
}

# worsts KERNEL PATH METER PHASE: prints the latest wake-up of each boot, sorted.
worsts() {
	local log
	for log in "$out/boots/$1.$2.$3".*.log; do
		worst_of "$log" "$4"
	done | sort -n | tr '\n' ' '
}

# judge_phase KERNEL PATH METER PHASE WORDS: prints a bound and whether it holds. The
# kernel's own path has no bound: its figures are printed for comparison.
judge_phase() {
	bound_number=$((bound_number + 1))
	awk -v say="$(system_name "$1" "$2"), $5" \
		-v control="$(worsts "$1" "$2" "$3" control)" \
		-v load="$(worsts "$1" "$2" "$3" "$4")" \
		-v phase="$4" -v path="$2" -v number="$bound_number" \
		-v boots="$linux_boots" '
	function median(list) {
		measured = measured && split(list, worst, " ") == boots
		return worst[int((boots + 1) / 2)]
	}
	function words(name, list) {
		return sprintf("%s %.1f us (at most %.1f)", name, \
			median(list) / 1000, worst[boots] / 1000)
	}
	BEGIN {
		measured = 1
		say = say ": worst wake-up, median of " boots " boots: " \
			words("under " phase, load) ", " \
			words("control", control)
		holds = measured && median(load) <= 1.1 * median(control)
		if (path == "kernel") {
			print "ok " number " - " say " # SKIP no bound"
			exit 0
		}
		print (holds ? "ok " : "not ok ") number " - " say \
			"; at most 1.1 times control"
		exit !holds
	}' || code=1
}

judge_systems() {
	local kernel path bound_number
	bound_number=0
	while read -r kernel path; do
		judge_phase "$kernel" "$path" ours setvariable "our meter"
		judge_phase "$kernel" "$path" cyclictest setvariable cyclictest
		judge_phase "$kernel" "$path" mask mask "masked for 5 ms"
	done <"$out/boots/systems"
}

print_systems() {
	local kernel path
	while read -r kernel path; do
		of_system table "$kernel" "$path" || return
	done <"$out/boots/systems"
}
