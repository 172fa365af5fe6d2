#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0-only
# build.sh HEADERS OUT: cross-compiles the module for a Debian kernel, to
# OUT/caesura-efivars.ko. HEADERS is the directory of linux-headers-RELEASE, which
# was unpacked, not installed, below one directory with the packages that it needs:
# bench/fetch.sh headers:NAME does that.
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

# Kbuild's programs may need a newer libc than this machine has; it was unpacked with them.
# modpost is a script that starts one of four programs, by the byte order and the word size
# of the target.
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

# Kbuild writes its output beside the sources, so it gets a copy of them.
mkdir -p "$out/source"
cp -u "$source"/*.[ch] "$source/Kbuild" "$out/source/"

# Debian's kernels name their own compiler. BTF would need the kernel's BTF and pahole, and
# a signature would need a key, so both are off.
set -- ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC="$compiler" \
	CONFIG_DEBUG_INFO_BTF_MODULES= CONFIG_MODULE_SIG_ALL=
# An option of gcc 14 that older compilers lack. It is not part of the interface between
# modules and the kernel.
if ! "$compiler" -fmin-function-alignment=8 -E -x c /dev/null \
	>/dev/null 2>&1; then
	set -- "$@" CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=
fi
if ! make -C "$headers" M="$out/source" "$@" modules >"$out/log" 2>&1; then
	cat "$out/log" >&2
	exit 1
fi
cp "$out/source/caesura-efivars.ko" "$out/"
