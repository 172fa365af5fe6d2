# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Checks of caesurad on one of Debian's kernels.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# Prepares a check that boots Debian's kernels.
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

# linux --script prints what the script prints, and ends with its exit code.
script_ends() {
	local code
	for_debian
	linux_kernel=$tested_linux
	script=$out/script
	printf '%s\n' "uname -s" "exit 7" >"$script"
	code=0
	command_linux >"$out/said" || code=$?
	grep -q '^Linux' "$out/said" && [ "$code" -eq 7 ] && return
	echo "the exit code is $code, not 7, or the script has not printed Linux"
	return 1
}

# The kernel's own path is measured, because its figures have no bound. One call is enough
# for a row, since load and meter start together.
linux_rows() {
	local phase
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
			echo "the results have no row of $phase"
			return 1
		fi
	done
	[ "$(grep -c '^ok [1-3] - .* # SKIP no bound$' "$out/said")" -eq 3 ]
}

# on_linux NAME: runs a test of tests/linux/host. These files are read here, in the check's
# own shell, because the suite needs none of their functions.
on_linux() {
	local linux_code
	for_debian
	# shellcheck source=tests/linux/host/run.sh
	. "$root/tests/linux/host/run.sh"
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

devices() {
	for_debian
	make_target devices
}
