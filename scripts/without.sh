# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# ./caesura sweep --without NAME: shows that a test fails when one protection is taken out
# of the library.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# unnoticed_without NAME: prints why the test of that protection shows nothing about
# $service; prints nothing if it does.
unnoticed_without() {
	case $1:$service in
	*: | lock:SetVariable | buffers:* | space:*) ;;
	lock:*)
		echo "only SetVariable can show it: the other services leave" \
			"nothing in firmware that a second call could damage"
		;;
	*) echo "its test is not a sweep: leave out --service" ;;
	esac
}

# misbehaviour NAME OUTCOME: prints the command line for a misbehaviour of the adversary.
misbehaviour() {
	echo "misbehave adversary name=$1 outcome=$2"
}

# test_without NAME: prints the command line of the test that must fail.
test_without() {
	case $1 in
	fp) echo "registers adversary" ;;
	pin) echo "affinity adversary" ;;
	lock) echo "sweep service=${service:-SetVariable} points=50 value=64" ;;
	owner) echo "now" ;;
	wake) echo "stress threads=16 calls=4000 sets=60" ;;
	buffers | space)
		echo "sweep service=${service:-GetVariable} points=50 value=1024"
		;;
	permission) echo "escape set=accesses gate=sandbox" ;;
	broker) echo "escape set=calls gate=sandbox" ;;
	daif) echo "mask adversary gate=sandbox" ;;
	recover) misbehaviour NullRead CZ_E_FAULT/data_abort,_read/exact ;;
	limit) misbehaviour "Hang kill_ms=20 deadline_ms=100" CZ_E_KILLED/exact ;;
	note | withdraw)
		misbehaviour FlashFault:0 CZ_E_FAULT/data_abort,_read/dirty
		;;
	mend) misbehaviour ReturnTpidr EFI_SUCCESS/mended:user_thread_register ;;
	*)
		give_up "--without takes fp, pin, lock, buffers, space, owner," \
			"wake, permission, daif, broker, recover, limit, note," \
			"withdraw or mend"
		;;
	esac
}

# Runs a test with all protections, then without one. The test must pass the first time:
# otherwise its failure would show nothing.
command_without() {
	local options why image whole code
	options=$(test_without "$without") || return
	why=$(unnoticed_without "$without")
	if [ -n "$why" ]; then
		give_up "--without $without: $why"
	fi
	if [ "$without" = pin ] && [ "$cpus" -eq 1 ]; then
		cpus=2
	fi
	need_to_boot
	image=$(image_file "without-$without")
	whole=$(image_file image)
	build "$whole" "$image"
	if ! boot whole "" "$whole" "$options"; then
		say "caesura: with everything in place: $boot_why"
		last_lines whole >&2
		return 2
	fi
	why=$(skipped_in whole | head -n 1)
	if [ -n "$service" ] && [ -n "$why" ]; then
		say "caesura: --without $without: $service is not swept: $why"
		return 2
	fi
	echo "ok - with everything in place: $options"
	code=0
	boot without "" "$image" "$options" || code=$?
	if [ "$code" -eq 0 ]; then
		echo "ok - without-$without: the test did not notice"
		return
	fi
	if [ "$boot_why" != "exit code 1" ]; then
		say "caesura: without $without: $boot_why"
		last_lines without >&2
		return 2
	fi
	tr -d '\r' <"$out/boots/without.log" |
		grep -E '^(not ok|error:|sweep |kernel: call in flight:)' |
		head -n 12 || :
	echo "not ok - without-$without ($boot_why)"
	return 1
}
