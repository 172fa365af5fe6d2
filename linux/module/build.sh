#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0-only
# build.sh HEADERS OUT: cross-compiles the module for a Debian kernel, as
# OUT/caesura-efivars.ko. HEADERS is make's -C: the directory of
# linux-headers-RELEASE, which with the packages that it needs was unpacked, not
# installed, below one directory; bench/fetch.sh headers:NAME does it.
set -eu

if [ $# -ne 2 ]; then
	sed -n '3,6s/^# //p' "$0" >&2
	exit 2
fi
headers=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
source=$(realpath "$(dirname "$0")")
compiler=${CC:-aarch64-linux-gnu-gcc}

# Kbuild's programs may be of a newer Debian than this machine's, whose libc then
# lies beside them. modpost is four, by the target's byte order and width.
tree=$(realpath "$headers/../../..")
modpost=$(realpath "$headers/scripts/mod/modpost")
loader=$(find "$tree/usr" -name 'ld-linux-*.so.?' -type f | head -n 1)
if [ -n "$loader" ] && [ -e "$modpost.real-lsb-64" ]; then
	cat >"$modpost" <<-END
		#!/bin/sh
		exec "$loader" --library-path "$(dirname "$loader")" \
			"$modpost.real-lsb-64" "\$@"
	END
fi

# Kbuild writes beside the sources.
mkdir -p "$out/source"
cp -u "$source"/*.[ch] "$source/Kbuild" "$out/source/"

# Debian's kernels name their compiler. BTF would need the kernel's, and pahole;
# signing, a key.
set -- ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC="$compiler" \
	CONFIG_DEBUG_INFO_BTF_MODULES= CONFIG_MODULE_SIG_ALL=
# Of gcc 14, and no part of what modules and kernel agree on.
if ! "$compiler" -fmin-function-alignment=8 -E -x c /dev/null \
	>/dev/null 2>&1; then
	set -- "$@" CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=
fi
if ! make -C "$headers" M="$out/source" "$@" modules >"$out/log" 2>&1; then
	cat "$out/log" >&2
	exit 1
fi
cp "$out/source/caesura-efivars.ko" "$out/"
