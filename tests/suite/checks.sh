# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The tests, one line each: checks of the tree, host tests, and the kernel under
# real firmware in QEMU, two at a time. `./caesura test` reads this file and
# calls suite(); what boots and sweeps is the command's own. A check is a
# function that returns 0 when it passes, or calls skip; of what it prints,
# lines that begin with "# " are shown also when it passes.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura
checks=$out/checks
stress="stress threads=32 calls=20000"
tested_linux=6.12-rt

# ---- The list ----

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

# builds_for COMMAND: prints the words of the build steps that a check needs.
builds_for() {
	case $1 in
	find_bound) echo clang ;;
	"tree command" | *fails_without* | *test_image=*) echo images ;;
	*build*) ;;
	"tree "*) ;;
	"make_target fuzz-"*) echo fuzzers ;;
	"make_target "* | embed) echo host ;;
	script_ends | linux_rows | *"on_linux "*) echo clang tools linux ;;
	*"make_target devices") echo linux ;;
	*latency_holds*) echo clang tools ;;
	*"gate=sandbox; misbehaves "*) echo clang control ;;
	*toolchain=gcc*) echo gcc ;;
	*secure*) echo secure ;;
	*)
		echo "$toolchain"
		[ "$secure" = no ] || echo secure
		;;
	esac
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

# ---- Checks ----

skip() {
	echo "$*"
	exit 77
}

# bounded COMMAND…: within the check's limit. Other programs do not end with the
# shell that waits for them.
bounded() {
	bounded_code=0
	timeout -k 5 "$check_limit" "$@" || bounded_code=$?
	if [ "$bounded_code" -eq 124 ]; then
		echo "took more than $check_limit seconds: $*"
	fi
	return "$bounded_code"
}

tree() {
	bounded sh "tests/checks/$1.sh"
}

make_target() {
	bounded make -j2 -O "$@"
}

# Its figures, one a line, with the compiler's name before them.
embed() {
	make_target embed >"$out/embed.log" 2>&1 || {
		cat "$out/embed.log"
		return 1
	}
	awk '/^# embed, / { compiler = ", " $3; next }
		/^(text|stack):/ { print "# library" compiler ": " $0 }
		/^stack/ { compiler = "" }' "$out/embed.log"
}

# $test_image, or the usual one, on a fresh store; leaves boots/$1.log.
boot_image() {
	if ! boot "$1" "" "$(image_file "${test_image:-image}")" "$2"; then
		last_lines "$1"
		log_lines "$1" | grep '^not ok ' || :
		echo "$boot_why"
		return 1
	fi
}

log_lines() {
	from_kernel <"$out/boots/$1.log"
}

# For a check that boots Debian's kernels.
for_debian() {
	if is_uboot; then
		skip "Debian's kernels boot on EDK II's firmware only here"
	fi
	gate=
}

build_for_linux() {
	for_debian
	need_linux "kernel:$tested_linux"
	make_kexec
	if [ "$long" = yes ]; then
		make_service "$tested_linux"
	fi
}

# What it prints is shown, and its exit code taken.
script_ends() {
	for_debian
	linux_kernel=$tested_linux
	script=$out/script
	printf '%s\n' "uname -s" "exit 7" >"$script"
	code=0
	command_linux >"$out/said" || code=$?
	grep -q '^Linux' "$out/said" && [ "$code" -eq 7 ] && return
	echo "exit code $code, not 7; or it has not said Linux"
	return 1
}

# By the kernel's own path, whose figures have no bound. One call makes rows, too: load
# and meter start together.
linux_rows() {
	for_debian
	limit=240
	linux_kernel=$tested_linux
	linux_path=kernel
	linux_boots=1
	wakeups=200
	calls=1
	if ! command_linux >"$out/said"; then
		cat "$out/said"
		return 1
	fi
	for phase in idle control gettime getvariable setvariable mask; do
		if ! grep -q "\"phase\": \"$phase\"" "$out/results.json" ||
			! grep -q "^kernel .* $phase " "$out/table.txt"; then
			echo "no row of $phase"
			return 1
		fi
	done
	[ "$(grep -c '^ok [1-3] - .* # SKIP no bound$' "$out/said")" -eq 3 ]
}

