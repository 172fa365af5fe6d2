# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The paths from a Linux program to EFI variables, and what each must be able to do.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# Whether the path is there to be measured with kernel $2.
has_path() {
	case $1 in
	kernel) true ;;
	caesurad-fuse) [ -e "$linux/caesurad" ] ;;
	caesurad-module)
		[ -e "$linux/caesurad" ] && [ -e "$(module_of "$2")" ]
		;;
	esac
}

# path_line KERNEL PATH: what the kernel needs to hear. Real-time kernels have their
# runtime services off by themselves.
path_line() {
	case $2:$1 in
	kernel:*) echo "efi=runtime" ;;
	*-rt) ;;
	*) echo "efi=noruntime" ;;
	esac
}

path_mode() {
	case $1 in
	kernel) echo kernel ;;
	*) echo sandbox ;;
	esac
}

# show_step NAME KERNEL PATH STEP: on the store $show_store.
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

variables_in() {
	tr -d '\r' <"$out/boots/$1.log" | grep '^variable ' | LC_ALL=C sort
}

say_shown() {
	if [ "$2" -eq 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		code=1
	fi
}

# show KERNEL PATH: edits by Debian's programs; then the kernel's own path on the
# same store, and firmware, which starts the entry that was made.
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

# With an image that prints and ends at the entry's place, not at the one where
# firmware looks without any.
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
