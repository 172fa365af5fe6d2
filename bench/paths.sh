# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The paths to EFI variables, and functions with which a job reports results.
# start_path NAME makes the variables files in the directory $efivars, and sets the
# environment for efibootmgr and efivar; end_path NAME undoes that.

# shellcheck disable=SC2154 # the job sets path
failures=0

# check NAME COMMAND: evaluates the command, and prints whether it succeeds.
check() {
	if (eval "$2") >/tmp/said 2>&1; then
		echo "ok - $path: $1"
	else
		echo "not ok - $path: $1"
		sed 's/^/# /' /tmp/said
		failures=$((failures + 1))
	fi
}

# await COMMAND…: waits until the command succeeds, for ten seconds at most.
await() {
	local polls
	polls=0
	until "$@"; do
		polls=$((polls + 1))
		[ "$polls" -lt 100 ] || return 1
		sleep 0.1
	done
}

start_path() {
	efivars=/sys/firmware/efi/efivars
	case $1 in
	kernel) mount -t efivarfs efivarfs "$efivars" ;;
	caesurad-fuse)
		efivars=/run/efivars
		export EFIVARFS_PATH=$efivars/
		mkdir -p "$efivars"
		caesurad run --mount "$efivars" &
		caesurad_pid=$!
		await grep -q " $efivars " /proc/mounts &&
			kill -0 "$caesurad_pid"
		;;
	caesurad-module)
		insmod /bench/caesura-efivars.ko || return
		caesurad run &
		caesurad_pid=$!
		await mount -t efivarfs efivarfs "$efivars" &&
			kill -0 "$caesurad_pid"
		;;
	*)
		echo "no path is called $1"
		return 2
		;;
	esac
}

end_path() {
	umount "$efivars" 2>/dev/null
	if [ "$1" != kernel ]; then
		# With FUSE, unmounting has ended the daemon already.
		kill "$caesurad_pid" 2>/dev/null
		wait "$caesurad_pid"
	fi
	return 0
}

# Prints the non-volatile variables, a line for each. Leaves out MTC, in which firmware
# counts boots, and the empty file that a refused write leaves.
list_variables() {
	local file attributes
	for file in "$efivars"/[!M]*; do
		attributes=$(od -An -tu1 -N1 "$file")
		if [ "$((${attributes:-0} & 1))" -eq 1 ]; then
			sha256sum "$file" | sed "s,^\([0-9a-f]*\) .*/,variable \1 ,"
		fi
	done
}
