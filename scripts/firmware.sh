# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Firmware: where it is, its variable store, and the key that it trusts.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

aavmf=/usr/share/AAVMF
snakeoil= # path of the key that signs the images for secure boot, without .key

# Whether the firmware is U-Boot, which needs another machine and other files.
is_uboot() {
	case $(basename "$firmware") in
	u-boot*) true ;;
	*) false ;;
	esac
}

# Finds the files that the options left open, and refuses options that exclude each
# other.
find_firmware() {
	case $firmware in
	aavmf) firmware=$aavmf/AAVMF_CODE.fd ;;
	u-boot) firmware=/usr/lib/u-boot/qemu_arm64/u-boot.bin ;;
	esac
	if is_uboot; then
		[ "$secure" = no ] || give_up "secure boot with U-Boot is not supported"
		[ "${tables:-dt}" = dt ] ||
			give_up "U-Boot describes the machine by a device tree"
		tables=dt
		# shellcheck disable=SC2086 # a list
		need $packages_uboot
	elif [ -z "$vars" ] && [ "$secure" = yes ]; then
		vars=$aavmf/AAVMF_VARS.snakeoil.fd
	elif [ -z "$vars" ]; then
		vars=$aavmf/AAVMF_VARS.fd
	fi
	[ -r "$firmware" ] || give_up "there is no firmware at $firmware"
	if is_uboot && [ -z "$vars" ]; then
		vars=$out/uboot.fd
		make_uboot_flash "$vars"
	fi
	[ -r "$vars" ] || give_up "there is no variable store at $vars"
	if [ "$secure" = yes ]; then
		find_key
	fi
}

# Prints the firmware's name: its package and version, or its file and checksum.
firmware_name() {
	local sum
	if [ "$firmware" = "$aavmf/AAVMF_CODE.fd" ]; then
		dpkg-query -W -f 'AAVMF ${Version}' qemu-efi-aarch64 \
			2>/dev/null && return
	fi
	sum=$(sha256sum "$firmware")
	printf '%s (sha256 %.12s)' "$(basename "$firmware")" "$sum"
}

# Prints bytes as digits: the first MiB of a variable store, since the rest is never in
# use.
digits() {
	head -c 1048576 | od -An -v -tx1 | tr -d ' \n'
}

# Whether the variable store holds the certificate $1.
trusts() {
	openssl x509 -in "$1" -outform DER 2>/dev/null | digits \
		>"$out/certificate"
	[ -s "$out/certificate" ] &&
		digits <"$vars" | grep -q -F -f "$out/certificate"
}

# Finds the key that the variable store trusts: sets snakeoil. With another key
# firmware would only report that there is nothing to boot.
find_key() {
	local where
	where=$(dirname "$vars")
	for snakeoil in "$where/PkKek-1-snakeoil" \
		"$where/../qemu-efi-aarch64/PkKek-1-snakeoil" \
		/usr/share/qemu-efi-aarch64/PkKek-1-snakeoil; do
		if [ -r "$snakeoil.key" ] && trusts "$snakeoil.pem"; then
			return
		fi
	done
	give_up "no key is found that $vars trusts, and firmware would refuse an" \
		"image with another signature: put PkKek-1-snakeoil.key and" \
		".pem of the store's package beside it"
}

# make_uboot_flash FLASH [BOOTARGS]: makes the flash in which U-Boot keeps its
# environment, which boots the only disk at once. A CRC32 precedes the environment;
# gzip computes it in the same byte order.
make_uboot_flash() {
	{
		printf '%s\0' bootdelay=-2 kernel_addr_r=0x40400000 \
			"bootargs=${2:-}" fdt_high=0xffffffff "bootcmd=virtio scan; $(
			)load virtio 0:1 \${kernel_addr_r} efi/boot/bootaa64.efi$(
			) && bootefi \${kernel_addr_r} \${fdtcontroladdr}; $(
			)echo U-Boot has started nothing"
	} >"$1.environment"
	truncate -s $((0x40000 - 4)) "$1.environment"
	{
		gzip -c "$1.environment" | tail -c 8 | head -c 4
		cat "$1.environment"
	} >"$1.new"
	rm "$1.environment"
	truncate -s 64M "$1.new"
	mv "$1.new" "$1"
}
