# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# What a Linux kernel boots with: packages, our programs, its script.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura
linux_memory=1024
linux_systemd= # --systemd: the root with systemd, not the small one
packages_linux="gcc-aarch64-linux-gnu mtools cpio kmod xz-utils zstd debian-archive-keyring"
module_compiler=aarch64-linux-gnu-gcc

need_linux() {
	[ -z "$gate" ] || give_up "linux takes no --gate"
	# shellcheck disable=SC2086 # lists
	need $packages_linux $packages_boot $packages_image $packages_tools
	find_firmware
	if is_uboot; then
		give_up "linux boots on EDK II's firmware only"
	fi
	memory=$linux_memory
	if [ "$ready" = no ]; then
		make_linux "$@"
	fi
	put_programs
}

# Fetches and builds all that is the same for every boot.
make_linux() {
	local fetched
	if ! "$root/bench/fetch.sh" "$linux" root "$@"; then
		give_up "Debian's packages could not be fetched"
	fi
	build bench tools guest
	build_caesurad "$@"
	for fetched; do
		"$root/bench/initrd.sh" "$linux" "${fetched#kernel:}"
	done
}

# What the daemon and, for the kernels kernel:NAME, its module are built from.
build_caesurad() {
	local fetched
	build build/linux/caesurad
	for fetched; do
		if older_than_source "$(module_of "${fetched#kernel:}")"; then
			build_module "${fetched#kernel:}"
		fi
	done
}

older_than_source() {
	! [ -e "$1" ] || [ -n "$(find "$root/linux/module" -newer "$1")" ]
}

# What the test of the service boots beside: kernel $1 with systemd, and packages.
make_service() {
	if ! "$root/bench/fetch.sh" "$linux" systemd-root; then
		give_up "Debian's packages could not be fetched"
	fi
	build deb
	"$root/bench/initrd.sh" --systemd "$linux" "$1"
}

# What the test of kexec adds to the small root.
make_kexec() {
	if ! "$root/bench/fetch.sh" "$linux" kexec; then
		give_up "Debian's packages could not be fetched"
	fi
}

build_module() {
	progress "building the module for $1"
	if ! "$root/bench/fetch.sh" "$linux" "headers:$1" ||
		! CC=$module_compiler sh "$root/linux/module/build.sh" \
			"$linux/headers/$1/build/" "$linux/module/$1" \
			>"$out/build.log" 2>&1; then
		tail -n 20 "$out/build.log" >&2
		give_up "the module for $1 could not be built"
	fi
}

# put PROGRAM DIRECTORY: into the tree that is added to the root, where there is
# such a program.
put() {
	if [ -e "$linux/$1" ]; then
		mkdir -p "$programs$2"
		cp "$linux/$1" "$programs$2"
	fi
}

# The programs of ours in the root: its own scripts, the meter, caesurad.
put_programs() {
	programs=$out/boots/programs
	mkdir -p "$programs/bench"
	cp "$root/bench/measure.sh" "$root/bench/paths.sh" \
		"$root/bench/show.sh" "$programs/bench"
	put meter /usr/bin
	put caesurad /usr/sbin
}

# The module for kernel $1, where it has been built.
module_of() {
	echo "$linux/module/$1/caesura-efivars.ko"
}

release_of() {
	cat "$linux/kernels/$1/release"
}

# prepare_linux NAME KERNEL JOB [ADD…]: sets initrd.
prepare_linux() {
	local kernel script_file
	initrd=$out/boots/$1.initrd
	kernel=$2
	script_file=$3
	shift 3
	if [ -e "$(module_of "$kernel")" ]; then
		mkdir -p "$out/boots/module-$kernel/bench"
		cp "$(module_of "$kernel")" "$out/boots/module-$kernel/bench"
		set -- "$out/boots/module-$kernel" "$@"
	fi
	# shellcheck disable=SC2086 # an option, or none
	"$root/bench/initrd.sh" $linux_systemd "$linux" "$kernel" "$initrd" \
		"$script_file" "$programs" "$@"
}

linux_image() {
	echo "build/linux/kernels/$1/vmlinuz"
}

linux_line() {
	echo "console=ttyAMA0 quiet panic=-1 $*"
}

# Firmware loads the driver from the disk $esp before the kernel, as an entry in
# the variable store $1 says, which Debian's own efibootmgr makes on Linux.
make_adversary() {
	local kernel
	kernel=$2
	build build/clang/adversary.efi
	adversary_disk=$out/boots/adversary.disk
	make_partition "$adversary_disk"
	mcopy -i "$fat" "$root/build/clang/adversary.efi" ::/adversary.efi
	cat >"$out/boots/adversary.job" <<-'END'
		modprobe -a virtio_mmio virtio_blk
		until [ -e /dev/vda1 ]; do sleep 0.1; done
		mount -t efivarfs efivarfs /sys/firmware/efi/efivars
		efibootmgr --driver --create --disk /dev/vda --part 1 \
			--loader '\adversary.efi' --label adversary
	END
	cp --sparse=always "$vars" "$1.part"
	chmod u+w "$1.part"
	prepare_linux adversary "$kernel" "$out/boots/adversary.job"
	esp=$adversary_disk
	if ! boot adversary "$1.part" "$(linux_image "$kernel")" \
		"$(linux_line efi=runtime)"; then
		last_lines adversary >&2
		give_up "no driver entry could be made: $boot_why"
	fi
	mv "$1.part" "$1"
	rm -f "$initrd"
	esp=
}
