#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0-only
# Cross-compiles the module for a Debian kernel, whose headers lie extracted, not
# installed, in a directory of their own.
#
# usage: build.sh ROOT RELEASE OUT
#   ROOT     where linux-headers-RELEASE (arm64), linux-headers-*-common and
#            linux-kbuild-* of *this* machine's architecture were extracted
#   RELEASE  6.12.117+deb13-rt-arm64
#   OUT      gets caesura-efivars.ko and what led to it
set -eu

if [ $# -ne 3 ]; then
	sed -n '3,10s/^# \{0,1\}//p' "$0"
	exit 2
fi
root=$(realpath "$1")
release=$2
mkdir -p "$3"
out=$(realpath "$3")
source=$(realpath "$(dirname "$0")")
headers=$root/usr/src/linux-headers-$release

if ! [ -e "$headers/Makefile" ]; then
	echo "build.sh: no headers of $release in $root" >&2
	exit 2
fi

# They name each other by where they would be installed.
sed -i "s|\([ =]\)/usr/src/|\1$root/usr/src/|" "$headers/Makefile"

# Kbuild writes beside the sources.
mkdir -p "$out/source"
cp "$source"/*.[ch] "$source/Kbuild" "$out/source/"

# Debian's kernels ask for their own compiler by name, and for flags of gcc 14.
# BTF would need the whole kernel's, and pahole.
set -- ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
	CC="${CC:-aarch64-linux-gnu-gcc}" CONFIG_DEBUG_INFO_BTF_MODULES= \
	CONFIG_MODULE_SIG_ALL=
if ! ${CC:-aarch64-linux-gnu-gcc} -fmin-function-alignment=8 -E -x c \
	/dev/null >/dev/null 2>&1; then
	set -- "$@" CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=
fi
make -C "$headers" M="$out/source" "$@" modules >"$out/log" 2>&1 || {
	cat "$out/log" >&2
	exit 1
}
cp "$out/source/caesura-efivars.ko" "$out/"
