# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# What the guest's part of the tests shares: a daemon with a log. The job
# sets path (bench/paths.sh), and sources a test after that.

# shellcheck disable=SC2154 # the job sets path
# shellcheck source=bench/paths.sh
. /bench/paths.sh

log=/tmp/caesurad.log

# start [OPTION…]: of caesurad; sets caesurad_pid and efivars.
start() {
	case $path in
	kernel)
		start_path kernel
		return
		;;
	caesurad-fuse)
		efivars=/run/efivars
		mkdir -p "$efivars"
		set -- "$@" --mount "$efivars"
		;;
	*)
		efivars=/sys/firmware/efi/efivars
		insmod /bench/caesura-efivars.ko || return
		;;
	esac
	caesurad run "$@" 2>>"$log" &
	caesurad_pid=$!
	if [ "$path" = caesurad-fuse ]; then
		await grep -q " $efivars " /proc/mounts
	else
		await mount -t efivarfs efivarfs "$efivars"
	fi && kill -0 "$caesurad_pid"
}
