# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The list of checks, in the order in which they are reported.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura
stress="stress threads=32 calls=20000"
tested_linux=6.12-rt

# check NAME COMMAND: the command is evaluated in a shell of its own.
check() {
	printf '%s\t%s\n' "$1" "$2" >>"$checks/list"
}

# The same, of what is booted, in the gate that the list is being made for.
check_in_gate() {
	if [ "$listed_gate" = sandbox ]; then
		check "$1, sandbox" "gate=sandbox; $2"
	else
		check "$1" "gate=; $2"
	fi
}

# What there is in the direct gate only; what is the same in both.
check_direct() {
	if [ "$listed_gate" = direct ]; then
		check "$1" "gate=; $2"
	fi
}

check_once() {
	if [ "$listed_gate" = "${gate:-direct}" ]; then
		check "$@"
	fi
}

# build_step WORD NAME COMMAND: a check that others need; builds_for() says which.
build_step() {
	echo "$1" >>"$checks/builds"
	check "$2" "$3"
}

# These come first, one by one.
list_builds() {
	build_step clang "image, clang" "toolchain=clang build build/clang/image.efi"
	build_step gcc "image, gcc" "toolchain=gcc build build/gcc/image.efi"
	build_step images "images, clang" "toolchain=clang build images"
	build_step images-gcc "images, gcc" "toolchain=gcc build images"
	build_step secure "images, for secure boot" \
		"build build/clang/secure/image.efi"
	build_step tools "tools" "build tools"
	build_step fuzzers "fuzzers" "build fuzzers"
	build_step host "programs of the host tests" \
		"build tools-test-program unit-programs"
	build_step linux "Debian's kernel and programs, caesurad" build_for_linux
	build_step control "the control of wake-ups" find_bound
}

list_tree() {
	check "arrows between the parts" "tree arrows"
	check "public headers stand alone, C11 and C++17" "tree headers"
	check "formatting" "tree format"
	check "licence lines" "tree spdx"
	check "no registry's name" "tree names"
	check "examples in the documents compile" "tree readme"
	check "./caesura: exit codes and failing boots" "tree command"
	check "every pair of machines' properties comes up" "tree matrix"
}

list_host() {
	check "host tools" "make_target tools-test"
	check "library on the host, under sanitizers" "make_target unit"
	check "the request's state machine, every state of it" "make_target model"
	for target in memory_map attributes images tables acpi tree trap \
		flash state stale efivars_name; do
		check "fuzzing $target, $fuzz_runs runs" \
			"make_target fuzz-$target RUNS=$fuzz_runs"
	done
	check "embedding: symbols, text, stack" "embed"
}

# Of those that take three boots for a front end.
path_in_suite() {
	case $1:$long in
	hibernate:no | kexec:no) echo "linux_path=caesurad-fuse;" ;;
	esac
}

# What caesurad has to show on a stock kernel; --long has more of each, and those that
# take minutes (service) or go by real time (starve).
list_linux() {
	check "a script on $tested_linux ends as it says" "script_ends"
	check "a short measurement of $tested_linux makes its rows" "linux_rows"
	for name in $linux_tests_all; do
		case $name:$long in
		service:no | starve:no) continue ;;
		esac
		check "caesurad on $tested_linux: $name" \
			"$(path_in_suite "$name") on_linux $name"
	done
	check "caesurad's accesses to devices" "for_debian; make_target devices"
}