# on_linux NAME: a test of tests/linux/host/boots.sh.
on_linux() {
	for_debian
	# shellcheck source=tests/linux/host/boots.sh
	. "$root/tests/linux/host/boots.sh"
	limit=240
	linux_kernel=$tested_linux
	linux_test=$1
	linux_code=0
	linux_tests >"$out/shown" || linux_code=1
	grep '^# ' "$out/shown" || :
	echo "# $(grep -c '^ok - ' "$out/shown") shown"
	grep -A 6 '^not ok' "$out/shown" || :
	return "$linux_code"
}

# with_firmware acpi|dt|secure|u-boot: firmware and where its tables come from.
with_firmware() {
	case $1 in
	acpi | dt) tables=$1 ;;
	secure)
		[ "$secure" = yes ] || vars=
		secure=yes
		;;
	u-boot)
		firmware=u-boot
		vars=
		;;
	esac
	find_firmware
}

# on_machine CPUS EL1|EL2 GIC MODEL FIRMWARE
on_machine() {
	cpus=$1
	gic=$3
	cpu=$4
	if [ "$2" = EL2 ]; then
		el2=yes
	fi
	with_firmware "$5"
	kernel_passes selftest || return
	log_lines boot >"$out/lines"
	grep -q "^kernel: Caesura .* entered at $2," "$out/lines" &&
		grep -q "GICv$gic," "$out/lines" &&
		grep -q "^kernel: CPUs online: $cpus of $cpus$" "$out/lines" &&
		return
	echo "the kernel has found another machine than it was given:"
	grep '^kernel: ' "$out/lines"
	return 1
}

# Exit code 0, tests that passed and none that failed; what the kernel skipped is
# shown.
kernel_passes() {
	boot_image boot "$1" || return
	if log_lines boot | grep '^not ok '; then
		return 1
	fi
	if ! log_lines boot | grep -q '^# Totals: pass:[1-9][0-9]* fail:0 '; then
		echo "no test has passed"
		last_lines boot
		return 1
	fi
	log_lines boot | sed -n 's/^ok [0-9]* - \(.*\) # SKIP /# skipped: \1: /p'
}

# That is known, and what would need to preempt it is skipped with the reason.
cannot_preempt() {
	kernel_passes 'selftest adversary slow=masked' || return
	log_lines boot | grep -q "# SKIP this firmware's SetVariable cannot be $(
	)preempted$" && return
	echo "nothing was skipped"
	return 1
}

persists() {
	if ! boot_row row "$(image_file image)" \
		"persist step=write $1" "persist step=read $1"; then
		echo "$row-$row_length: $boot_why"
		last_lines "$row-$row_length"
		return 1
	fi
}

# Written on one machine, read on another.
persists_across() {
	store=$out/boots/store.vars
	cp --sparse=always "$vars" "$store"
	chmod u+w "$store"
	image=$(image_file image)
	el2=yes gic=2
	if ! boot write "$store" "$image" "persist step=write"; then
		echo "write: $boot_why"
		last_lines write
		return 1
	fi
	el2=no gic=3
	if ! boot read "$store" "$image" "persist step=read"; then
		echo "read: $boot_why"
		last_lines read
		return 1
	fi
	rm -f "$store"
}

# The same firmware starts the signed one, in the machines above.
refuses_unsigned() {
	image=$(image_file image)
	with_firmware secure
	if boot unsigned "" "$image" selftest; then
		echo "an unsigned image has been started"
		return 1
	fi
	echo "# $boot_why"
	log_lines unsigned | grep "^kernel:" && return 1
	case $boot_why in
	"firmware does not start the image: "*) ;;
	*) return 1 ;;
	esac
}

# refuses OPTIONS WANTED: could not run, and says which word is wrong.
refuses() {
	code=0
	boot refused "" "$(image_file image)" "$1" || code=$?
	if [ "$code" -ne 2 ] || ! log_lines refused | grep -q "^error: $2"; then
		echo "$1: exit code $code, and no line like: error: $2"
		last_lines refused
		return 1
	fi
}

refuses_options() {
	refuses "latency speed=3" 'speed=3: no such option of latency' &&
		refuses "latency gettime" 'gettime: no such option' &&
		refuses "latency rate=0" 'rate=0: not a number in 1' &&
		refuses "latency rate=1k" 'rate=1k: not a number' &&
		refuses "latency mode" 'mode: takes a value' &&
		refuses "selftest map=maybe" 'map=maybe: not one of' &&
		refuses "selftest adversary=1" 'adversary=1: takes no value' &&
		refuses "sweep first=200" 'sweep: first is not below points' &&
		refuses "dance" 'no program is called dance'
}

