# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Disks that firmware boots from: an MBR with one FAT partition.

# make_partition DISK [MIB]: with a FAT file system, which is $fat to mtools; of 16
# MiB, or as many as are given, a multiple of 32.
make_partition() {
	local sectors
	fat=$1@@1M
	sectors=$((${2:-16} * 2048))
	rm -f "$1"
	truncate -s "$((${2:-16} + 1))M" "$1"
	# One entry, type EF, from sector 2048 on; the signature.
	printf '%b' "$(printf '\\0%03o' 0 0 0 0 239 0 0 0 0 8 0 0 \
		0 $((sectors >> 8 & 255)) $((sectors >> 16)) 0)" |
		dd of="$1" bs=1 seek=446 conv=notrunc status=none
	printf '\125\252' |
		dd of="$1" bs=1 seek=510 conv=notrunc status=none
	# By which firmware finds it again.
	printf 'CZRA' | dd of="$1" bs=1 seek=440 conv=notrunc status=none
	mformat -i "$fat" -T "$sectors" -h 16 -s 32 ::
}

# make_disk DISK IMAGE LINE: a partition with the image where firmware looks for
# it, and its command line beside it.
make_disk() {
	make_partition "$1"
	mmd -i "$fat" ::/EFI ::/EFI/BOOT
	mcopy -i "$fat" "$2" ::/EFI/BOOT/BOOTAA64.EFI
	printf '%s\n' "$3" | mcopy -i "$fat" - ::/EFI/BOOT/caesura.txt
}
