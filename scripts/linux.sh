# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Stock Linux kernels: what `./caesura linux` does. The command reads this file
# and calls command_linux(); what boots is the command's own. A kernel boots
# with the small root that bench/initrd.sh packs, and runs one script in it.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura
linux=$root/build/linux
linux_memory=1024
linux_systemd= # --systemd: boots have it, instead of the small root
wakeups=2000 # of a phase and a boot, where nothing else says how many
calls=150    # of SetVariable: the store does not hold many more

# ---- What it needs ----

module_compiler=aarch64-linux-gnu-gcc
packages_linux="gcc-aarch64-linux-gnu mtools cpio kmod xz-utils zstd debian-archive-keyring"

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

# ---- One boot ----

# prepare_linux NAME KERNEL JOB [ADD…]: sets initrd.
prepare_linux() {
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

# ---- Firmware with the adversary in it ----

# Firmware loads the driver from the disk $esp before the kernel, as an entry in
# the variable store $1 says, which Debian's own efibootmgr makes on Linux.
make_adversary() {
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

# ---- A script of one's own ----

boot_script() {
	kernel=${linux_kernel:-6.12-rt}
	[ -r "$script" ] || give_up "no script at $script"
	need_linux "kernel:$kernel"
	if [ "$adversary" = yes ]; then
		make_adversary "$out/adversary.vars" "$kernel"
		vars=$out/adversary.vars
		esp=$adversary_disk
	fi
	# shellcheck disable=SC2086 # directories
	prepare_linux script "$kernel" "$script" $linux_add
	stream=yes
	if [ -n "$linux_store" ] && ! [ -e "$linux_store" ]; then
		cp --sparse=always "$vars" "$linux_store"
		chmod u+w "$linux_store"
	fi
	code=0
	boot script "$linux_store" "$(linux_image "$kernel")" \
		"$(linux_line "$linux_append")" || code=$?
	rm -f "$initrd"
	if [ -n "$boot_why" ]; then
		if [ -z "$exit_code" ]; then
			last_lines script >&2
		fi
		say "caesura: $boot_why; the serial log:" \
			"$(short "$out/boots/script.log")"
	fi
	return "$code"
}

# ---- What a path has to do ----

# show_step NAME KERNEL PATH STEP: on the store $show_store.
show_step() {
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

# ---- Measuring ----

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

# list_measurement KERNEL PATH: each boot measures by one of two instruments, or
# by ours under firmware that masks interrupts.
list_measurement() {
	for meter in ours cyclictest mask; do
		seed=1
		while [ "$seed" -le "$linux_boots" ]; do
			list_boot "$1.$2.$meter.$seed" "$(linux_image "$1")" \
				"$(linux_line "$(path_line "$1" "$2")")"
			seed=$((seed + 1))
		done
	done
}

# Of boot NAME: KERNEL.PATH.METER.SEED, of which a kernel may have dots.
seed_of() {
	echo "${1##*.}"
}

meter_of() {
	rest=${1%.*}
	echo "${rest##*.}"
}

path_of() {
	rest=${1%.*.*}
	echo "${rest##*.}"
}

kernel_of() {
	echo "${1%.*.*.*}"
}

# Does job $2 of the list, with what it boots with made for it.
boot_linux_listed() {
	listed=$(sed -n "$2p" "$out/boots/list")
	listed=${listed%% *}
	path=$(path_of "$listed")
	cat >"$out/boots/$listed.job" <<-END
		path=$path mode=$(path_mode "$path") seed=$(seed_of "$listed")
		meter=$(meter_of "$listed") wakeups=$wakeups calls=$calls
		. /bench/measure.sh
	END
	prepare_linux "$listed" "$(kernel_of "$listed")" "$out/boots/$listed.job"
	esp=
	vars=$stock_vars
	if [ "$(meter_of "$listed")" = mask ]; then
		esp=$adversary_disk
		vars=$out/adversary.vars
	fi
	boot_listed "$1" "$2"
	rm -f "$initrd"
}

# Lists every system: its name in the rows, its kernel, its path.
list_systems() {
	for kernel in ${linux_kernel:-$linux_kernels}; do
		for path in ${linux_path:-$linux_paths}; do
			if has_path "$path" "$kernel"; then
				echo "$kernel $path" >>"$out/boots/systems"
				list_measurement "$kernel" "$path"
			else
				say "caesura: $path has not been built for" \
					"$kernel: left out"
			fi
		done
	done
	[ -s "$out/boots/systems" ] || give_up "nothing to measure"
}

system_name() {
	echo "Linux $(release_of "$1"), $2"
}

# of_system COMMAND KERNEL PATH: tools/results on the logs of a system.
of_system() {
	"$root/build/tools/results" "$1" --no-bounds \
		--system "$(system_name "$2" "$3")" \
		--firmware "$(firmware_name)" --cpus "$cpus" \
		"$out/boots/$2.$3".*.log
}

# All the arrays as one.
write_linux_rows() {
	while read -r kernel path; do
		of_system json "$kernel" "$path" || return
	done <"$out/boots/systems" >"$out/boots/rows" || return
	awk '
	/^\[$/ || /^\]$/ { next }
	held != "" { print held ($0 ~ /^  \{$/ && held ~ /\}$/ ? "," : "") }
	BEGIN { print "[" }
	{ held = $0 }
	END { print held "\n]" }' "$out/boots/rows" >"$out/results.json"
}

# worst_of LOG PHASE: the latest wake-up, in ns, by the meter that the boot had.
worst_of() {
	tr -d '\r' <"$1" | awk -v phase="$2" '
	/^cell / { inside = index($0, " phase=" phase " ") }
	/^hist / && inside {
		split($NF, pair, ":")
		worst = pair[1]
	}
	/^cyclictest / && index($0, " phase=" phase " ") {
		split($NF, pair, "=")
		worst = pair[2]
	}
	END { print worst }'
}

# worsts KERNEL PATH METER PHASE: of the boots, in their order of size.
worsts() {
	for log in "$out/boots/$1.$2.$3".*.log; do
		worst_of "$log" "$4"
	done | sort -n | tr '\n' ' '
}

# judge_phase KERNEL PATH METER PHASE WORDS: the bound is on what is ours; what the
# kernel does is said beside it.
judge_phase() {
	bound_number=$((bound_number + 1))
	awk -v say="$(system_name "$1" "$2"), $5" \
		-v control="$(worsts "$1" "$2" "$3" control)" \
		-v load="$(worsts "$1" "$2" "$3" "$4")" \
		-v phase="$4" -v path="$2" -v number="$bound_number" \
		-v boots="$linux_boots" '
	function median(list) {
		measured = measured && split(list, worst, " ") == boots
		return worst[int((boots + 1) / 2)]
	}
	function words(name, list) {
		return sprintf("%s %.1f us (at most %.1f)", name, \
			median(list) / 1000, worst[boots] / 1000)
	}
	BEGIN {
		measured = 1
		say = say ": worst wake-up, median of " boots " boots: " \
			words("under " phase, load) ", " \
			words("control", control)
		holds = measured && median(load) <= 1.1 * median(control)
		if (path == "kernel") {
			print "ok " number " - " say " # SKIP no bound"
			exit 0
		}
		print (holds ? "ok " : "not ok ") number " - " say \
			"; at most 1.1 times control"
		exit !holds
	}' || code=1
}

judge_systems() {
	bound_number=0
	while read -r kernel path; do
		judge_phase "$kernel" "$path" ours setvariable "our meter"
		judge_phase "$kernel" "$path" cyclictest setvariable cyclictest
		judge_phase "$kernel" "$path" mask mask "masked for 5 ms"
	done <"$out/boots/systems"
}

print_systems() {
	while read -r kernel path; do
		of_system table "$kernel" "$path" || return
	done <"$out/boots/systems"
}

measure_linux() {
	kernels=
	for kernel in ${linux_kernel:-$linux_kernels}; do
		kernels="$kernels kernel:$kernel"
	done
	# shellcheck disable=SC2086 # a list
	need_linux $kernels
	started=$(date +%s)
	stock_vars=$vars
	make_adversary "$out/adversary.vars" "${linux_kernel:-6.12-rt}"
	: >"$out/boots/systems"
	list_systems
	say "caesura: measuring, $(wc -l <"$out/boots/list") boots, about a minute each," \
		"$side_by_side at a time"
	code=0
	show_systems
	if ! boot_all boot_linux_listed; then
		# Before the lines of the kernel's with which such a boot ends.
		cat "$out"/boots/*.log | tr -d '\r' |
			grep -e '^meter: ' -e '^cyclictest: ' >&2 || :
		return 1
	fi
	rows=yes
	print_systems >"$out/table.txt" || rows=no
	cat "$out/table.txt"
	judge_systems
	if [ "$rows" = no ] || ! write_linux_rows; then
		give_up "the serial logs in $(short "$out/boots") make no rows"
	fi
	short "$out/results.json"
	echo
	say "caesura: $boots_listed boots in $(($(date +%s) - started)) seconds"
	return "$code"
}

command_linux() {
	if [ -n "$script" ]; then
		boot_script
	elif [ -n "$linux_test" ]; then
		# shellcheck source=tests/linux/host/boots.sh
		. "$root/tests/linux/host/boots.sh"
		linux_tests
	else
		measure_linux
	fi
}
