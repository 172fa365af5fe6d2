# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Disks that firmware boots from: an MBR with one FAT partition.

# make_partition DISK [MIB]: makes a disk with one FAT file system of 16 MiB, or of
# another multiple of 32 MiB. Sets fat, its name for mtools.
make_partition() {
	local sectors
	fat=$1@@1M
	sectors=$((${2:-16} * 2048))
	rm -f "$1"
	truncate -s "$((${2:-16} + 1))M" "$1"
	# One entry of type EF, from sector 2048 on. Then the MBR's signature.
	printf '%b' "$(printf '\\0%03o' 0 0 0 0 239 0 0 0 0 8 0 0 \
		0 $((sectors >> 8 & 255)) $((sectors >> 16)) 0)" |
		dd of="$1" bs=1 seek=446 conv=notrunc status=none
	printf '\125\252' |
		dd of="$1" bs=1 seek=510 conv=notrunc status=none
	# The disk's identifier, by which firmware recognises it in a boot entry.
	printf 'CZRA' | dd of="$1" bs=1 seek=440 conv=notrunc status=none
	mformat -i "$fat" -T "$sectors" -h 16 -s 32 ::
}

# make_disk DISK IMAGE LINE: makes a disk with the image at the path that firmware
# boots by default, and the image's command line beside it.
make_disk() {
	make_partition "$1"
	mmd -i "$fat" ::/EFI ::/EFI/BOOT
	mcopy -i "$fat" "$2" ::/EFI/BOOT/BOOTAA64.EFI
	printf '%s\n' "$3" | mcopy -i "$fat" - ::/EFI/BOOT/caesura.txt
}
