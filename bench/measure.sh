# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Measures wake-ups under each load in the small root, with our meter or with cyclictest.
# The job sets path, mode, meter, seed, wakeups and calls.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=bench/paths.sh
. /bench/paths.sh

# by_ours PHASE FILE [OPTION…]: measures a phase with our meter; sets taken, the number of
# wake-ups.
by_ours() {
	local phase file
	phase=$1
	file=$2
	shift 2
	meter -p "$phase" -f "$file" -m "$mode" -s "$seed" "$@" \
		>/tmp/cell || return
	cat /tmp/cell
	taken=$(sed -n 's/^cell .* samples=\([0-9]*\) .*/\1/p' /tmp/cell)
}

# Prints the time since the boot in hundredths of a second.
hundredths() {
	sed 's/^\([0-9]*\)\.\([0-9]*\) .*/\1\2/' /proc/uptime
}

# Not 100 us: then every wake-up would have the same distance from the kernel's tick.
cyclictest_us=97

# Whether cyclictest's thread is SCHED_FIFO, which it becomes when it begins to measure.
is_measuring() {
	cut -d ' ' -f 41 "/proc/$cyclictest_pid/task/"*/stat | grep -q '^1$'
}

# by_cyclictest PHASE FILE [OPTION…]: the same with cyclictest. It measures as long as the
# load runs, or for a moment if the phase is idle.
by_cyclictest() {
	local phase file started samples
	phase=$1
	file=$2
	shift 2
	cyclictest -q -m -N -p 90 -i "$cyclictest_us" -l 2000000 -D 600 >/tmp/cyclictest &
	cyclictest_pid=$!
	await is_measuring || return
	started=$(hundredths)
	if [ "$phase" = idle ]; then
		sleep 0.3
	else
		meter -o -p "$phase" -f "$file" "$@"
	fi || return
	# Rounded up, because a load may take less than a hundredth of a second.
	taken=$((($(hundredths) - started + 1) * 100))
	kill -INT "$cyclictest_pid"
	wait "$cyclictest_pid"
	samples=$(sed -n 's/^T:.* C: *\([0-9]*\) .*/\1/p' /tmp/cyclictest)
	if [ "${samples:-0}" -eq 0 ]; then
		echo "cyclictest: phase=$phase: no sample"
		return 1
	fi
	sed -n 's/^T:.* Max: *\([0-9]*\).*/\1/p' /tmp/cyclictest |
		sed "s/^/cyclictest phase=$phase max_ns=/"
}

measure() {
	"by_$meter" "$@" || exit 1
}

# measure_for WAKEUPS PHASE FILE [OPTION…]: measures so many wake-ups; with either
# instrument one takes about 100 us.
measure_for() {
	local amount
	amount=$1
	shift
	case $meter in
	ours) measure "$@" -n "$amount" ;;
	cyclictest) measure "$@" -t $((amount / 10)) ;;
	esac
}

# The kernel probes some devices only ten seconds after the boot. The fraction differs
# between boots.
sleep "12.0$seed"
start_path "$path" || exit 1

if [ "$meter" = mask ]; then
	variable=$efivars/MaskIrq:5000000-6c1a77d3-2f0b-4b86-9e54-cae512a0ad01
	meter=ours
	[ -e "$variable" ] || printf '\7\0\0\0x' >"$variable" || exit 1
	number=$((20 * wakeups))
	# On the kernel's own path wake-ups are late by milliseconds, which fewer of them
	# show as well.
	[ "$path" != kernel ] || number=$((5 * wakeups))
	measure_for "$number" mask "$variable" -b 0
	measure_for "$number" control /tmp/control
	end_path "$path"
	exit
fi

variable=$efivars/CaesuraBench-7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e11
measure_for "$wakeups" idle /dev/null -b 0
meter -o -p setvariable -f "$variable" -c 1 || exit 1
measure_for "$wakeups" getvariable "$variable"
if [ "$path" = kernel ]; then
	measure_for "$wakeups" gettime /dev/rtc0 -b 0
fi
measure_for 1000000 setvariable "$variable" -c "$calls"
# As many wake-ups as under SetVariable, so that rare events are as likely.
measure_for "$taken" control /tmp/control
end_path "$path"
