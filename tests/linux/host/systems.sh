# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Tests starve, hibernate, kexec, refusals and service: how caesurad lives with the rest of
# the system.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# Runs on two CPUs in real time: in counted time one CPU can wait long for the other.
test_starve() {
	cpus=2
	icount=no
	guest starve "" "" "path=caesurad-fuse long=$long" starve
}

# hibernate NAME STORE WORDS: makes a boot that hibernates, and so does not end with an
# exit line.
hibernate() {
	local line asleep
	prepare_guest "$1" "$3" hibernate
	line=$(path_line "$tested" caesurad)
	boot "$1" "$2" "$(linux_image "$tested")" \
		"$(linux_line "${line:-layout=same}")" || :
	rm -f "$initrd"
	initrd=
	lines_of "$1" | grep -E '^((not )?ok - |# )' || :
	asleep=false
	if lines_of "$1" | grep -q '^hibernates$' && [ -z "$exit_code" ] &&
		[ "$silent" = no ]; then
		asleep=true
	fi
	say_whether "$1: the machine is switched off, with an image" "$asleep"
	[ "$asleep" = true ] || last_lines "$1" | sed 's/^/# /'
}

# The next boot has runtime services, and resumes the image. Linux refuses that if
# firmware has put a table at another address than before. So the two boots have command
# lines and jobs of the same length, and the first boot of a store, in which firmware
# fills the store, is neither of them.
test_hibernate() {
	local disk path store
	disk=$out/boots/hibernate.disk
	truncate -s 768M "$disk"
	qemu_args="$qemu_args -device virtio-blk-device,drive=swap -drive $(
	)if=none,id=swap,format=raw,cache=unsafe,file=$(option_path "$disk")"
	for path in $tested_paths; do
		store=$out/boots/hibernate.vars
		fresh_store "$store"
		guest "hibernate-$path-first" "$store" efi=runtime \
			path=kernel list
		hibernate "hibernate-$path" "$store" \
			"path=$path step=sleep"
		guest "hibernate-$path-resumed" "$store" efi=runtime \
			"path=$path step=awake" hibernate
		reads_the_same "hibernate-$path-resumed" "$store" "$path"
	done
	rm -f "$disk"
}

# The guest gets the kernel and the initrd that it booted with, and boots them again.
test_kexec() {
	local path store
	mkdir -p "$programs/kexec"
	cp "$root/$(linux_image "$tested")" "$programs/kexec"
	cp -a "$linux/kexec/." "$programs"
	for path in $tested_paths; do
		store=$out/boots/kexec.vars
		fresh_store "$store"
		guest "kexec-$path" "$store" "retain_initrd $(
			path_line "$tested" caesurad
		)" "path=$path" kexec
		reads_the_same "kexec-$path" "$store" "$path"
	done
}

test_refusals() {
	guest refusals-here "" "" "path=caesurad-fuse why=here" refusals
	guest refusals-runtime "" efi=runtime \
		"path=caesurad-fuse why=runtime" refusals
	guest refusals-lockdown "" \
		"lockdown=integrity $(path_line "$tested" caesurad)" \
		"path=caesurad-fuse why=lockdown" refusals
}

# Makes the boots use the root with systemd, and adds our packages.
put_service() {
	programs=$out/boots/service
	mkdir -p "$programs/bench" "$programs/tests" "$programs/packages"
	cp "$root/bench/paths.sh" "$programs/bench"
	cp "$root/tests/linux/guest/service.sh" "$programs/tests"
	cp "$root"/build/deb/*.deb "$programs/packages"
	linux_systemd=--systemd
}

# Prints a kernel's command line on which systemd starts no login prompt and writes
# only to its journal.
systemd_line() {
	echo "systemd.unit=multi-user.target systemd.getty_auto=no$(
	) systemd.show_status=no $*"
}

test_service() {
	local store
	put_service
	store=$out/boots/service.vars
	fresh_store "$store"
	guest service "$store" "$(
		systemd_line "$(path_line "$tested" caesurad)"
	)" why=here service
	guest service-kernel "$store" "$(systemd_line efi=runtime)" \
		why=runtime service
	say_same service service
}
