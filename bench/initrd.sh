#!/bin/sh
# SPDX-License-Identifier: MIT
# initrd.sh [--systemd] DIR KERNEL [FILE JOB [ADD…]]: packs FILE, the initrd that a kernel
# boots with: the small root that fetch.sh has put into DIR, or the one with systemd; the
# kernel's modules that the root needs; the script JOB, which bench/job.sh runs; and the
# files in the directories ADD, which are copied to /. FILE is a row of cpio archives, as
# the kernel accepts it. The archives of the root and of the modules are made once;
# without FILE nothing else is made.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
modules="fuse efivarfs virtio_pci virtio_mmio virtio_blk ext4 vfat nls_cp437
	nls_ascii nls_iso8859_1 rtc_pl031 autofs4 configfs"
small_root=root
if [ "$1" = --systemd ]; then
	small_root=systemd-root
	shift
fi
dir=$1
kernel=$dir/kernels/$2
shift 2
work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

# pack TREE FILE: packs a tree, whose files belong to root in the archive. The same tree
# makes the same archive.
pack() {
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort |
		cpio --quiet -o -H newc -R 0:0 --reproducible) >"$2.part"
	mv "$2.part" "$2"
}

make_root() {
	cp -a "$dir/$small_root" "$work/root"
	case $small_root in
	root) fill_root ;;
	*) fill_systemd_root ;;
	esac
	mkdir -p "$work/root/bench"
	cp "$here/job.sh" "$work/root/bench"
	pack "$work/root" "$dir/$small_root.cpio"
}

fill_root() {
	rm -rf "$work/root/usr/lib/aarch64-linux-gnu/gconv"
	ln -s busybox "$work/root/bin/sh"
	ln -s ../usr/lib/modules "$work/root/lib/modules"
	cp "$here/init" "$work/root/init"
	echo "root:x:0:0:root:/:/bin/sh" >"$work/root/etc/passwd"
	echo "root:x:0:" >"$work/root/etc/group"
}

# The job is a service of systemd's.
fill_systemd_root() {
	local wanted
	ln -s usr/lib/systemd/systemd "$work/root/init"
	wanted=$work/root/etc/systemd/system/multi-user.target.wants
	mkdir -p "$wanted"
	cp "$here/job.service" "$work/root/etc/systemd/system"
	ln -s ../job.service "$wanted/job.service"
}

# Prints the files of the modules, and of the modules that they depend on.
module_files() {
	awk -v wanted="$modules" '
	BEGIN {
		count = split(wanted, names)
		for (i = 1; i <= count; i++) {
			is_wanted[names[i]] = 1
		}
	}
	{
		name = $1
		sub(/:$/, "", $1)
		sub(/^.*\//, "", name)
		sub(/\.ko.*$/, "", name)
		gsub(/-/, "_", name)
		if (is_wanted[name]) {
			for (i = 1; i <= NF; i++) {
				print $i
			}
		}
	}' "$1/modules.dep" | LC_ALL=C sort -u
}

make_modules() {
	local from to path
	from=$kernel/lib/modules/$release
	to=$work/modules/lib/modules/$release
	mkdir -p "$to"
	for path in $(module_files "$from"); do
		mkdir -p "$to/$(dirname "$path")"
		case $path in
		*.xz) xz -dc "$from/$path" >"$to/${path%.xz}" ;;
		*.zst) zstd -dqc "$from/$path" >"$to/${path%.zst}" ;;
		*) cp "$from/$path" "$to/$path" ;;
		esac
	done
	cp "$from"/modules.builtin* "$from/modules.order" "$to"
	depmod -b "$work/modules" "$release"
	# /lib is a link to /usr/lib in one of the roots, so no archive may have it as a
	# directory.
	mkdir "$work/modules/usr"
	mv "$work/modules/lib" "$work/modules/usr"
	pack "$work/modules" "$kernel/modules.cpio"
}

# older FILE THAN…: whether the file is missing, or older than one of the others.
older() {
	local file
	[ -e "$1" ] || return 0
	file=$1
	shift
	[ -n "$(find "$@" -prune -newer "$file")" ]
}

release=$(cat "$kernel/release")
# Other runs share these archives, and fetch.sh replaces what is in them.
(
	flock 9
	if older "$dir/$small_root.cpio" "$here"/init "$here"/job.* "$0"; then
		make_root
	fi
	if older "$kernel/modules.cpio" "$kernel/release" "$0"; then
		make_modules
	fi
) 9>"$dir/lock"
if [ "$#" -eq 0 ]; then
	exit 0
fi
file=$1
job=$2
shift 2
mkdir "$work/job"
cp "$job" "$work/job/job"
pack "$work/job" "$work/job.cpio"
set -- "$@" -- "$dir/$small_root.cpio" "$kernel/modules.cpio" "$work/job.cpio"
count=0
while [ "$1" != -- ]; do
	count=$((count + 1))
	pack "$1" "$work/$count.cpio"
	set -- "$@" "$work/$count.cpio"
	shift
done
shift
cat "$@" >"$file"
