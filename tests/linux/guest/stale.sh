# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# A caesurad that starts from the machine's RAM does so while that is of the same
# time as the variable store, and refuses when it is not.

# shellcheck disable=SC2154 # common.sh sets them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh
state=/run/caesurad/state
guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e11

# What the last one left is mounted until this one has its own there.
start_again() {
	: >"$log"
	start --no-module
	await grep -q ready "$log"
}

crash() {
	kill -9 "$caesurad_pid"
	wait "$caesurad_pid" 2>/dev/null
}

write() {
	file=$efivars/CaesuraStale-$guid
	[ ! -e "$file" ] || chattr -i "$file" || return
	printf '\7\0\0\0%s' "$1" >"$file"
}

refuses() {
	timeout 60 caesurad "$@" --no-module >/tmp/refusal 2>&1
	[ $? -eq 2 ] && grep 'older than its variable store' /tmp/refusal
}

start_again
check "a machine just started is accepted" "grep 'made from' $log"
check "it is known that RAM is as new as the store" \
	"! grep 'cannot be checked' $log"
crash
rm $state
start_again
check "without its state, while nothing has been written" \
	"grep 'made from' $log"
kibibyte=$(head -c 1000 /dev/zero | tr '\0' x)
writes=0
while [ $writes -lt 60 ] && write "$kibibyte$writes"; do
	writes=$((writes + 1))
done
check "60 values are written" "[ $writes -eq 60 ]"
crash
start_again
check "with its state a daemon goes on" "grep 'goes on' $log"
crash
rm $state
check "without it, it does not" "refuses run --mount $efivars"
check "check says the same" "refuses check"
check "no state is left by either" "! [ -e $state ] && ! [ -e $state.new ]"
[ "$failures" -eq 0 ]
