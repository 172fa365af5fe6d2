# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# What a boot of the small root measures: wake-ups under each load, by our meter
# or by cyclictest. Reads path, mode, meter, seed, wakeups and calls.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=bench/paths.sh
. /bench/paths.sh

# by_ours PHASE FILE [OPTION…]
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

# Of a second, since the start.
hundredths() {
	sed 's/^\([0-9]*\)\.\([0-9]*\) .*/\1\2/' /proc/uptime
}

# Every 100 us would always be as far from the kernel's tick.
cyclictest_us=97

# Whether cyclictest's thread is SCHED_FIFO, which it becomes when it begins to measure.
is_measuring() {
	cut -d ' ' -f 41 "/proc/$cyclictest_pid/task/"*/stat | grep -q '^1$'
}

# by_cyclictest PHASE FILE [OPTION…]: while the load runs, but for an idle one.
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
	# Rounded up: a load that is over within a hundredth has been measured, too.
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

# measure_for WAKEUPS PHASE FILE [OPTION…]: both take one about every 100 us.
measure_for() {
	local amount
	amount=$1
	shift
	case $meter in
	ours) measure "$@" -n "$amount" ;;
	cyclictest) measure "$@" -t $((amount / 10)) ;;
	esac
}

# What is probed late, ten seconds after the start, is over then.
sleep "12.0$seed"
start_path "$path" || exit 1

if [ "$meter" = mask ]; then
	variable=$efivars/MaskIrq:5000000-6c1a77d3-2f0b-4b86-9e54-cae512a0ad01
	meter=ours
	[ -e "$variable" ] || printf '\7\0\0\0x' >"$variable" || exit 1
	number=$((20 * wakeups))
	# What is late by milliseconds is so by as many figures: fewer will do.
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
# As many: what comes seldom has to be as likely.
measure_for "$taken" control /tmp/control
end_path "$path"
