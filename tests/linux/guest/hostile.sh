# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Firmware misbehaves (adversary/) in one call for each row of /tests/hostile.rows. The call
# must end with the row's error, and caesurad must report it and go on.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh

hostile=6c1a77d3-2f0b-4b86-9e54-cae512a0ad01
guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e13
round=0

# Makes variables that must survive all misbehaviours.
keep() {
	local number
	for number in 1 2 3; do
		printf '\7\0\0\0kept %s' "$number" >"$efivars/Kept$number-$guid"
	done
}

are_kept() {
	local number
	for number in 1 2 3; do
		[ "$(tail -c +5 "$efivars/Kept$number-$guid")" = \
			"kept $number" ] || return
	done
}

# Whether the same daemon can write and read a variable.
goes_on() {
	local file
	kill -0 "$caesurad_pid" || return
	file=$efivars/Round-$guid
	[ ! -e "$file" ] || chattr -i "$file" || return
	printf '\7\0\0\0round %s' "$round" >"$file"
	[ "$(tail -c +5 "$file")" = "round $round" ]
}

# misbehaves NAME CALL ERROR REPORT: makes the call, checks it, and prints the outcome as
# a row.
misbehaves() {
	local error report
	round=$((round + 1))
	: >"$log"
	error=$(torture "$2" "$efivars/$1-$hostile")
	report=$(sed -n 's/^caesurad: //p' "$log" |
		grep -- "${4:-.}" | tail -n 1)
	echo "row $1|$2|$error|$report"
	check "$1: $2 ends with $3" "[ $error = $3 ]"
	if [ -n "$4" ]; then
		check "$1: caesurad reports: $4" "grep -q -- '$4' $log"
	fi
	check "$1: caesurad goes on" goes_on
	check "$1: the other variables have not changed" are_kept
}

# Starts the next daemon after one has ended.
start_again() {
	: >"$log"
	if [ "$path" = caesurad-fuse ]; then
		start --kill-limit 1
	else
		caesurad run --kill-limit 1 2>>"$log" &
		caesurad_pid=$!
	fi
	await grep -q ready "$log"
}

# told_to_end NAME ERROR: sends SIGTERM in the middle of a SetVariable. With FUSE the
# variable is set once before, so that the kernel has looked the file up.
told_to_end() {
	local writer in_flight code file error
	file=$efivars/$1-$hostile
	[ "$path" = caesurad-module ] || torture set "$file" >/dev/null
	torture set "$file" >/tmp/error &
	writer=$!
	sleep 0.1
	in_flight=false
	[ -s /tmp/error ] || in_flight=true
	kill "$caesurad_pid"
	code=0
	wait "$caesurad_pid" || code=$?
	wait "$writer"
	error=$(cat /tmp/error)
	check "$1: caesurad is told to end in the middle of a write" "$in_flight"
	check "$1: it answers $2, and ends with 0" \
		"echo '$error, $code' && [ '$error, $code' = '$2, 0' ]"
	start_again
	check "$1: the next daemon goes on" goes_on
	check "$1: the other variables have still not changed" are_kept
}

start --kill-limit 1 || exit 1
keep
while IFS='|' read -r name call error report; do
	case $name in
	'#'*) continue ;;
	'fuse '*)
		[ "$path" = caesurad-fuse ] || continue
		name=${name#fuse }
		;;
	esac
	misbehaves "$name" "$call" "$error" "$report" </dev/null
done </tests/hostile.rows
told_to_end Late:200000000 OK
told_to_end Hang EIO
list_variables

# Firmware keeps a pointer, and writes through it in the next call, which ends that call.
# Its RAM, with the pointer, is then put back, so that every later call ends as well, until
# the next boot.
: >"$log"
check "StaleWrite: set ends with OK" \
	"[ \$(torture set $efivars/StaleWrite-$hostile) = OK ]"
check "StaleWrite: each call after it ends with EIO" \
	"[ \$(torture set $efivars/Stuck-$guid) = EIO ] &&
	[ \$(torture set $efivars/Stuck-$guid) = EIO ]"
check "StaleWrite: the report names it" \
	"grep -q 'data abort, write at adversary+0x' $log"
check "StaleWrite: caesurad is the same process, and answers" \
	"kill -0 $caesurad_pid && caesurad status"
end_path "$path"
[ "$failures" -eq 0 ]
