#!/bin/sh
# SPDX-License-Identifier: MIT
# module.sh KERNEL [OPTIONS]: the module's tests on a stock kernel, 6.1, 6.12-rt or
# 7-rt, in QEMU. OPTIONS go to the kernel. Exit code 1: something was not so.
set -eu
cd "$(dirname "$0")/../.."

kernel=$1
options=${2:-}
dir=build/linux
firmware=${CAESURA_FIRMWARE:-/usr/share/AAVMF/AAVMF_CODE.fd}
compiler=aarch64-linux-gnu-gcc

bench/fetch.sh $dir root "kernel:$kernel" "headers:$kernel"
release=$(cat "$dir/kernels/$kernel/release")
linux/module/build.sh "$dir/headers/$kernel/build" "$dir/module-$release"

work=$(mktemp -d "$dir/module-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/add/usr/bin"
cp "$dir/module-$release/caesura-efivars.ko" "$work/add/"
$compiler -std=gnu11 -D_GNU_SOURCE -O2 -static -Wall -Wextra -Werror -Iinclude \
	-I. tests/linux/fake_provider.c linux/provider.c linux/chosen.c \
	-o "$work/add/usr/bin/fake_provider"
bench/initrd.sh $dir "$kernel" "$work/initrd" tests/linux/module-job.sh \
	"$work/add"
cp "${CAESURA_VARS:-/usr/share/AAVMF/AAVMF_VARS.fd}" "$work/vars"

timeout "${CAESURA_LIMIT:-400}" qemu-system-aarch64 \
	-M virt,gic-version=3,dtb-randomness=off -cpu cortex-a57 -smp 2 \
	-m 1024 -nographic -net none \
	-drive "if=pflash,format=raw,unit=0,readonly=on,file=$firmware" \
	-drive "if=pflash,format=raw,unit=1,file=$work/vars" \
	-kernel "$dir/kernels/$kernel/vmlinuz" -initrd "$work/initrd" \
	-append "console=ttyAMA0 quiet panic=-1 $options" </dev/null |
	tr -d '\r' | tee "$dir/module-test-$kernel.log"
grep -q '^exit: 0$' "$dir/module-test-$kernel.log"