# reports PROGRAM LIKE…: a panic is a failure to the boot; what it reports.
reports() {
	program=$1
	shift
	if boot panic "" "$(image_file image)" "$program"; then
		echo "a panic ended with exit code 0"
		return 1
	fi
	for wanted in "$@" \
		'called from [0-9a-f]* [a-z_0-9]*+0x[0-9a-f]*' '^exit: 1'; do
		if ! log_lines panic | grep -q "$wanted"; then
			echo "nothing in the report is like: $wanted"
			last_lines panic 40
			return 1
		fi
	done
	if log_lines panic | grep '?+0x'; then
		echo "the report names a place that it does not know"
		return 1
	fi
}

# panics NAME OPTIONS WANTED: on the store $store.
panics() {
	if boot "$1" "$store" "$(image_file image)" "$2"; then
		echo "a panic ended with exit code 0"
		return 1
	fi
	if ! log_lines "$1" | grep -q "$3"; then
		echo "nothing in the report is like: $3"
		last_lines "$1" 40
		return 1
	fi
}

# Written when firmware is free; and then it is there in the next boot.
panic_records() {
	store=
	panics busy "panic record" \
		'^kernel: panic record: busy, [GS][A-Za-z]* is in flight' ||
		return
	store=$out/boots/record.vars
	cp --sparse=always "$vars" "$store" && chmod u+w "$store" || return
	panics idle "panic record when=idle" \
		'^kernel: panic record: written' || return
	boot read "$store" "$(image_file image)" \
		"panic step=read" || return
	log_lines read | grep '^kernel: panic record: exception in the kernel'
}

panic_reports() {
	reports panic '^error: panic: ' ': pc [0-9a-f]* culprit_entry+0x' \
		': call in flight: [GS][A-Za-z]*'
}

# In the sandbox's space, at firmware's own code: a permission fault of EL1's own at
# the instruction that was to be executed.
execution_reports() {
	if boot panic "" "$(image_file image)" "panic when=execute"; then
		echo "a panic ended with exit code 0"
		return 1
	fi
	address=$(log_lines panic | sed -n 's/^kernel: executing at //p')
	if [ -z "$address" ] || ! log_lines panic | grep "^error: panic: $(
	)exception in the kernel: ESR 8600000[cdef] .*FAR 0*$address\$"; then
		last_lines panic 40
		return 1
	fi
}

overflow_reports() {
	reports overflow '^error: panic: kernel stack overflow: ' \
		': pc [0-9a-f]* descend+0x'
}

# Such a boot fails with the reason, and QEMU does not go on until the limit.
stays_on_reports() {
	if boot stay "" "$(image_file image)" stay; then
		echo "a machine without PSCI has been switched off"
		return 1
	fi
	case $boot_why in
	"the machine stays on: its tables ("*") name no PSCI") ;;
	*)
		echo "$boot_why"
		last_lines stay
		return 1
		;;
	esac
}

repeats() {
	options="latency phase=getvariable rate=10000 samples=1000"
	boot_image once "$options seed=7" || return
	boot_image again "$options seed=7" || return
	log_lines once >"$out/once"
	log_lines again >"$out/again"
	diff "$out/once" "$out/again"
}

# And one that does not holds them up.
timers_make_way() {
	boot_image soft soft || return
	log_lines soft | sed -n 's/^soft /# /p'
	if boot hard "" "$(image_file image)" "soft kind=hard"; then
		echo "a timer that does not make way passed, too"
		return 1
	fi
	log_lines hard | grep '^error: the timer held up a wake-up'
}

