# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# In the guest: a caesurad that starts from the machine's RAM does so while that is of
# the same time as the variable store, and refuses when it is not. Again and again
# with one store, which firmware has to reclaim in between:
#   ./caesura linux --script tests/linux/stale-job.sh --append efi=noruntime --store FILE
set -u

tree=/run/efivars
state=/run/caesurad/state
guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e11
failures=0
mkdir -p $tree

# that WORDS COMMAND: evaluated.
that() {
	if (eval "$2") >/tmp/said 2>&1; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		sed 's/^/# /' /tmp/said
		failures=$((failures + 1))
	fi
}

start() {
	caesurad run --no-module --mount $tree 2>/tmp/log &
	daemon=$!
	polls=0
	until grep -q ready /tmp/log; do
		polls=$((polls + 1))
		if [ "$polls" -gt 200 ] || ! kill -0 $daemon 2>/dev/null; then
			cat /tmp/log
			return 1
		fi
		sleep 0.1
	done
}

crash() {
	kill -9 $daemon
	wait $daemon 2>/dev/null
}

# write NAME ATTRIBUTES TEXT
write() {
	file=$tree/$1-$guid
	[ ! -e "$file" ] || chattr -i "$file" || return
	printf "\\$2\\0\\0\\0%s" "$3" >"$file"
}

refuses() {
	timeout 60 caesurad "$@" --no-module >/tmp/refusal 2>&1
	[ $? -eq 2 ] && grep -q 'older than its variable store' /tmp/refusal
}

start
that "a machine just started is accepted" "grep -q 'made from' /tmp/log"
that "it is known that RAM is as new as the store" \
	"! grep -q 'cannot be checked' /tmp/log"
write CaesuraVolatile 6 "$(date +%s)"
crash
rm $state
start
that "and without its state while nothing has been written" \
	"grep -q 'made from' /tmp/log"
kibibyte=$(head -c 1000 /dev/zero | tr '\0' x)
writes=0
while [ $writes -lt 60 ] && write CaesuraStale 7 "$kibibyte$writes"; do
	writes=$((writes + 1))
done
echo "# $writes KiB written"
crash
start
that "with its state a daemon goes on" "grep -q 'goes on' /tmp/log"
crash
rm $state
that "without it, it does not" "refuses run --mount $tree"
sed 's/^/# /' /tmp/refusal
that "check says the same" "refuses check"
that "no state is left by either" "! [ -e $state ] && ! [ -e $state.new ]"
[ "$failures" -eq 0 ]
