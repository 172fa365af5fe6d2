# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# A busy real-time thread, the hog, takes the worker's CPU in the middle of a write. The job
# sets long: with yes the hog keeps that CPU for longer than systemd's watchdog waits.
#
# Firmware runs with a real-time priority, because kernels from 6.12 on give an ordinary
# thread a twentieth of the CPU beside the hog. The script sleeps by `starve pause`, because
# on a real-time kernel the hog also delays the timers of ordinary threads.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh

guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e13
efivars=/run/efivars
file=$efivars/Hogged-$guid
other=$efivars/Other-$guid

# await_urgent COMMAND…: waits until the command succeeds, for a minute at most.
await_urgent() {
	local polls
	polls=0
	until "$@"; do
		polls=$((polls + 1))
		[ "$polls" -lt 600 ] || return 1
		starve pause 100
	done
}

# start_watched [OPTION…]: starts caesurad under a watchdog, as systemd does.
start_watched() {
	: >"$log"
	starve watch 90 caesurad run --fifo 5 --mount "$efivars" "$@" \
		>/tmp/watch 2>>"$log" &
	watch_pid=$!
	await_urgent grep -q ready "$log" || return
	caesurad_pid=$(cat "/proc/$watch_pid/task/$watch_pid/children")
	caesurad_pid=${caesurad_pid% }
}

end_watched() {
	kill "$caesurad_pid"
	wait "$watch_pid"
}

# put FILE TEXT: writes a variable; sets ended to OK or to the error.
put() {
	ended=OK
	printf '\7\0\0\0%s' "$2" | dd of="$1" conv=notrunc status=none \
		2>/tmp/said-by-dd || ended=$(sed 's/^.*: //' /tmp/said-by-dd)
}

has() {
	printf '\7\0\0\0%s' "$2" >/tmp/wanted
	dd if="$1" bs=64k status=none | cmp - /tmp/wanted
}

# Writes until the hog takes the worker's CPU during a write. Sets written and ended.
write_beside_a_hog() {
	starve hog "$caesurad_pid" "$hog_s" >/tmp/hog &
	hog_pid=$!
	until grep -q worker /tmp/hog; do
		written=$((written + 1))
		put "$file" "round $written"
		if ! kill -0 "$hog_pid"; then
			sed 's/^/# /' /tmp/hog
			return
		fi
	done
	sed 's/^/# /' /tmp/hog
}

end_hog() {
	kill "$hog_pid" 2>/dev/null
	wait "$hog_pid"
}

goes_on_elsewhere() {
	put "$file" first
	chattr -i "$file"
	write_beside_a_hog
	check "the write ends while a hog keeps the worker's CPU" \
		"echo '$ended'; [ '$ended' = OK ] && kill -0 $hog_pid"
	check "the value has been written" "has $file 'round $written'"
	end_hog
}

# Repeats that until the hog really holds up a call.
write_behind_a_hog() {
	local tries
	tries=0
	ended=OK
	while [ "$ended" = OK ] && [ "$tries" -lt 20 ]; do
		[ "$tries" -eq 0 ] || end_hog
		write_beside_a_hog
		tries=$((tries + 1))
	done
}

signs() {
	grep -c 'sign of life' /tmp/watch
}

# Waits for seven signs of life, which take 90 seconds or more.
lives_on() {
	local wanted
	wanted=$(($(signs) + 7))
	until [ "$(signs)" -ge "$wanted" ]; do
		kill -0 "$caesurad_pid" || return
		starve pause 1000
	done
}

# The option --cpus leaves firmware no other CPU.
has_no_other() {
	put "$file" first
	put "$other" old
	chattr -i "$file" "$other"
	write_behind_a_hog
	check "with no other CPU, a write behind a hog ends with EINPROGRESS" \
		"echo '$ended'; [ '$ended' = 'Operation now in progress' ]"
	check "the log names the variable" \
		"grep 'the write of Hogged-$guid is late' $log"
	check "status counts the late write" "caesurad status | grep ' 1 not ended yet'"
	put "$other" new
	check "a write that has not begun ends with ETIMEDOUT" \
		"echo '$ended'; [ '$ended' = 'Connection timed out' ]"
	if [ "$long" = yes ]; then
		check "the watchdog of 90 seconds gets signs of life all the time" \
			lives_on
	fi
	end_hog
	check "after the hog has gone, the log says that the write was made" \
		"await_urgent grep 'write of Hogged-$guid has been made' $log"
	check "the value is there" "has $file 'round $written'"
	check "the other variable has not changed" "has $other old"
	check "status counts the late write as made" "caesurad status |
		grep 'late writes: 1 made, 0 not made, 0 not ended yet'"
}

# Longer than a request may take; with --long, longer than the watchdog waits.
hog_s=75
[ "$long" = no ] || hog_s=240
written=0
mkdir -p "$efivars"
echo -1 >/proc/sys/kernel/sched_rt_runtime_us
start_watched || exit 1
goes_on_elsewhere
end_watched
# All other processes stay away from the hog's CPU.
taskset -p 1 $$ >/dev/null
start_watched --cpus 1 --deadline 2 || exit 1
has_no_other
check "it is the same process" "kill -0 $caesurad_pid"
end_watched
check "the watchdog has aborted nothing" "! grep aborted /tmp/watch"
[ "$failures" -eq 0 ]
