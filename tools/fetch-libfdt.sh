#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch-libfdt.sh DIR: Debian's libfdt for arm64, as DIR/libfdt.a and
# DIR/include: the one that is installed, or else from where this machine's apt
# has its packages from. The machine's own package lists, and its idea of which
# architecture it is, stay as they are; no need to be root. Once for each DIR,
# however many ask at the same time.
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
		echo "fetch-libfdt: no libfdt-dev for arm64 from this" \
			"machine's package sources. Without a network:" \
			"install libfdt-dev:arm64, or put libfdt.a for arm64" \
			"into $dir and fdt.h and libfdt.h into" \
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
# Last: make takes it for the sign that all is there.
cp "$tree/usr/lib/aarch64-linux-gnu/libfdt.a" "$work/libfdt.a"
mv "$work/libfdt.a" "$dir/libfdt.a"
