# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# One boot: starts it, waits for its end and judges it.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

stream=no # yes: what the kernel prints is shown at once
boot_why= # why the last boot failed
tail_pid=

# Filters standard input: drops what firmware printed before the kernel.
from_kernel() {
	sed -u -n -e 's/\r$//' -e 's/^.*\x1b\[[0-9;=]*[A-Za-z]\(kernel: \)/\1/' \
		-e '/^kernel: /,$p'
}

# Prints the code in the last `exit:` line of log $1; nothing if it has none.
exit_line() {
	sed -n 's/^exit: \([0-9][0-9]*\)\r*$/\1/p' "$1" | tail -n 1
}

# last_lines NAME [COUNT]: prints the end of a boot's log, without the escape sequences
# with which firmware moves the cursor.
last_lines() {
	sed -e 's/\x1b\[[0-9;=]*[A-Za-z]//g' -e 's/\r$//' -e 's/^/    /' \
		"$out/boots/$1.log" | tail -n "${2:-12}"
}

# Prints the command that attaches gdb to image $1, with a first breakpoint at the gate
# into firmware.
say_how_to_attach() {
	say "QEMU waits for:"
	say "gdb-multiarch '$1' -ex 'target remote 127.0.0.1:$gdb_port'" \
		"-ex 'break cz_gate_${gate:-direct}' -ex continue"
}

# boot NAME STORE IMAGE OPTIONS: boots an image to its end; the serial log is
# $out/boots/NAME.log. Returns the kernel's exit code, and sets boot_why to what went
# wrong, exit_code to the code that the kernel printed, if any, and silent to yes if the
# boot hung.
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
	judge "$log"
}

# judge LOG: judges the boot that has ended, for boot().
judge() {
	exit_code=$(exit_line "$1")
	boot_why=
	if [ "$silent" = yes ] && gave_up_booting "$1" >/dev/null; then
		boot_why="firmware does not start the image: $(gave_up_booting "$1")"
	elif [ "$silent" = yes ] && stays_on "$1" >/dev/null; then
		boot_why=$(stays_on "$1")
	elif [ "$silent" = yes ]; then
		boot_why="printed nothing for $limit seconds, not counting $(
		)the time in which QEMU waited for a CPU"
	elif [ "$status" -ne 0 ]; then
		boot_why="QEMU ended with $status: $(tail -n 1 "$1.qemu")"
	elif [ -z "$exit_code" ]; then
		boot_why="ended without an exit line"
	else
		if [ "$exit_code" -ne 0 ]; then
			boot_why="exit code $exit_code"
		fi
		return "$exit_code"
	fi
	# QEMU could not even start.
	if [ "$status" -ne 0 ] && ! [ -s "$1" ]; then
		return 2
	fi
	return 1
}

# boot_row NAME IMAGE OPTIONS…: boots the image with each of the OPTIONS in turn, on one
# copy of the variable store, until a boot fails. The boots are NAME-1, NAME-2, …; row
# and row_length tell which was the last.
boot_row() {
	local row_store="$out/boots/$1.vars" row_image="$2" row_code
	row=$1
	shift 2
	if ! cp --sparse=always "$vars" "$row_store" ||
		! chmod u+w "$row_store"; then
		give_up "the variable store could not be copied to $(short "$out")"
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
