#!/bin/sh
# SPDX-License-Identifier: MIT
# module.sh [KERNEL…]: runs the module's tests on stock kernels in QEMU: 6.1, 6.12-rt,
# 7-rt, or all of them. Each kernel boots with firmware that can set variables, with
# firmware that cannot, and with the kernel's own runtime services. Exit code 1: a test
# failed.
set -eu
cd "$(dirname "$0")/../.."

[ $# -gt 0 ] || set -- 6.12-rt 6.1 7-rt
make -s build/linux/fake_provider
add=$(mktemp -d)
trap 'rm -rf "$add"' EXIT
mkdir -p "$add/usr/bin" "$add/tests/module"
cp tests/linux/module/*.sh "$add/tests/module"
cp build/linux/fake_provider "$add/usr/bin"

code=0
for kernel; do
	for line in efi=noruntime "efi=noruntime readonly" efi=runtime; do
		echo "# $kernel $line"
		./caesura linux --script tests/linux/module/job.sh \
			--kernel "$kernel" --add "$add" --append "$line" \
			--out "out/module/$kernel" || code=1
	done
done
exit "$code"
