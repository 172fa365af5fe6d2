# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The list of checks, in the order in which they are reported: $checks/list, one
# a line, with the fields NAME|GATE|MACHINE|FUNCTION|ARGUMENT…

# shellcheck disable=SC2154 # shared with ./caesura
tested_linux=6.12-rt

# check NAME GATE MACHINE FUNCTION [ARGUMENT…]: lists a check, which calls the
# function. An empty GATE stands for the one that --gate names; set_machine()
# reads MACHINE.
check() {
	local IFS='|'
	printf '%s\n' "$*" >>"$checks/list"
}

# check_for GATES NAME MACHINE FUNCTION [ARGUMENT…]: lists a check where the list
# for $listed_gate has it. GATES: both, direct, or once, where the gates do not
# differ.
check_for() {
	local gates="$1" name="$2"
	shift 2
	case $gates:$listed_gate in
	both:sandbox) check "$name, sandbox" sandbox "$@" ;;
	both:direct | direct:direct) check "$name" direct "$@" ;;
	once:"${gate:-direct}") check "$name" "" "$@" ;;
	esac
}

# with_fields LINE FUNCTION: calls the function with the fields of a listed line.
with_fields() {
	local blanks="$IFS" function="$2"
	IFS='|'
	set -f
	# shellcheck disable=SC2086 # fields
	set -- $1
	set +f
	IFS=$blanks
	"$function" "$@"
}

# build_step WORD NAME MACHINE FUNCTION [ARGUMENT…]: lists a check whose result
# others need. builds_for() prints the words of those that a check needs.
build_step() {
	local name="$2"
	echo "$1" >>"$checks/builds"
	shift 2
	check "$name" "" "$@"
}

# These run before all others, one after the other.
list_builds() {
	build_step clang "image, clang" toolchain=clang \
		build build/clang/image.efi
	build_step gcc "image, gcc" toolchain=gcc build build/gcc/image.efi
	build_step images "images, clang" toolchain=clang build images
	build_step images-gcc "images, gcc" toolchain=gcc build images
	build_step secure "images, for secure boot" "" \
		build build/clang/secure/image.efi
	build_step tools "tools" "" build tools
	build_step fuzzers "fuzzers" "" build fuzzers
	build_step host "programs of the host tests" "" \
		build tools-test-program unit-programs
	build_step linux "Debian's kernel and programs, caesurad" "" \
		build_for_linux
	build_step control "the control of wake-ups" "" find_bound
}

list_tree() {
	check "arrows between the parts" "" "" tree arrows
	check "public headers stand alone, C11 and C++17" "" "" tree headers
	check "formatting" "" "" tree format
	check "licence lines" "" "" tree spdx
	check "no registry's name" "" "" tree names
	check "examples in the documents compile" "" "" tree readme
	check "./caesura: exit codes and failing boots" "" "" tree command
	check "every pair of machines' properties comes up" "" "" tree matrix
}

list_host() {
	local target
	check "host tools" "" "" make_target tools-test
	check "library on the host, under sanitizers" "" "" make_target unit
	check "the request's state machine, every state of it" "" "" \
		make_target model
	for target in memory_map attributes images tables acpi tree trap \
		flash state stale efivars_name; do
		check "fuzzing $target, $fuzz_runs runs" "" "" \
			make_target "fuzz-$target" "RUNS=$fuzz_runs"
	done
	check "embedding: symbols, text, stack" "" "" embed
}

# The paths on which test $1 runs without --long: tests that take three boots for
# each path run on one.
path_in_suite() {
	case $1:$long in
	hibernate:no | kexec:no) echo "path=caesurad-fuse" ;;
	esac
}

# Tests of caesurad on one of Debian's kernels. --long has more of each, and adds
# those that take minutes (service) or measure real time (starve).
list_linux() {
	local name
	check "a script on $tested_linux ends as it says" "" "" script_ends
	check "a short measurement of $tested_linux makes its rows" "" "" \
		linux_rows
	for name in $linux_tests_all; do
		case $name:$long in
		service:no | starve:no) continue ;;
		esac
		check "caesurad on $tested_linux: $name" "" \
			"$(path_in_suite "$name")" on_linux "$name"
	done
	check "caesurad's accesses to devices" "" "" devices
}

# The rows of tests/boots.rows.
list_boots() {
	local name gates machine line
	while IFS='|' read -r name gates machine line; do
		case $line in
		'! '*)
			# shellcheck disable=SC2086 # a function and its arguments
			check_for "$gates" "$name" "$machine" ${line#! }
			;;
		*)
			check_for "$gates" "$name" "$machine" kernel_passes \
				"$line"
			;;
		esac
	done <<END
