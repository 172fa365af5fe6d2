# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Test cuts: the power is cut during a write, by SIGKILL for QEMU. QEMU turns each write
# to the flash into a write to a file at once, so that none is lost with QEMU itself.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# await_line LOG PATTERN: waits for a line of the log; fails if QEMU ends or prints nothing
# for too long.
await_line() {
	begin_silence
	until grep -a -q "$2" "$1"; do
		kill -0 "$qemu_pid" 2>/dev/null || return 1
		sleep 0.05
		! falls_silent "$1" 5 || return 1
	done
}

# cut_power NAME LINE WORDS PATTERN DELAY: boots a guest, waits for a line of its log, and
# cuts the power DELAY seconds later; fails if there was no such line.
cut_power() {
	local code=0
	prepare_guest "$1" "$3" cuts
	start_qemu "$out/boots/$1.log" "$store" \
		"$root/$(linux_image "$tested")" \
		"$(linux_line "${2:-$(path_line "$tested" caesurad)}")"
	await_line "$out/boots/$1.log" "$4" || code=1
	sleep "$5"
	kill -9 "$qemu_pid" 2>/dev/null || :
	wait "$qemu_pid" 2>/dev/null || :
	qemu_pid=
	rm -f "$initrd"
	initrd=
	lines_of "$1" >>"$out/boots/$cuts_of.lines"
	return "$code"
}

# random BOUND: sets random to the next pseudo-random number below BOUND.
random() {
	random_state=$(((random_state * 1103515245 + 12345) % 2147483648))
	random=$((random_state / 65536 % $1))
}

# cut_still NAME SEED: cuts the power at a known instruction of a write, at which the guest
# stops. The kinds of such points take turns.
cut_still() {
	local after
	stills=$((stills + 1))
	random 6
	after=$((random + 2))
	random 65536
	cut_power "$1" "" "path=caesurad-fuse seed=$2 after=$after point=$((stills % 4)),$random" \
		'^still ' 0
}

# cut_anywhere NAME SEED LINE PATH: cuts the power at any time of a write.
cut_anywhere() {
	local after
	random 20
	after=$random
	random 50
	cut_power "$1" "$3" "path=$4 seed=$2 after=100 point=-" \
		"^begin $((after + 1)) " "0.$(printf '%02d' "$random")"
}

# judge_cuts LINES: judges the lines of all boots, and prints the count.
judge_cuts() {
	awk -f "$root/tests/linux/host/cuts.awk" "$1"
}

# end_cuts LINE PATH: makes the last boot, which only lists the variables.
end_cuts() {
	guest "$cuts_of-end" "$store" "$1" "path=$2" list >/dev/null || :
	lines_of "$cuts_of-end" >>"$out/boots/$cuts_of.lines"
}

test_cuts() {
	local store cuts_of random_state number stills most boots_fail is_right
	store=$out/boots/cuts.vars
	cuts_of=cuts
	fresh_store "$store"
	random_state=6
	number=0
	stills=0
	most=3
	[ "$long" = no ] || most=50
	boots_fail=0
	while [ "$number" -lt "$most" ]; do
		number=$((number + 1))
		progress_of "$number" "$most" "power cut $number"
		if [ $((number % 2)) -eq 0 ] && [ "$long" = yes ]; then
			cut_anywhere "cuts-$number" "$number" "" caesurad-fuse
		else
			cut_still "cuts-$number" "$number"
		fi || boots_fail=$((boots_fail + 1))
	done
	guest_code=0
	end_cuts efi=runtime kernel
	is_right=false
	if judge_cuts "$out/boots/cuts.lines" >"$out/boots/cuts.said" &&
		[ "$boots_fail" -eq 0 ] && [ "$guest_code" -eq 0 ]; then
		is_right=true
	fi
	sed 's/^c/# c/' "$out/boots/cuts.said"
	say_whether "$most power cuts: the machine boots, and each variable that $(
	)was written is there, the interrupted one old or new" "$is_right"
	[ "$is_right" = true ] || echo "# boots that failed: $boots_fail"
	if [ "$long" = yes ]; then
		control_cuts
	fi
}

# Cuts the power on the kernel's own path, too: a figure for comparison.
control_cuts() {
	local store cuts_of number
	store=$out/boots/control.vars
	cuts_of=control
	fresh_store "$store"
	number=0
	while [ "$number" -lt 25 ]; do
		number=$((number + 1))
		progress_of "$number" 25 "power cut $number, the kernel's own path"
		cut_anywhere "control-$number" "$number" efi=runtime kernel &&
			continue
		fresh_store "$store"
		echo reset >>"$out/boots/control.lines"
	done
	end_cuts efi=runtime kernel
	judge_cuts "$out/boots/control.lines" >"$out/boots/control.said" || :
	echo "# for comparison, the kernel's own path, 25 cuts at any time:"
	sed -n 's/^cuts /# cuts /p' "$out/boots/control.said"
}
