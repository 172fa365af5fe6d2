# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# ./caesura test: lists the checks, runs them and counts the results.

# shellcheck disable=SC2154,SC2034,SC2031 # shared with ./caesura
# shellcheck source=scripts/sweep.sh
. "$root/scripts/sweep.sh"
# shellcheck source=scripts/linux.sh
. "$root/scripts/linux.sh"
# shellcheck source=tests/suite/list.sh
. "$root/tests/suite/list.sh"
# shellcheck source=tests/suite/select.sh
. "$root/tests/suite/select.sh"
# shellcheck source=tests/suite/run.sh
. "$root/tests/suite/run.sh"
# shellcheck source=tests/suite/kernel.sh
. "$root/tests/suite/kernel.sh"
# shellcheck source=tests/suite/panics.sh
. "$root/tests/suite/panics.sh"
# shellcheck source=tests/suite/figures.sh
. "$root/tests/suite/figures.sh"
# shellcheck source=tests/suite/adversary.sh
. "$root/tests/suite/adversary.sh"
# shellcheck source=tests/suite/on_linux.sh
. "$root/tests/suite/on_linux.sh"

usage_test() {
	cat <<'END'
usage: ./caesura test [--long | --adversary] [--only PATTERN] [--list] [OPTION…]

Runs the checks of the tree, the tests on this machine and the tests of the
kernel on the firmware given. Prints one line for each check, in TAP. For a
check that failed, also prints the end of its output, and the command that runs
it again; its whole output is in DIR/checks. The last line is: N passed, N
failed, N skipped. Exit code 1: a check failed.

  --only PATTERN    run the checks whose name matches the shell pattern; if no
                    whole name matches, those with a part that does. What they
                    need is built first and not counted. DIR is out/only
  --list            print the names of the checks and run none
  --long            more points, more fuzzing and every machine; takes hours
  --adversary       instead of all that, every misbehaviour of the adversary, in
                    a boot for each, in both gates; prints the outcome of each,
                    also to DIR/matrix.txt

  ./caesura test --only 'sweep GetTime'
  ./caesura test --list --only stress
END
	usage_common
}

command_test() {
	checks=$out/checks
	list_checks
	if [ "$list" = yes ]; then
		tail -n "+$((uncounted + 1))" "$checks/list" | cut -d '|' -f 1
		return
	fi
	# shellcheck disable=SC2086 # lists
	need_to_boot $packages_gcc $packages_tools $packages_test \
		$packages_uboot $packages_secure $packages_linux
	suite
}

# Sets how much the checks do. The limit of a check is by the clock, and generous,
# because a busy machine takes many times as long as an idle one.
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

# Lists the checks to run: $count checks. The first $builds of these are build steps. The
# first $uncounted of the build steps run only because other checks need them.
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

suite() {
	local passed failed_checks skipped started
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

# Prints the outcome of every misbehaviour, in both gates.
print_matrix() {
	local number
	for number in $(seq "$builds" "$count"); do
		if [ -e "$checks/$number/row" ]; then
			sed -n "${number}p" "$checks/list" | cut -d '|' -f 1
			cat "$checks/$number/row"
			echo
		fi
	done | awk -f "$root/tests/rows.awk"
}
