# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Checks of figures and of sweeps, and that a test fails without a mechanism.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# Two boots print the same figures.
repeats() {
	local options
	options="latency phase=getvariable rate=10000 samples=1000"
	boot_image once "$options seed=7" || return
	boot_image again "$options seed=7" || return
	log_lines once >"$out/once"
	log_lines again >"$out/again"
	diff "$out/once" "$out/again"
}

# The library's timer does not delay a wake-up; a timer that is not soft does.
timers_make_way() {
	boot_image soft soft || return
	log_lines soft | sed -n 's/^soft /# /p'
	if boot hard "" "$(image_file image)" "soft kind=hard"; then
		echo "the test also passed with a timer that does not make way"
		return 1
	fi
	log_lines hard | grep '^error: the timer held up a wake-up'
}

# The bounds of demo hold, measured at a third of the ticks of each call.
latency_holds() {
	local phase code
	for phase in control gettime getvariable setvariable; do
		boot_image "$phase" "latsweep phase=$phase$(
		) part=0/3 value=1024" || return
	done
	code=0
	build/tools/results sweeps "$out"/boots/*.log >"$out/bounds" || code=$?
	sed 's/^/# /' "$out/bounds"
	return "$code"
}

# sweeps SERVICE POINTS [BYTES]: sweeps a service.
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

# fails_without NAME TEST: without the protection that test fails, and the kernel goes
# on to report it. With all protections every test passes.
fails_without() {
	local code
	without=$1
	service=
	code=0
	command_without >"$out/without" || code=$?
	cat "$out/without"
	[ "$code" -eq 1 ] &&
		grep -q "^not ok - without-$1 (exit code 1)" "$out/without" &&
		log_lines without | grep -q '^exit: 1$' &&
		log_lines without | grep -q "^not ok [0-9]* - $2\$" && return
	echo "this test must fail: $2"
	return 1
}

# stress_fails_without NAME: the ordinary stress test fails without the protection. It runs
# on one CPU, where two boots do the same.
stress_fails_without() {
	test_image=without-$1
	if kernel_passes "stress threads=32 calls=20000"; then
		echo "it passes without $1"
		return 1
	fi
	log_lines boot | grep '^not ok .* every answer is a possible one'
}