# Tick by tick, by the same bounds as demo's, which has the whole of it.
latency_holds() {
	for phase in control gettime getvariable setvariable; do
		boot_image "$phase" "latsweep phase=$phase$(
		) part=0/3 value=1024" || return
	done
	code=0
	build/tools/results sweeps "$out"/boots/*.log >"$out/bounds" || code=$?
	sed 's/^/# /' "$out/bounds"
	return "$code"
}

# What a wake-up may take beside firmware that misbehaves: 1.05 times the control's
# and a tick.
find_bound() {
	gate=sandbox
	boot_image control "latsweep phase=control part=0/3 value=1024" || return
	log_lines control | sed -n 's/^hist .* \([0-9]*\):[0-9]*$/\1/p' |
		awk '{ printf "%d\n", $1 * 1.05 + 16 }' >"$checks/bound"
	echo "# at most $(cat "$checks/bound") ns"
}

# What the shell saw of a boot, for the matrix.
keep_row() {
	{
		log_lines do | sed -n 's/^row //p'
		echo "variables=$1"
		log_lines do | sed -n 's/^error: \([A-Z].*\)/report=\1/p' | head -n 1
	} >"$out/row"
}

# The options of a row, for QEMU in real time: on a busy machine a write to a variable
# takes more than 20 ms, and a CPU that is well answers no interrupt for as long.
in_real_time() {
	echo "$1" | sed 's/kill_ms=20 /kill_ms=2000 / ; s/deadline_ms=100 /deadline_ms=1000 /'
}

# misbehaves OPTIONS DUE: and whether the variables are there in the next boot.
misbehaves() {
	case $1 in
	*" cpu=max"*) cpu=max ;;
	*" cpus=2"*) cpus=2 icount=no ;;
	esac
	case $2 in
	skip\ *) skip "${2#skip }" ;;
	# Counted time stands still for the others while one CPU loops.
	*/stuck) cpus=2 icount=no ;;
	esac
	misbehave="misbehave adversary $(echo "$1" |
		sed 's/ cpu=max// ; s/ cpus=2//') outcome=$2"
	if [ "$icount" = no ]; then
		misbehave=$(in_real_time "$misbehave")
	fi
	if [ "$gate" = sandbox ] && [ "$icount" = yes ]; then
		misbehave="$misbehave bound=$(cat "$checks/bound")"
	fi
	store=$out/boots/row.vars
	cp --sparse=always "$vars" "$store" && chmod u+w "$store" || return
	if [ "$2" = dies ]; then
		dies
		return
	fi
	if ! boot do "$store" "$(image_file image)" "$misbehave"; then
		log_lines do | grep -e '^not ok' -e '^# ' -e '^error: panic'
		echo "$boot_why"
		return 1
	fi
	kept=lost
	if boot read "$store" "$(image_file image)" "misbehave step=read"; then
		kept=kept
	fi
	rm -f "$store"
	keep_row "$kept"
	case $2 in
	*/dirty*) echo "# dirty: the variables are $kept" ;;
	*) [ "$kept" = kept ] || echo "a variable is lost after the next boot" ;;
	esac
	case $2:$kept in
	*/dirty*:* | *:kept) ;;
	*) false ;;
	esac
}

# The kernel does not come to an end of its own: or the row is wrong.
dies() {
	limit=10
	if boot do "$store" "$(image_file image)" "$misbehave"; then
		echo "the kernel survives it"
		return 1
	fi
	echo "# $boot_why"
	rm -f "$store"
	{
		echo "$misbehave" | sed 's/.*\(name=[^ ]*\).*/\1 outcome=dies/'
		echo "variables=- works=-"
		echo "report=$boot_why"
	} >"$out/row"
}

# By whoever starts the operating system, which has no part in it.
loaded_from_shell() {
	# In real time: the shell waits for five seconds.
	icount=no
	boot_disk=$out/shell.disk
	make_disk "$boot_disk" "$root/$(image_file image)" ""
	fat=$boot_disk@@1M
	mdel -i "$fat" ::/EFI/BOOT/BOOTAA64.EFI
	mcopy -i "$fat" "$root/$(image_file image)" ::/caesura.efi
	mcopy -i "$fat" "$root/build/clang/adversary.efi" ::/adversary.efi
	printf '%s\r\n' "fs0:" "load adversary.efi" "caesura.efi fault" |
		mcopy -i "$fat" - ::/startup.nsh
	kernel_passes fault || return
	log_lines boot | grep -q "^kernel: command line: fault$"
}

# sweeps SERVICE POINTS [VALUE]
sweeps() {
	service=$1
	points=$2
	value=${3:-}
	command_sweep >"$out/sweep" || {
		cat "$out/sweep"
		return 1
	}
	if grep -q '^ok .* # SKIP ' "$out/sweep"; then
		skip "$(sed -n 's/^ok .* # SKIP //p' "$out/sweep")"
	fi
	sed 's/^/# /' "$out/sweep"
}

