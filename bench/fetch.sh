#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch.sh DIR WHAT…: fetches Debian's packages for arm64 and unpacks them below DIR.
# Nothing is installed. Each WHAT is fetched once, in the version that is the newest at
# that time. WHAT is one of
#
#   kernel:NAME   DIR/kernels/NAME: vmlinuz, lib/modules, and release, its version
#   headers:NAME  DIR/headers/NAME: what a module for that kernel is built with, on
#                 this machine; DIR/headers/NAME/build is for make's -C. Fetches the
#                 kernel, too
#   root          DIR/root: a small root file system: shell, EFI tools, cyclictest
#   systemd-root  DIR/systemd-root: a root file system with dpkg, systemd, EFI tools
#                 and DKMS, but without a compiler
#   kexec         DIR/kexec: Debian's kexec, which can be added to the small root
#   libraries     DIR/sysroot: libc, libfuse3 and libseccomp to link with
#
# and NAME is 6.1, 6.12-rt or 7-rt.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root_packages="busybox-static efibootmgr efivar libefivar1 libefiboot1 libpopt0
	rt-tests libnuma1 libc6 libgcc-s1 e2fsprogs libext2fs2 libcom-err2"
systemd_packages="base-files base-passwd bash bsdutils coreutils dash diffutils dkms
	dpkg e2fsprogs efibootmgr efivar findutils grep init-system-helpers kmod
	libacl1 libapparmor1 libattr1 libaudit1 libblkid1 libbz2-1.0 libc-bin libc6
	libcap-ng0 libcap2 libcom-err2 libcrypt1 libefiboot1t64 libefivar1t64
	libext2fs2t64 libgcc-s1 libgcrypt20 libgmp10 libgpg-error0 libkmod2 liblz4-1
	liblzma5 libmd0 libmount1 libpam0g libpcre2-8-0 libpopt0 libseccomp2
	libselinux1 libsmartcols1 libss2 libssl3t64 libsystemd-shared libsystemd0
	libtinfo6 libudev1 libxxhash0 libzstd1 mawk mount perl-base sed systemd
	systemd-sysv tar util-linux zlib1g"
kexec_packages="kexec-tools libxenmisc4.17 libxencall1 libxendevicemodel1
	libxenevtchn1 libxenforeignmemory1 libxengnttab1 libxentoolcore1
	libxentoollog1 zlib1g"
library_packages="libc6-dev libc6 linux-libc-dev libcrypt-dev libgcc-12-dev
	libfuse3-dev libfuse3-3 libseccomp-dev libseccomp2 libfdt-dev"

fail() {
	echo "fetch: $*" >&2
	exit 1
}

suite_of() {
	case $1 in
	6.1) echo bookworm ;;
	6.12-rt) echo trixie ;;
	7-rt) echo trixie-backports ;;
	*) fail "no kernel is called $1: 6.1, 6.12-rt, 7-rt" ;;
	esac
}

# Prints a regular expression that the releases of a kernel match.
releases_of() {
	case $1 in
	6.1) echo '6\.1\.0-[0-9]+-arm64' ;;
	6.12-rt) echo '6\.12\.[0-9]+\+deb13-rt-arm64' ;;
	7-rt) echo '7\.[0-9]+\.[0-9]+\+deb13-rt-arm64' ;;
	esac
}

# use SUITE: makes apt use the packages of that suite of Debian.
use() {
	apt=$dir/apt/$1
	if ! [ -e "$apt/complete" ]; then
		case $1 in
		*-backports) set -- "$1" "${1%-backports}" ;;
		esac
		"$here/../tools/private-apt.sh" "$apt" "$@"
		: >"$apt/complete"
	fi
	export APT_CONFIG="$apt/apt.conf"
}

# record TREE FILE: records a package as installed, for the dpkg in the tree.
record() {
	{
		dpkg-deb -f "$2"
		printf 'Status: install ok installed\n\n'
	} >>"$1/var/lib/dpkg/status"
	dpkg-deb --fsys-tarfile "$2" | tar -t |
		sed 's,^\.,,; s,/$,,; s,^$,/.,' \
			>"$1/var/lib/dpkg/info/$(dpkg-deb -f "$2" Package).list"
}

