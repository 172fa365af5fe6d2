# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# ./caesura run: boots the kernel with command lines that the user gives.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura


usage_run() {
	cat <<'END'
usage: ./caesura run "OPTIONS"… [OPTION…]

Boots the kernel with that command line (see docs/formats.md; try "selftest"
first) and prints what the kernel says. Several command lines are booted in
turn, until one fails, on one copy of the variable store, which keeps what they
write. The exit code is that of the last boot. For the list of programs, name
one that does not exist ("help"); for a program's options, give it one that does
not exist.

  ./caesura run selftest
  ./caesura run "registers adversary calls=3" --cpus 2
  ./caesura run "persist step=write" "persist step=read"
END
	usage_common
}

command_run() {
	local image code
	if [ "$#" -eq 0 ]; then
		usage_run >&2
		exit 2
	fi
	need_to_boot
	image=$(image_file image)
	build "$image"
	stream=yes
	code=0
	if [ "$#" -eq 1 ]; then
		boot run-1 "" "$image" "$1" || code=$?
	else
		boot_row run "$image" "$@" || code=$?
	fi
	cat "$out"/boots/run-*.log >"$out/serial.log"
	if [ -n "$boot_why" ]; then
		if [ -z "$exit_code" ]; then
			last_lines "${row:-run}-${row_length:-1}" >&2
		fi
		say "caesura: $boot_why; the serial log:" \
			"$(short "$out/serial.log")"
	fi
	return "$code"
}