list_boots() {
	for compiler in clang gcc; do
		for map in identity set; do
			for model in cortex-a57 max; do
				check_in_gate "selftest, $compiler, map=$map, $model" \
					"toolchain=$compiler cpu=$model$(
					) kernel_passes 'selftest map=$map'"
			done
		done
	done
	check_in_gate "selftest, two CPUs, 2 GiB" \
		"cpus=2 qemu_args='-m 2048' kernel_passes selftest"
	check_in_gate "selftest, real time" "icount=no kernel_passes selftest"
	check_in_gate "selftest, two CPUs, a counter of 1 GHz" \
		"cpus=2 cpu=cortex-a57,cntfrq=1000000000 kernel_passes selftest"
	check_direct "selftest, a slow call that cannot be preempted" \
		"cannot_preempt"
	check_in_gate "registers in a misbehaving driver" \
		"kernel_passes 'registers adversary'"
	check_in_gate "registers, cpu max" \
		"cpu=max kernel_passes 'registers adversary'"
	check_in_gate "registers in a driver that is moved" \
		"kernel_passes 'registers adversary map=set calls=2'"
	check_in_gate "registers, gcc" \
		"toolchain=gcc kernel_passes 'registers adversary'"
	check_in_gate "firmware that has to stay on its CPU, of four" \
		"cpus=4 kernel_passes 'affinity adversary'"
	check_in_gate "firmware that masks interrupts" \
		"kernel_passes 'mask adversary'"
	check_in_gate "stress, 32 threads on four CPUs" \
		"cpus=4 kernel_passes '$stress'"
	check_in_gate "stress, 16 threads with two requests" "cpus=4 kernel_passes $(
	)'stress threads=16 calls=2000 sets=20 requests=2'"
	check_in_gate "stress until the store is full" "cpus=4 kernel_passes $(
	)'stress threads=16 calls=1500 sets=230 value=2048'"
	check_once "a CPU that does not start" "absent_cpu"
	check_in_gate "a long call ended" "kernel_passes 'abort adversary'"
	check_in_gate "what firmware leaves behind is mended" \
		"kernel_passes 'leave adversary'"
	check_in_gate "what firmware leaves behind is mended, cpu max" \
		"cpu=max qemu_args='-M mte=on' kernel_passes 'leave adversary'"
	check_in_gate "faults of firmware end the call" \
		"kernel_passes 'fault adversary'"
	check_in_gate "faults of firmware end the call, cpu max" \
		"cpu=max kernel_passes 'fault adversary'"
	check_direct "the gate keeps its caller's registers" \
		"test_image=with-gate kernel_passes 'gate adversary'"
	check_in_gate "interrupts at every instruction of the gate" \
		"test_image=with-gate kernel_passes interrupts"
	check_in_gate "PSTATE is the host's after a call" \
		"test_image=with-gate cpu=max qemu_args='-M mte=on'$(
		) kernel_passes state"
	check_direct "the caches that the sandbox shows" \
		"test_image=with-gate kernel_passes caches"
	check_once "adversary.efi loaded from the UEFI shell" "loaded_from_shell"
	check_in_gate "a variable outlives ResetSystem" "persists map=identity"
	check_in_gate "a variable outlives ResetSystem, map=set" "persists map=set"
	check_in_gate "a variable outlives a reset without ResetSystem" \
		"persists way=fallback"
	check_in_gate "a variable outlives a reset with interrupts off" \
		"persists way=now"
	check_in_gate "a variable from EL2 and GICv2 to EL1 and GICv3" "persists_across"
	check_once "secure boot: an unsigned image is refused" "refuses_unsigned"
	check_in_gate "secure boot: registers in a driver that is loaded" \
		"with_firmware secure; kernel_passes 'registers adversary'"
	check_in_gate "signed variables" "kernel_passes authvar"
	check_in_gate "secure boot: signed variables" \
		"with_firmware secure; kernel_passes authvar"
	check_once "words and values that no program takes" "refuses_options"
	check_in_gate "a panic's report" "panic_reports"
	check_in_gate "a panic's report, four CPUs" "cpus=4 panic_reports"
	check_in_gate "a panic's record" "panic_records"
	check_in_gate "calls outside the queue, misbehaving driver" \
		"kernel_passes 'now adversary'"
	check_in_gate "calls outside the queue, gcc, cpu max" \
		"toolchain=gcc cpu=max kernel_passes 'now adversary'"
	check_in_gate "calls outside the queue, GICv2" \
		"qemu_args='-M gic-version=2' kernel_passes now"
	check_in_gate "calls outside the queue, four processors" \
		"qemu_args='-smp 4' kernel_passes now"
	check_once "a stack overflow's report" "overflow_reports"
	check_once "a machine that cannot be switched off" "stays_on_reports"
	check_in_gate "the same boot twice, the same figures" "repeats"
	check_in_gate "the library's timer makes way for wake-ups" "timers_make_way"
	check_in_gate "the library's timer makes way, gcc, EL2" \
		"toolchain=gcc el2=yes timers_make_way"
	check_in_gate "wake-up latency: firmware adds nothing" "latency_holds"
}

