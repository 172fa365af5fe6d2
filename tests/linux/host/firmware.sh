# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Tests hostile, stale and nostore: firmware that misbehaves, and machines on which
# caesurad must not write.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# Prints a table of the misbehaviours in boot $1.
print_rows() {
	lines_of "$1" | sed -n 's/^row //p' | awk -F '|' '
	BEGIN { printf "# %-26s %-4s %-6s %s\n", "misbehaviour", "call", \
		"error", "the report" }
	{ printf "# %-26s %-4s %-6s %s\n", $1, $2, $3, $4 }'
}

test_hostile() {
	local path store
	make_adversary "$out/adversary.vars" "$tested"
	for path in $hostile_paths; do
		store=$out/boots/hostile.vars
		cp --sparse=always "$out/adversary.vars" "$store"
		esp=$adversary_disk
		guest "hostile-$path" "$store" "" "path=$path" hostile \
			>"$out/boots/hostile-$path.said"
		esp=
		print_rows "hostile-$path"
		grep -v '^ok - ' "$out/boots/hostile-$path.said" || :
		if [ "$guest_code" -eq 0 ]; then
			echo "ok - $path: $(grep -c '^ok - ' \
				"$out/boots/hostile-$path.said") checks under $(
			)hostile firmware"
		fi
		reads_the_same "hostile-$path" "$store" "$path, hostile firmware"
	done
}

# Both boots use one store, so that firmware has to reclaim space in it between them.
test_stale() {
	local store number
	store=$out/boots/stale.vars
	fresh_store "$store"
	for number in 1 2; do
		guest "stale-$number" "$store" "" path=caesurad-fuse stale
	done
}

# nostore MACHINE: tests a machine whose variables do not persist. A driver turns QEMU's
# machine into one.
nostore() {
	local store
	esp=$out/boots/nostore-$1.disk
	cp "$adversary_disk" "$esp"
	mcopy -o -i "$esp@@1M" "$root/build/clang/drivers/$1.efi" ::/adversary.efi
	store=$out/boots/nostore-$1.vars
	cp --sparse=always "$out/adversary.vars" "$store"
	guest "nostore-$1" "$store" "" "machine=$1" nostore
	# No daemon accepts such a write any more. One that did would lose the variable.
	if lines_of "nostore-$1" | grep -q '^# accepted'; then
		guest "nostore-$1-again" "$store" "" \
			"path=caesurad-fuse machine=again" nostore
	fi
	esp=
}

# Boots Debian's kernel on Debian's U-Boot, which reads the kernel and the initrd from a
# disk.
nostore_on_uboot() {
	# shellcheck disable=SC2086 # a list
	need $packages_uboot
	firmware=u-boot
	tables=
	vars=$out/boots/nostore-uboot.flash
	make_uboot_flash "$vars" "$(
		linux_line "$(path_line "$tested" caesurad)" 'initrd=\initrd'
	)"
	find_firmware
	prepare_guest nostore-uboot machine=uboot nostore
	boot_disk=$out/boots/nostore-uboot.disk
	make_partition "$boot_disk" 128
	mmd -i "$fat" ::/EFI ::/EFI/BOOT
	mcopy -i "$fat" "$root/$(linux_image "$tested")" ::/EFI/BOOT/BOOTAA64.EFI
	mcopy -i "$fat" "$initrd" ::/initrd
	rm -f "$initrd"
	initrd=
	guest_code=0
	boot nostore-uboot "$vars" none "" || guest_code=$?
	rm -f "$boot_disk"
	relay nostore-uboot
}

test_nostore() {
	make_adversary "$out/adversary.vars" "$tested"
	nostore ram
	if [ "$long" = yes ]; then
		nostore file
	fi
	nostore buffer
	nostore_on_uboot
}