# fails_without NAME TEST: that test is the one to fail; and the kernel goes on to
# say so. With the protection all pass.
fails_without() {
	without=$1
	service=
	code=0
	command_without >"$out/without" || code=$?
	cat "$out/without"
	[ "$code" -eq 1 ] &&
		grep -q "^not ok - without-$1 (exit code 1)" "$out/without" &&
		log_lines without | grep -q '^exit: 1$' &&
		log_lines without | grep -q "^not ok [0-9]* - $2\$" && return
	echo "the test that has to fail: $2"
	return 1
}

# What it does all day long shows that something is missing: on one CPU, where
# two boots are the same.
stress_fails_without() {
	test_image=without-$1
	if kernel_passes "$stress"; then
		echo "it passes without $1"
		return 1
	fi
	log_lines boot | grep '^not ok .* every answer is one that may be'
}

# A device tree's word at a place, big-endian.
tree_word() {
	od -An -v -tu1 -j "$2" -N 4 "$1" |
		awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }'
}

# Cuts off the room behind a device tree, a megabyte: with -dtb firmware has no
# place for twice as much.
shorten_tree() {
	size=$(($(tree_word "$1" 12) + $(tree_word "$1" 32)))
	truncate -s "$size" "$1"
	# shellcheck disable=SC2059 # it is made of digits
	printf "$(printf '\\0\\0\\%o\\%o' $((size / 256)) $((size % 256)))" |
		dd of="$1" bs=1 seek=4 conv=notrunc status=none
}

# The machine's device tree names three CPUs; there are two.
absent_cpu() {
	tables=dt
	tree=$out/three-cpus.dtb
	"$qemu" -M "$(machine),dumpdtb=$tree" -cpu "$cpu" -smp 3 -m 512 \
		-net none -display none >"$out/dumpdtb.log" 2>&1
	shorten_tree "$tree"
	cpus=2
	qemu_args="-dtb $tree"
	kernel_passes selftest || return
	for wanted in "^warning: CPU 2 (MPIDR 2) stays off: CPU_ON returned $(
	)INVALID_PARAMETERS$" "^kernel: CPUs online: 2 of 3$"; do
		if ! log_lines boot | grep "$wanted"; then
			echo "nothing is like: $wanted"
			return 1
		fi
	done
}

# ---- Running them ----

# await_check [SECONDS]: waits for the check that was started; ends it, and with it
# what it has started, when it takes longer.
await_check() {
	polls=0
	while kill -0 "$check_pid" 2>/dev/null; do
		sleep 0.1
		polls=$((polls + 1))
		if [ "$polls" -eq $((${1:-0} * 10)) ]; then
			kill "$check_pid" 2>/dev/null || :
			echo "took more than $1 seconds"
		fi
	done
	wait "$check_pid"
}

# run_check NUMBER [SECONDS]: in a directory of its own, with that limit if there is
# one; leaves its output and its exit code.
run_check() {
	line=$(sed -n "$1p" "$checks/list")
	(
		trap 'finish; exit 143' TERM
		trap finish EXIT
		out=$checks/$1
		prepare_out
		side_by_side=1
		eval "${line#*	}"
	) >"$checks/$1.output" 2>&1 &
	check_pid=$!
	code=0
	await_check "${2:-}" >>"$checks/$1.output" || code=$?
	check_pid=
	echo "$code" >"$checks/$1.code.new"
	mv "$checks/$1.code.new" "$checks/$1.code"
}

# Without a limit: how long it takes to build says nothing of what is built.
run_builds() {
	for number in $(seq "$builds"); do
		progress "$number of $count"
		run_check "$number"
		progress
		if [ "$number" -gt "$uncounted" ]; then
			report_check "$number"
		else
			demand_build "$number"
		fi
	done
}

# Ends the command when a build step has failed that is not counted.
demand_build() {
	case $(cat "$checks/$1.code") in
	0 | 77) ;;
	*)
		tail -n 24 "$checks/$1.output" >&2
		give_up "this has failed, and what --only asks for needs it:" \
			"$(check_name "$1")"
		;;
	esac
}

# For the workers, who count from 1.
run_check_after_builds() {
	run_check $((builds + $2)) "$check_limit"
}

check_name() {
	sed -n "$1p" "$checks/list" | cut -f 1
}