# unpack TREE PACKAGE…: fetches packages and unpacks them in the tree.
unpack() {
	local tree work package
	tree=$1
	shift
	work=$(mktemp -d "$dir/fetch.XXXXXX")
	(cd "$work" && apt-get -q -q download "$@") >"$work/said" 2>&1 || {
		cat "$work/said" >&2
		fail "cannot fetch: $*"
	}
	mkdir -p "$tree"
	for package in "$work"/*.deb; do
		dpkg-deb -x "$package" "$tree"
		if [ -d "$tree/var/lib/dpkg/info" ]; then
			record "$tree" "$package"
		fi
	done
	rm -rf "$work"
}

# Prints the newest release of a kernel.
newest() {
	apt-cache pkgnames linux-image- |
		grep -xE "linux-image-$(releases_of "$1")" |
		sed 's/^linux-image-//' | sort -V | tail -n 1
}

# kernel_packages RELEASE: prints the packages of a kernel; since 7.2 there are several.
kernel_packages() {
	local part
	for part in image base binary modules; do
		if apt-cache show "linux-$part-$1" >/dev/null 2>&1; then
			echo "linux-$part-$1"
		fi
	done
}

# fetch_kernel NAME TREE
fetch_kernel() {
	local release
	use "$(suite_of "$1")"
	release=$(newest "$1")
	[ -n "$release" ] || fail "no kernel like $1"
	# shellcheck disable=SC2046 # a list
	unpack "$2/tree" $(kernel_packages "$release")
	mkdir -p "$2/lib"
	if [ -d "$2/tree/usr/lib/modules" ]; then
		mv "$2/tree/usr/lib/modules" "$2/lib"
	else
		mv "$2/tree/lib/modules" "$2/lib"
	fi
	find "$2" \( -name "vmlinuz-$release" -o -name vmlinuz \) -type f \
		-exec mv {} "$2/vmlinuz" \;
	[ -e "$2/vmlinuz" ] || fail "no vmlinuz in linux-*-$release"
	rm -rf "$2/tree"
	depmod -b "$2" "$release"
	echo "$release" >"$2/release"
}

# fetch_headers NAME TREE PLACE: fetches the headers to TREE, which will be moved to
# PLACE. The programs of kbuild are for this machine.
fetch_headers() {
	local release common kbuild link
	release=$(cat "$dir/kernels/$1/release")
	use "$(suite_of "$1")"
	common=${release%-arm64}
	case $1 in
	6.1) common=$common-common kbuild=6.1 ;;
	6.12-rt) common=${common%-rt}-common-rt kbuild=${common%-rt} ;;
	*) common=${common%-rt}-common kbuild=${common%-rt} ;;
	esac
	unpack "$2" "linux-headers-$release" "linux-headers-$common"
	fetch_kbuild "$2" "linux-kbuild-${kbuild%-common*}"
	# Paths to /usr/src and /usr/lib must point to those in PLACE.
	find "$2/usr/src" -type f -name Makefile -exec \
		sed -i "s,\( \|=\)/usr/\(src\|lib\)/,\1$3/usr/\2/,g" {} +
	find "$2/usr/src" -type l | while read -r link; do
		case $(readlink "$link") in
		/*) ln -sfn "$3$(readlink "$link")" "$link" ;;
		esac
	done
	ln -s "usr/src/linux-headers-$release" "$2/build"
}

# fetch_kbuild TREE PACKAGE: fetches kbuild for this machine's architecture, with the libc
# that its programs need: this machine's may be older.
fetch_kbuild() {
	local native
	native=$(dpkg --print-architecture)
	if [ "$native" = arm64 ]; then
		unpack "$1" "$2" libc6
		return
	fi
	cat >>"$apt/conf.d/zz-private" <<-END
		#clear APT::Architectures;
		APT::Architectures { "arm64"; "$native"; };
	END
	apt-get -q -q update
	unpack "$1" "$2:$native" "libc6:$native"
}

fetch_root() {
	use bookworm
	# shellcheck disable=SC2086 # a list
	unpack "$2" $root_packages
	rm -rf "${2:?}/usr/share"
	echo "$root_packages" >"$2/packages"
}

# The packages' scripts do not run, so this and initrd.sh do what they would do. The
# machine's id tells systemd that this is not the first boot, in which it asks questions.
fetch_systemd_root() {
	local file
	use trixie
	mkdir -p "$2/var/lib/dpkg/info"
	# shellcheck disable=SC2086 # a list
	unpack "$2" $systemd_packages
	for file in passwd group; do
		cp "$2/usr/share/base-passwd/$file.master" "$2/etc/$file"
	done
	echo c2b1d3a4e5f60718293a4b5c6d7e8f90 >"$2/etc/machine-id"
	ln -s mawk "$2/usr/bin/awk"
	rm -rf "${2:?}"/usr/share/[!dp]* "${2:?}"/usr/share/doc \
		"${2:?}"/usr/lib/*/gconv
	echo "$systemd_packages" >"$2/packages"
}

