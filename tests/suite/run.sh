# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Runs the listed checks, several side by side, and reports them in TAP.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# await_check [SECONDS]: waits for the check that was started. Ends it, and the processes
# that it started, after that time.
await_check() {
	local polls
	polls=0
	while kill -0 "$check_pid" 2>/dev/null; do
		sleep 0.1
		polls=$((polls + 1))
		if [ "$polls" -eq $((${1:-0} * 10)) ]; then
			kill "$check_pid" 2>/dev/null || :
			echo "the check took more than $1 seconds"
		fi
	done
	wait "$check_pid"
}

# set_machine WORD…: changes the options by a check's MACHINE.
set_machine() {
	local word
	for word; do
		case $word in
		cpus=*) cpus=${word#*=} ;;
		cpu=*) cpu=${word#*=} ;;
		el2=*) el2=${word#*=} ;;
		gic=*) gic=${word#*=} ;;
		memory=*) memory=${word#*=} ;;
		mte=*) qemu_args="$qemu_args -M $word" ;;
		icount=*) icount=${word#*=} ;;
		firmware=*) with_firmware "${word#*=}" ;;
		toolchain=*) toolchain=${word#*=} ;;
		image=*) test_image=${word#*=} ;;
		path=*) linux_path=${word#*=} ;;
		*) give_up "a check's machine cannot have $word" ;;
		esac
	done
}

# perform NAME GATE MACHINE FUNCTION [ARGUMENT…]: makes the check, in this shell.
perform() {
	case $2 in
	direct) gate= ;;
	sandbox) gate=sandbox ;;
	esac
	# shellcheck disable=SC2086 # words
	set_machine $3
	shift 3
	"$@"
}

# run_check NUMBER [SECONDS]: makes the check in a shell and a directory of its own,
# and ends it after that time. Leaves its output and its exit code.
run_check() {
	local code=0
	(
		trap 'finish; exit 143' TERM
		trap finish EXIT
		out=$checks/$1
		prepare_out
		side_by_side=1
		with_fields "$(sed -n "$1p" "$checks/list")" perform
	) >"$checks/$1.output" 2>&1 &
	check_pid=$!
	await_check "${2:-}" >>"$checks/$1.output" || code=$?
	check_pid=
	echo "$code" >"$checks/$1.code.new"
	mv "$checks/$1.code.new" "$checks/$1.code"
}

# Runs the build steps, without a limit: a slow build is no failure.
run_builds() {
	local number
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

# demand_build NUMBER: gives up if a build step that is not counted has failed.
demand_build() {
	case $(cat "$checks/$1.code") in
	0 | 77) ;;
	*)
		tail -n 24 "$checks/$1.output" >&2
		give_up "a build step has failed that --only needs:" \
			"$(check_name "$1")"
		;;
	esac
}

# run_check_after_builds DIR JOB: runs a check; a worker's jobs count from 1.
run_check_after_builds() {
	run_check $((builds + $2)) "$check_limit"
}

check_name() {
	sed -n "$1p" "$checks/list" | cut -d '|' -f 1
}

# Prints the result of check $1, and counts it.
report_check() {
	local name output
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

# Reports the checks in the list's order, each once it has ended.
report_checks() {
	local number
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