# Prints what came of check $1, and counts it.
report_check() {
	name="$(($1 - uncounted)) - $(check_name "$1")"
	output=$checks/$1.output
	case $(cat "$checks/$1.code") in
	0)
		passed=$((passed + 1))
		echo "ok $name"
		grep '^# ' "$output" || :
		;;
	77)
		skipped=$((skipped + 1))
		echo "ok $name # SKIP $(tail -n 1 "$output")"
		;;
	*)
		failed_checks=$((failed_checks + 1))
		echo "not ok $name"
		tail -n 24 "$output" | sed 's/^/#   /'
		echo "#   To run this check alone: ./caesura test --only $(
			quoted "$(check_name "$1")"
		)$options_again"
		;;
	esac
}

# In the list's order, as they end.
report_checks() {
	number=$((builds + 1))
	while [ "$number" -le "$count" ]; do
		if [ -e "$checks/$number.code" ]; then
			progress
			report_check "$number"
			number=$((number + 1))
		else
			progress "$number of $count"
			sleep 0.2
		fi
	done
	progress
}

# How much of everything. The limit of a check is by the clock, and generous: a busy
# machine takes many times as long as an idle one.
set_effort() {
	fuzz_runs=20000
	points=200
	escapes=100000
	check_limit=$((limit * 30))
	if [ "$long" = yes ]; then
		escapes=1000000
		fuzz_runs=10000000
		points=1000
		check_limit=$((limit * 240))
	fi
}

# Lists the checks to run: $count of them. The first $builds are build steps, and of
# those the first $uncounted are run only because other checks need them.
list_checks() {
	rm -rf "$checks"
	mkdir -p "$checks"
	set_effort
	list_builds
	builds=$(wc -l <"$checks/list")
	uncounted=0
	if [ "$adversary" = yes ]; then
		for listed_gate in ${gate:-direct sandbox}; do
			list_adversary '^+*name='
		done
		# Only what these need is built.
		only=${only:-firmware: *}
	else
		list_all
	fi
	if [ -n "$only" ]; then
		select_checks
	fi
	count=$(wc -l <"$checks/list")
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

# select_like PATTERN: keeps the lines of the list whose check has such a name.
select_like() {
	while IFS= read -r line; do
		# shellcheck disable=SC2254 # a pattern
		case ${line%%	*} in
		"$1" | $1) printf '%s\n' "$line" ;;
		esac
	done <"$checks/list" >"$checks/selected"
	[ -s "$checks/selected" ]
}

# Reduces the list to what --only asks for and the build steps that this needs.
select_checks() {
	select_like "$only" || select_like "*$only*" ||
		give_up "no check's name matches '$only';" \
			"./caesura test --list prints the names"
	needed=$(cut -f 2- "$checks/selected" | while IFS= read -r line; do
		builds_for "$line"
	done | tr '\n' ' ')
	head -n "$builds" "$checks/list" >"$checks/steps"
	: >"$checks/needed"
	while read -r word && IFS= read -r line <&3; do
		case " $needed " in
		*" $word "*)
			grep -qFx -e "$line" "$checks/selected" ||
				printf '%s\n' "$line" >>"$checks/needed"
			;;
		esac
	done <"$checks/builds" 3<"$checks/steps"
	uncounted=$(wc -l <"$checks/needed")
	builds=$((uncounted + $(grep -cFx -f "$checks/steps" "$checks/selected" || :)))
	cat "$checks/needed" "$checks/selected" >"$checks/list"
}

# What came of every row, in both gates.
print_matrix() {
	for number in $(seq "$builds" "$count"); do
		if [ -e "$checks/$number/row" ]; then
			sed -n "${number}p" "$checks/list" | cut -f 1
			cat "$checks/$number/row"
			echo
		fi
	done | awk -f "$root/tests/rows.awk"
}

suite() {
	passed=0
	failed_checks=0
	skipped=0
	started=$(date +%s)
	echo "1..$((count - uncounted))"
	run_builds
	if [ "$failed_checks" -eq 0 ]; then
		ready=yes
		start_workers $((count - builds)) run_check_after_builds
		report_checks
		await_workers || :
	fi
	if [ "$adversary" = yes ]; then
		print_matrix | tee "$out/matrix.txt"
	fi
	say "caesura: $((count - uncounted)) checks in $(($(date +%s) - started))" \
		"seconds"
	echo "$passed passed, $failed_checks failed, $skipped skipped"
	[ "$failed_checks" -eq 0 ]
}
