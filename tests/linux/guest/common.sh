# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# What the tests share in the guest: a daemon with a log, and its variables. The job sets
# path (bench/paths.sh), and then sources a test.

# shellcheck disable=SC2154 # the job sets path
# shellcheck source=bench/paths.sh
. /bench/paths.sh

log=/tmp/caesurad.log

# start [OPTION…]: starts caesurad with those options; sets caesurad_pid and efivars.
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

# write NAME TEXT: writes a variable of the vendor $guid.
write() {
	local file
	file=$efivars/$1-$guid
	[ ! -e "$file" ] || chattr -i "$file" || return
	printf '\7\0\0\0%s' "$2" >"$file"
}

# reads NAME TEXT: whether the variable holds the text. One read gets all of it, because
# efivarfs cannot seek.
reads() {
	dd if="$efivars/$1-$guid" bs=64k status=none | tail -c +5 >/tmp/value
	printf %s "$2" | cmp - /tmp/value
}

# Whether caesurad has ended. The link to its program is gone as soon as a process has ended,
# even if nobody has waited for it.
has_ended() {
	! readlink "/proc/$caesurad_pid/exe" >/dev/null
}