# One boot for each machine, all of them or as many as it takes for every pair.
list_machines() {
	awk -v all="$long" -f "$root/tests/matrix.awk" >"$checks/machines"
	while read -r number entry version model tables_from; do
		check_in_gate "selftest, $number CPU, $entry, GICv$version, $model,$(
		) $tables_from" "on_machine $number $entry $version $model $(
		)$tables_from"
	done <"$checks/machines"
}

list_sweeps() {
	check_in_gate "sweep SetVariable, 64 bytes" "sweeps SetVariable $points 64"
	check_in_gate "sweep SetVariable, 1 KiB" "sweeps SetVariable $points 1024"
	check_in_gate "sweep SetVariable, gcc, cpu max" \
		"toolchain=gcc cpu=max sweeps SetVariable 50 64"
	check_in_gate "sweep SetVariable, two CPUs" "cpus=2 sweeps SetVariable 50 64"
	check_in_gate "sweep GetTime, a counter of 1 GHz" \
		"cpu=cortex-a57,cntfrq=1000000000 sweeps GetTime $points"
	check_in_gate "sweep GetVariable, 64 bytes" "sweeps GetVariable $points 64"
	check_in_gate "sweep GetVariable, 1 KiB" "sweeps GetVariable $points 1024"
	for service in GetNextVariableName GetNextHighMonotonicCount \
		QueryVariableInfo GetTime SetTime GetWakeupTime SetWakeupTime \
		ResetSystem UpdateCapsule QueryCapsuleCapabilities; do
		check_in_gate "sweep $service" "sweeps $service $points"
	done
}

list_sandbox_ablations() {
	listed_gate=sandbox
	ablation permission "escape: accesses to a free page"
	ablation daif "mask: has no effect on a wake-up"
	ablation broker "escape: CPU_ON and shared memory are refused"
}

# Firmware that tries to get out: 100,000 random instructions, or a million.
list_escapes() {
	listed_gate=sandbox
	for set in registers accesses calls system random; do
		check_in_gate "escape: $set" \
			"kernel_passes 'escape set=$set words=$escapes'"
	done
	check_in_gate "the kernel cannot execute firmware's code" \
		"execution_reports"
}

# ablation NAME TEST: without it, that test fails.
ablation() {
	check_in_gate "without $1, a test fails: $2" "fails_without $1 \"$2\""
}

# list_adversary PATTERN: the rows of its lines that match.
list_adversary() {
	while IFS='|' read -r row_options row_direct row_sandbox; do
		row_options=${row_options#+}
		row_due=$row_direct
		if [ "$listed_gate" = sandbox ]; then
			row_due=$row_sandbox
		fi
		check_in_gate "firmware: ${row_options#name=}" \
			"misbehaves \"$row_options\" \"$row_due\""
	done <<END
$(grep "$1" "$root/tests/adversary.rows")
END
}

list_ablations() {
	ablation fp "registers: firmware's registers stay"
	ablation pin "affinity: a call ends on the CPU that it started on"
	ablation lock "sweep: the variables written"
	# In the sandbox, without them, no call works at all.
	if [ "$listed_gate" = direct ]; then
		ablation buffers "sweep: status and results"
		for name in lock buffers; do
			check "without $name, stress fails" \
				"gate=; stress_fails_without $name"
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
	# In the sandbox firmware cannot change those.
	if [ "$listed_gate" = direct ]; then
		ablation mend "misbehave: the outcome is as it should be"
	fi
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
