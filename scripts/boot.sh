# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# One boot, from its start to a verdict.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

stream=no # print what the kernel says while it runs
boot_why=
tail_pid=

# The kernel's own lines of the log on standard input.
from_kernel() {
	sed -u -n -e 's/\r$//' -e 's/^.*\x1b\[[0-9;=]*[A-Za-z]\(kernel: \)/\1/' \
		-e '/^kernel: /,$p'
}

# The code in the last `exit:` line of a log; nothing without one.
exit_line() {
	sed -n 's/^exit: \([0-9][0-9]*\)\r*$/\1/p' "$1" | tail -n 1
}

# The end of what a boot said, without the firmware's cursor movements.
last_lines() {
	sed -e 's/\x1b\[[0-9;=]*[A-Za-z]//g' -e 's/\r$//' -e 's/^/    /' \
		"$out/boots/$1.log" | tail -n "${2:-12}"
}

# The way into firmware is a good place to stop at first.
say_how_to_attach() {
	say "QEMU waits for:"
	say "gdb-multiarch '$1' -ex 'target remote 127.0.0.1:$gdb_port'" \
		"-ex 'break cz_gate_${gate:-direct}' -ex continue"
}

# boot NAME STORE IMAGE OPTIONS: leaves $out/boots/NAME.log; returns the kernel's
# exit code, and says in boot_why what went wrong.
boot() {
	local log status
	log=$out/boots/$1.log
	silent=no
	status=0
	start_qemu "$log" "$2" "$root/$3" "$4${gate:+ gate=$gate}"
	if [ "$gdb" = yes ]; then
		say_how_to_attach "$root/${3%.efi}.elf"
	fi
	if [ "$stream" = yes ]; then
		tail -n +1 -f -s 0.1 --pid="$qemu_pid" "$log" | from_kernel &
		tail_pid=$!
	fi
	watch "$log" || silent=yes
	wait "$qemu_pid" || status=$?
	qemu_pid=
	rm -f "$log.disk"
	if [ -n "$tail_pid" ]; then
		wait "$tail_pid" || :
		tail_pid=
	fi
	judge "$1" "$log"
}

# What a boot that has ended comes to.
judge() {
	exit_code=$(exit_line "$2")
	boot_why=
	if [ "$silent" = yes ] && gave_up_booting "$2" >/dev/null; then
		boot_why="firmware does not start the image: $(gave_up_booting "$2")"
	elif [ "$silent" = yes ] && stays_on "$2" >/dev/null; then
		boot_why=$(stays_on "$2")
	elif [ "$silent" = yes ]; then
		boot_why="printed nothing for $limit seconds, not counting $(
		)those in which it waited for a CPU"
	elif [ "$status" -ne 0 ]; then
		boot_why="QEMU ended with $status: $(tail -n 1 "$2.qemu")"
	elif [ -z "$exit_code" ]; then
		boot_why="ended without an exit line"
	else
		if [ "$exit_code" -ne 0 ]; then
			boot_why="exit code $exit_code"
		fi
		return "$exit_code"
	fi
	if [ "$status" -ne 0 ] && ! [ -s "$2" ]; then
		return 2
	fi
	return 1
}

# boot_row NAME IMAGE OPTIONS…: one after the other, on one copy of the
# variable store, until one fails. The logs are NAME-1, NAME-2, …
boot_row() {
	local row_store row_image row_code
	row=$1
	row_store=$out/boots/$1.vars
	row_image=$2
	shift 2
	if ! cp --sparse=always "$vars" "$row_store" ||
		! chmod u+w "$row_store"; then
		give_up "no room for a copy of the variable store"
	fi
	row_length=0
	row_code=0
	while [ "$#" -gt 0 ] && [ "$row_code" -eq 0 ]; do
		row_length=$((row_length + 1))
		boot "$row-$row_length" "$row_store" "$row_image" "$1" ||
			row_code=$?
		shift
	done
	rm -f "$row_store"
	return "$row_code"
}