$(sed -e '/^#/d' -e 's/ *| */|/g' "$root/tests/boots.rows")
END
}

# One boot of each machine: of as many as it takes for every pair of properties,
# or of all with --long.
list_machines() {
	local number entry version model tables_from
	awk -v all="$long" -f "$root/tests/matrix.awk" >"$checks/machines"
	while read -r number entry version model tables_from; do
		check_for both "selftest, $number CPU, $entry, GICv$version, $(
		)$model, $tables_from" "" on_machine "$number" "$entry" \
			"$version" "$model" "$tables_from"
	done <"$checks/machines"
}

list_sweeps() {
	local name
	check_for both "sweep SetVariable, 64 bytes" "" \
		sweeps SetVariable "$points" 64
	check_for both "sweep SetVariable, 1 KiB" "" \
		sweeps SetVariable "$points" 1024
	check_for both "sweep SetVariable, gcc, cpu max" \
		"toolchain=gcc cpu=max" sweeps SetVariable 50 64
	check_for both "sweep SetVariable, two CPUs" cpus=2 \
		sweeps SetVariable 50 64
	check_for both "sweep GetTime, a counter of 1 GHz" \
		cpu=cortex-a57,cntfrq=1000000000 sweeps GetTime "$points"
	check_for both "sweep GetVariable, 64 bytes" "" \
		sweeps GetVariable "$points" 64
	check_for both "sweep GetVariable, 1 KiB" "" \
		sweeps GetVariable "$points" 1024
	for name in GetNextVariableName GetNextHighMonotonicCount \
		QueryVariableInfo GetTime SetTime GetWakeupTime SetWakeupTime \
		ResetSystem UpdateCapsule QueryCapsuleCapabilities; do
		check_for both "sweep $name" "" sweeps "$name" "$points"
	done
}

# Firmware that tries to escape: 100,000 random instructions, or a million.
list_escapes() {
	local set
	listed_gate=sandbox
	for set in registers accesses calls system random; do
		check_for both "escape: $set" "" \
			kernel_passes "escape set=$set words=$escapes"
	done
	check_for both "the kernel cannot execute firmware's code" "" \
		execution_reports
}

# ablation NAME TEST: without the mechanism NAME, TEST fails.
ablation() {
	check_for both "without $1, a test fails: $2" "" fails_without "$1" "$2"
}

list_ablations() {
	local name
	ablation fp "registers: firmware's registers stay"
	ablation pin "affinity: a call ends on the CPU that it started on"
	ablation lock "sweep: the variables written"
	# In the sandbox no call works at all without them.
	if [ "$listed_gate" = direct ]; then
		ablation buffers "sweep: status and results"
		for name in lock buffers; do
			check "without $name, stress fails" direct "" \
				stress_fails_without "$name"
		done
	fi
	ablation space "sweep: status and results"
	ablation owner "now: on top of a preempted call"
	ablation wake "stress: nobody waits for what has come"
	ablation recover "misbehave: the outcome is as it should be"
	ablation limit "misbehave: the outcome is as it should be"
	ablation note "misbehave: the outcome is as it should be"
	ablation withdraw \
		"misbehave: dirty, writing is withheld, reading is not"
	# In the sandbox firmware cannot change those registers.
	if [ "$listed_gate" = direct ]; then
		ablation mend "misbehave: the outcome is as it should be"
	fi
}

list_sandbox_ablations() {
	listed_gate=sandbox
	ablation permission "escape: accesses to a free page"
	ablation daif "mask: has no effect on a wake-up"
	ablation broker "escape: CPU_ON and shared memory are refused"
}

# list_adversary PATTERN: the matching rows of tests/adversary.rows.
list_adversary() {
	local options direct sandbox due
	while IFS='|' read -r options direct sandbox; do
		options=${options#+}
		due=$direct
		if [ "$listed_gate" = sandbox ]; then
			due=$sandbox
		fi
		check_for both "firmware: ${options#name=}" "" \
			misbehaves "$options" "$due"
	done <<END
$(grep "$1" "$root/tests/adversary.rows")
END
}

list_all() {
	for listed_gate in ${gate:-direct sandbox}; do
		list_sweeps
		list_ablations
		list_boots
		list_adversary '^+name='
		list_machines
	done
	case $gate in
	direct) ;;
	*)
		list_sandbox_ablations
		list_escapes
		;;
	esac
	list_linux
	list_host
	list_tree
}
