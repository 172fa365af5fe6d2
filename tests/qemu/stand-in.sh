#!/bin/sh
# SPDX-License-Identifier: MIT
# Stands in for QEMU in tests of ./caesura itself: it reads -serial file:LOG and -append
# WORDS, and writes to the log what the first word asks for.
set -eu

log=
words=
image=
while [ "$#" -gt 0 ]; do
	case $1 in
	-serial) log=${2#file:} ;;
	-append) words=$2 ;;
	-kernel) image=$2 ;;
	--version)
		echo "stand-in"
		exit 0
		;;
	esac
	shift
done

printf 'firmware\r\n\033[2J\033[01;01Hkernel: stand-in\r\n' >"$log"
case $words in
silent*) exec sleep 30 ;;
# Prints nothing for over two seconds in which it could run, on the CPU that is named. It has
# the lowest priority there.
starved=*)
	taskset -cp "${words#*=}" $$ >/dev/null
	renice -n 19 $$ >/dev/null
	read -r now _ </proc/uptime
	end=$((${now%.*} + 3))
	while [ "${now%.*}" -lt "$end" ]; do
		read -r now _ </proc/uptime
	done
	printf 'exit: 0\r\n' >>"$log"
	;;
# Acts as a machine that cannot be switched off, in a QEMU that ignores SIGTERM.
stays*)
	trap '' TERM
	printf 'exit: 0\r\nerror: the machine stays on: no PSCI\r\n' >>"$log"
	sleep 30
	echo "nobody has ended it" >>"$log"
	;;
noexit*) echo "the last thing it said" >>"$log" ;;
dies*)
	echo "it cannot start" >&2
	: >"$log"
	exit 3
	;;
# The test for --without owner: it passes only on the image with all protections.
now)
	case $image in
	*/image.efi) printf 'exit: 0\r\n' >>"$log" ;;
	*) exit 3 ;;
	esac
	;;
*) printf 'exit: %s\r\n' "${words#exit=}" >>"$log" ;;
esac
