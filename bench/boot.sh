#!/bin/sh
# SPDX-License-Identifier: MIT
# boot.sh --script FILE [OPTION…]: runs the script in the small root on one of
# Debian's kernels; `./caesura linux --help` has the options. Beside those,
# --log FILE keeps the serial log.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
log=
left=$#
while [ "$left" -gt 0 ]; do
	left=$((left - 1))
	case $1 in
	--log)
		log=$2
		left=$((left - 1))
		shift
		;;
	--icount) ;; # as it is anyway
	*) set -- "$@" "$1" ;;
	esac
	shift
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
code=0
"$root/caesura" linux --out "$out" "$@" || code=$?
if [ -n "$log" ] && [ -e "$out/boots/script.log" ]; then
	cp "$out/boots/script.log" "$log"
fi
exit "$code"
