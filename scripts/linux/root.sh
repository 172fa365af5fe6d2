# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Fetches, builds and packs what a Linux kernel boots with: Debian's packages, our
# programs, and a script.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura
linux_memory=1024
linux_systemd= # --systemd: boots have the root with systemd instead of the small one
packages_linux="gcc-aarch64-linux-gnu mtools cpio kmod xz-utils zstd debian-archive-keyring"
module_compiler=aarch64-linux-gnu-gcc

# need_linux kernel:NAME…: installs, fetches and builds what boots of those kernels need.
need_linux() {
	[ -z "$gate" ] || give_up "linux takes no --gate"
	# shellcheck disable=SC2086 # lists
	need $packages_linux $packages_boot $packages_image $packages_tools
	find_firmware
	if is_uboot; then
		give_up "linux boots only on EDK II's firmware"
	fi
	memory=$linux_memory
	if [ "$ready" = no ]; then
		make_linux "$@"
	fi
	put_programs
}

# make_linux kernel:NAME…: fetches and builds what is the same for all boots.
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

# build_caesurad kernel:NAME…: builds the daemon, and its module for those kernels.
build_caesurad() {
	local fetched
	build build/linux/caesurad
	for fetched; do
		if older_than_source "$(module_of "${fetched#kernel:}")"; then
			build_module "${fetched#kernel:}"
		fi
	done
}

# Whether module $1 is missing, or older than its sources.
older_than_source() {
	! [ -e "$1" ] || [ -n "$(find "$root/linux/module" -newer "$1")" ]
}

# make_service KERNEL: makes what only the test of the service needs: a root with systemd
# for the kernel, and our packages.
make_service() {
	if ! "$root/bench/fetch.sh" "$linux" systemd-root; then
		give_up "Debian's packages could not be fetched"
	fi
	build deb
	"$root/bench/initrd.sh" --systemd "$linux" "$1"
}

# Fetches what the test of kexec adds to the small root.
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

# put PROGRAM DIRECTORY: adds a program to the root's directory, if it has been built.
put() {
	if [ -e "$linux/$1" ]; then
		mkdir -p "$programs$2"
		cp "$linux/$1" "$programs$2"
	fi
}

# Makes $programs, a tree that is added to every root: scripts, the meter and caesurad.
put_programs() {
	programs=$out/boots/programs
	mkdir -p "$programs/bench"
	cp "$root/bench/measure.sh" "$root/bench/paths.sh" \
		"$root/bench/show.sh" "$programs/bench"
	put meter /usr/bin
	put caesurad /usr/sbin
}

# Prints the path of the module for kernel $1.
module_of() {
	echo "$linux/module/$1/caesura-efivars.ko"
}

# Prints the release of kernel $1, as uname has it.
release_of() {
	cat "$linux/kernels/$1/release"
}

# prepare_linux NAME KERNEL JOB [ADD…]: packs an initrd for boot NAME, with the script JOB
# and the trees ADD; sets initrd.
prepare_linux() {
	local kernel="$2" script_file="$3"
	initrd=$out/boots/$1.initrd
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

# make_adversary STORE KERNEL: makes a disk with the misbehaving driver, adversary_disk,
# and a variable store with a Driver#### entry for it: firmware loads the driver before
# the kernel. Debian's efibootmgr makes the entry, in a boot of its own.
make_adversary() {
	local kernel="$2"
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