# drop_old ROOT PACKAGES: removes a root that was made from another list of packages.
drop_old() {
	if [ "$(cat "$dir/$1/packages" 2>/dev/null)" != "$2" ]; then
		rm -rf "${dir:?}/$1" "$dir/$1.cpio"
	fi
}

# Keeps only those of Xen's libraries that kexec is linked with.
fetch_kexec() {
	local library
	use bookworm
	# shellcheck disable=SC2086 # a list
	unpack "$2/tree" $kexec_packages
	mkdir -p "$2/sbin" "$2/usr/lib/aarch64-linux-gnu"
	mv "$2/tree/sbin/kexec" "$2/sbin"
	for library in xenctrl xencall xendevicemodel xenevtchn xenforeignmemory \
		xengnttab xentoolcore xentoollog z; do
		find "$2/tree" -name "lib$library.so.*" -exec \
			mv {} "$2/usr/lib/aarch64-linux-gnu" \;
	done
	rm -rf "$2/tree"
}

fetch_libraries() {
	local link
	use bookworm
	# shellcheck disable=SC2086 # a list
	unpack "$2" $library_packages
	rm -rf "${2:?}/usr/share"
	# Links to /lib must point to the one in the tree.
	find "$2" -type l -lname '/*' | while read -r link; do
		ln -sfn "$3$(readlink "$link")" "$link"
	done
}

# once PLACE FUNCTION NAME: calls the function to make a directory that does not exist. The
# directory gets its name when it is complete.
once() {
	if [ -e "$dir/$1" ]; then
		return
	fi
	echo "fetch: $1" >&2
	rm -rf "$dir/$1.part"
	mkdir -p "$dir/$1.part"
	"$2" "$3" "$dir/$1.part" "$dir/$1"
	mv "$dir/$1.part" "$dir/$1"
}

mkdir -p "$1"
dir=$(cd "$1" && pwd)
shift
exec 9>"$dir/lock"
flock 9
rm -rf "$dir"/fetch.* # left by a run that was interrupted
for what; do
	name=${what#*:}
	case $what in
	kernel:*) once "kernels/$name" fetch_kernel "$name" ;;
	headers:*)
		once "kernels/$name" fetch_kernel "$name"
		once "headers/$name" fetch_headers "$name"
		;;
	root)
		drop_old root "$root_packages"
		once root fetch_root root
		;;
	systemd-root)
		drop_old systemd-root "$systemd_packages"
		once systemd-root fetch_systemd_root systemd-root
		;;
	kexec) once kexec fetch_kexec kexec ;;
	libraries) once sysroot fetch_libraries sysroot ;;
	*) fail "there is nothing called $what to fetch" ;;
	esac
done
