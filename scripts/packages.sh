# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The Debian packages that the commands need, and the build of the images.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

packages_boot="qemu-system-arm qemu-efi-aarch64"
packages_image="make clang lld binutils-aarch64-linux-gnu openssl"
packages_gcc="gcc-aarch64-linux-gnu"
packages_tools="make gcc libc6-dev libjansson-dev"
packages_demo="gnuplot-nox"
packages_gdb="gdb-multiarch"
packages_uboot="u-boot-qemu mtools gzip"
packages_secure="sbsigntool"
packages_test="g++ libcmocka-dev libclang-rt-14-dev clang-format-14 llvm-14
	libfdt-dev spin libfuse3-dev pkg-config"
ready=no # yes: everything is installed and built already

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = \
		installed ]
}

apt_get() {
	if [ "$(id -u)" -eq 0 ]; then
		DEBIAN_FRONTEND=noninteractive apt-get "$@"
	else
		sudo DEBIAN_FRONTEND=noninteractive apt-get "$@"
	fi >&2
}

install_packages() {
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		give_up "packages are missing, and they can be installed neither" \
			"as root nor by sudo: $*"
	fi
	say "caesura: installing with apt-get: $*"
	apt_get install -y -q --no-install-recommends "$@" && return
	say "caesura: trying again with fresh package lists"
	apt_get update -q || give_up "apt-get update failed"
	apt_get install -y -q --no-install-recommends "$@" ||
		give_up "apt-get could not install: $*"
}

# need PACKAGE…: installs those that are missing, or gives up with --no-install.
need() {
	local missing package
	if ! command -v dpkg-query >/dev/null; then
		say "caesura: this is not Debian; these packages' programs must be" \
			"installed: $*"
		return
	fi
	missing=
	for package; do
		case " $missing " in
		*" $package "*) ;;
		*) installed "$package" || missing="$missing $package" ;;
		esac
	done
	if [ -z "$missing" ]; then
		return
	fi
	if [ "$may_install" = no ]; then
		say "caesura: missing packages:$missing"
		exit 2
	fi
	# shellcheck disable=SC2086 # a list
	install_packages $missing
}

# need_to_boot [PACKAGE…]: installs what every boot needs, and those packages.
need_to_boot() {
	[ "$ready" = no ] || return 0
	# shellcheck disable=SC2086 # lists
	need $packages_image $packages_boot "$@"
	if [ "$toolchain" = gcc ]; then
		need "$packages_gcc"
	fi
	if [ "$gdb" = yes ]; then
		need "$packages_gdb"
	fi
	if [ "$secure" = yes ]; then
		# shellcheck disable=SC2086 # a list
		need $packages_secure
	fi
	find_firmware
}

# build TARGET…: runs make, and shows its output only if it fails.
build() {
	[ "$ready" = no ] || return 0
	progress "building $*"
	if ! make -C "$root" -j2 "TOOLCHAIN=$toolchain" \
		${snakeoil:+"SNAKEOIL=$snakeoil"} "$@" \
		>"$out/build.log" 2>&1; then
		progress
		tail -n 20 "$out/build.log" >&2
		give_up "the build failed; its whole output is in" \
			"$(short "$out/build.log")"
	fi
	progress
}

# Prints the path of image $1, which is a signed one for secure boot.
image_file() {
	if [ "$secure" = yes ]; then
		echo "build/$toolchain/secure/$1.efi"
	else
		echo "build/$toolchain/$1.efi"
	fi
}
