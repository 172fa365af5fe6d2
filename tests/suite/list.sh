# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The list of checks, in the order in which they are reported. It is $checks/list: a
# line for each check, with the fields NAME|GATE|MACHINE|FUNCTION|ARGUMENT…

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
# for $listed_gate has it. GATES is
#
#   both    one check in each gate
#   direct  one check, in the direct gate
#   once    one check, because the gates do not differ in it
#   main    the same; with --long, one check in each gate
#   long    with --long, one check in each gate, because it repeats another check
check_for() {
	local gates="$1" name="$2"
	shift 2
	case $gates:$long in
	main:no)
		[ "$listed_gate" = "${gate:-direct}" ] || return 0
		gates=both
		;;
	long:no) return ;;
	main:yes | long:yes) gates=both ;;
	esac
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

# Prints the compilers of the unit tests. Only --long uses gcc, which doubles their time.
host_compilers() {
	if [ "$long" = yes ]; then
		echo "clang gcc"
	else
		echo clang
	fi
}

# These run before all others, one after the other.
list_builds() {
	build_step clang "image, clang" toolchain=clang \
		build build/clang/image.efi
	build_step gcc "image, gcc" toolchain=gcc build build/gcc/image.efi
	build_step gate "image with a program that looks into the gate" "" \
		build_image with-gate
	build_step ablations "images, gcc" toolchain=gcc build_images
	if [ "$long" = yes ]; then
		build_step ablations-clang "images, clang" toolchain=clang \
			build_images
	fi
	build_step secure "image, for secure boot, clang" toolchain=clang \
		build build/clang/secure/image.efi
	build_step secure-gcc "image, for secure boot, gcc" toolchain=gcc \
		build build/gcc/secure/image.efi
	build_step tools "tools" "" build tools
	build_step fuzzers "fuzzers" "" build fuzzers
	build_step host "programs of the host tests" "" \
		build tools-test-program unit-programs \
		"HOST_COMPILERS=$(host_compilers)"
	build_step linux "Debian's kernel and programs, caesurad" "" \
		build_for_linux
	build_step control "the control of wake-ups" "" find_bound
}

list_tree() {
	check "arrows between the parts" "" "" tree arrows
	check "every file of the library is in one list" "" "" tree sources
	check "public headers stand alone, C11 and C++17" "" "" tree headers
	check "formatting" "" "" tree format
	check "files, functions and lines stay small" "" "" tree sizes
	check "licence lines" "" "" tree spdx
	check "no registry's name" "" "" tree names
	check "examples in the documents compile" "" "" tree readme
	check "paths in the documents exist" "" "" tree paths
	check "./caesura: exit codes and failing boots" "" "" tree command
	check "every pair of machines' properties comes up" "" "" tree matrix
}

list_host() {
	local target
	check "host tools" "" "" make_target tools-test
	check "library on the host, under sanitizers" "" "" \
		make_target unit "HOST_COMPILERS=$(host_compilers)"
	for target in memory_map attributes images tables acpi tree trap \
		flash state store_check efivars_name; do
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

# Boots of machines, gates, maps and compilers: enough for every pair of these, or with
# --long all combinations.
list_machines() {
	local number entry version model tables_from in_gate map compiler
	awk -v all="$long" -f "$root/tests/matrix.awk" >"$checks/machines"
	while read -r number entry version model tables_from in_gate map \
		compiler; do
		[ "$in_gate" = "$listed_gate" ] || continue
		check_for both "selftest, $number CPU, $entry, GICv$version, $(
		)$model, $tables_from, map=$map, $compiler" \
			"toolchain=$compiler" on_machine "$number" "$entry" \
			"$version" "$model" "$tables_from" "$map"
	done <"$checks/machines"
}

list_sweeps() {
	local name
	check_for both "sweep SetVariable, 64 bytes" "" \
		sweeps SetVariable "$points" 64
	check_for long "sweep SetVariable, 1 KiB" "" \
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

# ablation GATES NAME TEST: without the mechanism NAME, TEST fails. gcc builds the images,
# because it links all of them in seconds, where clang takes minutes.
ablation() {
	check_for "$1" "without $2, a test fails: $3" toolchain=gcc \
		fails_without "$2" "$3"
	if [ "$long" = yes ]; then
		check_for "$1" "without $2, clang, a test fails: $3" \
			toolchain=clang fails_without "$2" "$3"
	fi
}

list_ablations() {
	local name
	ablation both fp "registers: firmware's registers are preserved"
	ablation main pin "affinity: a call ends on the CPU that it started on"
	ablation main lock "sweep: the written variables are right"
	# In the sandbox no call works at all without them.
	ablation direct buffers "sweep: status and results are right"
	for name in lock buffers; do
		[ "$long" = no ] || check_for direct "without $name, stress fails" \
			toolchain=gcc stress_fails_without "$name"
	done
	ablation both space "sweep: status and results are right"
	ablation both owner "now: a call returns busy while another is preempted"
	ablation main wake "stress: no thread misses its wake-up"
	ablation both recover "misbehave: the outcome is the expected one"
	ablation both limit "misbehave: the outcome is the expected one"
	ablation both note "misbehave: the outcome is the expected one"
	ablation main withdraw \
		"misbehave: after a dirty end, only writing is withdrawn"
	# In the sandbox firmware cannot change those registers.
	ablation direct mend "misbehave: the outcome is the expected one"
}

list_sandbox_ablations() {
	listed_gate=sandbox
	ablation both permission "escape: firmware has no access to a free page"
	ablation both daif "mask: masking in the sandbox delays no wake-up"
	ablation both broker "escape: CPU_ON and shared memory are refused"
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
	# This takes minutes, of one CPU: it begins first, so that nothing waits for it.
	check "the request's state machine, every state of it" "" "" \
		make_target model
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
