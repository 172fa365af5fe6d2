# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# ./caesura sweep: interrupts a runtime service at points all over its length.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura
# shellcheck source=scripts/without.sh
. "$root/scripts/without.sh"

usage_sweep() {
	cat <<'END'
usage: ./caesura sweep --service NAME [OPTION…]

Interrupts the service after k instructions, for k over its whole length; has
other threads clobber every register and queue other services meanwhile; then
checks status, buffers and the variable store. Prints one line for each size of
value (docs/formats.md), or the reason why a service is not swept.

  --service NAME    SetVariable, GetVariable, GetTime, …
  --points N        how many points, spread evenly (200); a service of fewer
                    than 5,000 instructions is interrupted after each of them
  --value BYTES     size of the variable, 1 to 4096 (64, then 1024)
  --without NAME    take out one protection, and show that a test fails: fp (a
                    driver's registers), pin (to one CPU of two), lock, buffers
                    (copies of arguments), space (the address space), owner (of
                    firmware, for calls outside the queue) or wake (of waiting
                    callers); of the sandbox: permission (of memory), daif (the
                    virtual interrupt mask) or broker (of secure calls); of
                    recovery: recover (from faults), limit (of a call's time),
                    note (writes to devices), withdraw (services) or mend
                    (registers)

Exit code 1: something was wrong; or, in counted time, fewer than 95 of 100
points were inside firmware or in what the library does for firmware. With
--without, 1 means that the test failed, as it should, and 0 that it did not
notice.

  ./caesura sweep --service SetVariable --value 64
  ./caesura sweep --without lock
END
	usage_common
}

# points_per_boot SERVICE BYTES: prints how many points one boot can have. The variable
# store fills up, and each write takes longer than the one before.
points_per_boot() {
	case $1 in
	SetVariable)
		if [ "$2" -gt 64 ]; then
			echo 50
		else
			echo 200
		fi
		;;
	GetNextHighMonotonicCount) echo 50 ;;
	*) echo "$points" ;;
	esac
}

# list_sweep BYTES: lists the boots for a variable of that size; 0 for a service that has
# none.
list_sweep() {
	local most size_option first count
	most=$(points_per_boot "$service" "$1")
	size_option=
	if [ "$1" -gt 0 ]; then
		size_option="value=$1"
	fi
	first=0
	while [ "$first" -lt "$points" ]; do
		count=$((points - first))
		if [ "$count" -gt "$most" ]; then
			count=$most
		fi
		list_boot "sweep-$1-$first" "$image" "sweep service=$service$(
		) points=$points first=$first count=$count $size_option"
		first=$((first + count))
	done
}

# sum_sweep BYTES: adds up the "sweep" lines of the boots for that size, prints the sum and
# judges it.
sum_sweep() {
	cat "$out/boots/sweep-$1"-*.log | tr -d '\r' | awk -v icount="$icount" \
		-v asked="$points" '
	/^ok [0-9]* - sweep: preempted inside firmware # SKIP / {
		why = $0
		sub(/.* # SKIP /, "", why)
	}
	/^sweep / {
		for (i = 2; i <= NF; i++) {
			split($i, pair, "=")
			value[pair[1]] = pair[2]
		}
		points += value["points"]
		preempted += value["preempted"]
		handled += value["handled"]
		wrong += value["wrong"]
		parts++
		every += value["every"] == "yes"
	}
	END {
		if (parts == 0 || points == 0) {
			print "no point was swept"
			exit 1
		}
		all = every == parts
		printf "sweep service=%s value_bytes=%s points=%d " \
			"preempted=%d handled=%d wrong=%d every=%s\n", \
			value["service"], value["value_bytes"], points, \
			preempted, handled, wrong, all ? "yes" : "no"
		least = all ? points : points * 0.95
		few = icount == "yes" && preempted + handled < least
		if (few) {
			print "fewer than 95 of 100 points were inside " \
				"firmware" (why == "" ? "" : ": " why)
		}
		if (!all && points != asked) {
			print "points asked for: " asked
			exit 1
		}
		exit wrong > 0 || few
	}'
}

# sweep_skipped BYTES: whether the kernel skipped the service; then prints its line.
sweep_skipped() {
	tr -d '\r' <"$out/boots/sweep-$1-0.log" |
		grep '^ok [0-9]* - sweep [A-Z].* # SKIP '
}

# skipped_in NAME: prints why the kernel skipped the service in that boot.
skipped_in() {
	tr -d '\r' <"$out/boots/$1.log" |
		sed -n 's/^ok [0-9]* - sweep [A-Z].* # SKIP //p'
}

command_sweep() {
	local image values size code
	if [ -n "$without" ]; then
		command_without
		return
	fi
	if [ -z "$service" ]; then
		usage_sweep >&2
		exit 2
	fi
	need_to_boot
	image=$(image_file image)
	build "$image"
	case $service in
	SetVariable | GetVariable) values=${value:-64 1024} ;;
	*) values=${value:-0} ;;
	esac
	for size in $values; do
		list_sweep "$size"
	done
	code=0
	boot_all || code=$?
	for size in $values; do
		if [ "$code" -eq 0 ] && ! sweep_skipped "$size"; then
			sum_sweep "$size" || code=1
		fi
	done
	return "$code"
}
