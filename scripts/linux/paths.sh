# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The paths from a program on Linux to EFI variables, and a test that each of them
# serves Debian's programs.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# has_path PATH KERNEL: whether the path has been built for the kernel.
has_path() {
	case $1 in
	kernel) true ;;
	caesurad-fuse) [ -e "$linux/caesurad" ] ;;
	caesurad-module)
		[ -e "$linux/caesurad" ] && [ -e "$(module_of "$2")" ]
		;;
	esac
}

# path_line KERNEL PATH: prints what the path adds to the kernel's command line.
# Real-time kernels leave runtime services off by default.
path_line() {
	case $2:$1 in
	kernel:*) echo "efi=runtime" ;;
	*-rt) ;;
	*) echo "efi=noruntime" ;;
	esac
}

# path_mode PATH: prints the path's mode in the results.
path_mode() {
	case $1 in
	kernel) echo kernel ;;
	*) echo sandbox ;;
	esac
}

# show_step NAME KERNEL PATH STEP: boots a step of bench/show.sh on the store
# $show_store.
show_step() {
	local show_code
	printf 'path=%s step=%s\n. /bench/show.sh\n' "$3" "$4" \
		>"$out/boots/$1.job"
	prepare_linux "$1" "$2" "$out/boots/$1.job"
	boot "$1" "$show_store" "$(linux_image "$2")" \
		"$(linux_line "$(path_line "$2" "$3")")"
	show_code=$?
	rm -f "$initrd"
	initrd=
	return "$show_code"
}

# variables_in NAME: prints the variables that boot NAME listed at its end.
variables_in() {
	tr -d '\r' <"$out/boots/$1.log" | grep '^variable ' | LC_ALL=C sort
}

# say_shown WORDS CODE: prints a result; CODE 0 is success.
say_shown() {
	if [ "$2" -eq 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		code=1
	fi
}

# show KERNEL PATH: Debian's programs edit variables and make a boot entry. Then the
# kernel's own path must read the same variables from the store, and firmware must
# start the entry.
show() {
	local shown show_store same starts
	shown="show-$1-$2"
	show_store=$out/boots/$shown.vars
	cp --sparse=always "$vars" "$show_store"
	chmod u+w "$show_store"
	esp=$entry_disk
	if ! show_step "$shown" "$1" "$2" edit; then
		code=1
	fi
	tr -d '\r' <"$out/boots/$shown.log" |
		grep -E '^(not )?ok - ' | sed "s/ - / - $1, /" || :
	same=1
	if show_step "$shown-kernel" "$1" kernel list &&
		variables_in "$shown" >"$out/boots/$shown.before" &&
		variables_in "$shown-kernel" |
		diff "$out/boots/$shown.before" - >&2; then
		same=0
	fi
	say_shown "$1, $2: after a reset the kernel reads every variable as it was" \
		"$same"
	esp=
	boot_disk=$entry_disk
	starts=0
	boot "$shown-entry" "$show_store" none "" || starts=1
	say_shown "$1, $2: firmware starts the entry" "$starts"
	boot_disk=
	rm -f "$show_store"
}

# Shows each listed system. The boot entry starts our own image, which prints and ends.
# Its path on the disk is not the one that firmware would boot without an entry.
show_systems() {
	local entry_disk kernel path
	build build/clang/image.efi
	entry_disk=$out/boots/entry.disk
	make_partition "$entry_disk"
	mcopy -i "$fat" "$root/build/clang/image.efi" ::/caesura.efi
	echo selftest | mcopy -i "$fat" - ::/caesura.txt
	while read -r kernel path; do
		progress "$kernel, $path"
		show "$kernel" "$path" </dev/null
	done <"$out/boots/systems"
}
