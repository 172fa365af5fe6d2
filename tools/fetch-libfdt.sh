#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch-libfdt.sh DIR: puts Debian's libfdt for arm64 into DIR/libfdt.a and DIR/include. It
# is copied if it is installed, or else fetched from this machine's package sources. The
# machine's own package lists and architectures do not change, and root is not needed.
# Several processes may call this for the same DIR at the same time; it is done once.
set -eu

tools=$(cd "$(dirname "$0")" && pwd)
dir=$1
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
exec 9>"$dir/lock"
flock 9
if [ -e "$dir/libfdt.a" ]; then
	exit 0
fi
work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

fetch() {
	if ! "$tools/private-apt.sh" "$work" || ! cd "$work" ||
		! APT_CONFIG=$work/apt.conf apt-get -q -q download \
			libfdt-dev:arm64 >&2; then
		echo "fetch-libfdt: libfdt-dev for arm64 cannot be fetched from" \
			"this machine's package sources. Without a network," \
			"install libfdt-dev:arm64, or put libfdt.a for arm64" \
			"into $dir, and fdt.h and libfdt.h into" \
			"$dir/include" >&2
		exit 1
	fi
	dpkg-deb -x ./*.deb "$work/tree"
}

tree=$work/tree
if [ -r /usr/lib/aarch64-linux-gnu/libfdt.a ] &&
	[ -r /usr/include/libfdt.h ]; then
	tree=
else
	fetch
fi
mkdir -p "$dir/include"
cp "$tree/usr/include/fdt.h" "$tree/usr/include/libfdt.h" "$dir/include"
cp "$tree/usr/share/doc/libfdt-dev/copyright" "$dir"
# This file comes last: make takes it as the sign that all files are complete.
cp "$tree/usr/lib/aarch64-linux-gnu/libfdt.a" "$work/libfdt.a"
mv "$work/libfdt.a" "$dir/libfdt.a"
