# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# caesurad goes on as long as its knowledge of firmware's RAM is as new as the variable
# store, with or without its state file. It refuses when somebody else has written to the
# chip.

# shellcheck disable=SC2154,SC2317 # common.sh sets them; check calls has_ended
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh
state=/run/caesurad/state
guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e11

# Starts the next daemon. The mount of the last one stays until this one has mounted its own.
start_again() {
	: >"$log"
	start --no-module
	await grep -q ready "$log"
}

crash() {
	kill -9 "$caesurad_pid"
	wait "$caesurad_pid" 2>/dev/null
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
check "a daemon without a state starts while nothing has been written" \
	"grep 'made from' $log"
kibibyte=$(head -c 1000 /dev/zero | tr '\0' x)
writes=0
while [ $writes -lt 60 ] && write CaesuraStale "$kibibyte$writes"; do
	writes=$((writes + 1))
done
check "60 values are written" "[ $writes -eq 60 ]"
crash
start_again
check "with its state a daemon goes on" "grep 'continues where' $log"
crash
rm $state
start_again
check "without its state a daemon makes another from firmware's RAM, which is as new" \
	"grep 'made from' $log && ! grep warning $log"
check "it reads what was written" "reads CaesuraStale $kibibyte$((writes - 1))"
check "a variable is written" "write CaesuraStale before"
cp $state /tmp/state
check "somebody else writes to the chip" "torture scribble"
check "a write then fails" "! write CaesuraStale after"
check "the daemon has ended, and says why" \
	"grep 'not committed: .*somebody else has written to it' $log &&
	await has_ended"
check "only an invalid journal has been written to its state" \
	"cmp -n 4100 $state /tmp/state"
check "started again, it refuses" "refuses run --mount $efivars"
check "it leaves the state as it was" "cmp -n 4100 $state /tmp/state"
rm $state
check "it refuses also without its state" "refuses run --mount $efivars"
check "check refuses, too" "refuses check"
check "neither leaves a state" "! [ -e $state ] && ! [ -e $state.new ]"
[ "$failures" -eq 0 ]
