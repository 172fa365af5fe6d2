# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Checks of the tree and of the kernel. A check is a function that returns 0
# when it passes, or calls skip. Lines of its output that begin with "# " are
# shown also when it passes.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# skip WHY…: ends the check; it is reported as skipped.
skip() {
	echo "$*"
	exit 77
}

# bounded COMMAND…: runs a program within the check's limit. A program does not end with
# the shell that waits for it.
bounded() {
	local bounded_code
	bounded_code=0
	timeout -k 5 "$check_limit" "$@" || bounded_code=$?
	if [ "$bounded_code" -eq 124 ]; then
		echo "took more than $check_limit seconds: $*"
	fi
	return "$bounded_code"
}

# tree NAME: runs a check of the tree, in tests/checks.
tree() {
	bounded sh "tests/checks/$1.sh"
}

make_target() {
	bounded make -j2 -O "$@"
}

# Makes the embedding test, and prints its figures, a line for each compiler.
embed() {
	make_target embed >"$out/embed.log" 2>&1 || {
		cat "$out/embed.log"
		return 1
	}
	awk '/^# embed, / { compiler = ", " $3; next }
		/^(text|stack):/ { print "# library" compiler ": " $0 }
		/^stack/ { compiler = "" }' "$out/embed.log"
}

# boot_image NAME OPTIONS: boots $test_image, or the usual image, on a fresh store. When
# that fails, prints why.
boot_image() {
	if ! boot "$1" "" "$(image_file "${test_image:-image}")" "$2"; then
		last_lines "$1"
		log_lines "$1" | grep '^not ok ' || :
		echo "$boot_why"
		return 1
	fi
}

# Prints what the kernel said in boot $1.
log_lines() {
	from_kernel <"$out/boots/$1.log"
}

# build_image NAME: builds an image, with --secure-boot a signed one.
build_image() {
	build "$(image_file "$1")"
}

# Builds the images of the ablations, and the one with all protections.
build_images() {
	if [ "$secure" = yes ]; then
		build secure-images
	else
		build images
	fi
}

# with_firmware acpi|dt|secure|u-boot: chooses the firmware, and how it describes the
# machine.
with_firmware() {
	case $1 in
	acpi | dt) tables=$1 ;;
	secure)
		[ "$secure" = yes ] || vars=
		secure=yes
		;;
	u-boot)
		firmware=u-boot
		vars=
		;;
	esac
	find_firmware
}

# on_machine CPUS EL1|EL2 GIC MODEL FIRMWARE MAP: runs the self-test on that machine,
# which the kernel must have recognised.
on_machine() {
	cpus=$1
	gic=$3
	cpu=$4
	if [ "$2" = EL2 ]; then
		el2=yes
	fi
	with_firmware "$5"
	kernel_passes "selftest map=$6" || return
	log_lines boot >"$out/lines"
	grep -q "^kernel: Caesura .* entered at $2," "$out/lines" &&
		grep -q "GICv$gic," "$out/lines" &&
		grep -q "^kernel: CPUs online: $cpus of $cpus$" "$out/lines" &&
		return
	echo "the kernel has found a machine that differs from the given one:"
	grep '^kernel: ' "$out/lines"
	return 1
}

# kernel_passes OPTIONS: boots the kernel, which must end with exit code 0, at least one
# test that passed, and none that failed. Shows what the kernel skipped.
kernel_passes() {
	boot_image boot "$1" || return
	if log_lines boot | grep '^not ok '; then
		return 1
	fi
	if ! log_lines boot | grep -q '^# Totals: pass:[1-9][0-9]* fail:0 '; then
		echo "no test has passed"
		last_lines boot
		return 1
	fi
	log_lines boot | sed -n 's/^ok [0-9]* - \(.*\) # SKIP /# skipped: \1: /p'
}

# The kernel must notice this, and skip with a reason what would have to preempt it.
cannot_preempt() {
	kernel_passes 'selftest adversary slow=masked' || return
	log_lines boot | grep -q "# SKIP this firmware's SetVariable cannot be $(
	)preempted$" && return
	echo "nothing was skipped"
	return 1
}

# persists OPTION: a variable that one boot writes is there in the next.
persists() {
	if ! boot_row row "$(image_file image)" \
		"persist step=write $1" "persist step=read $1"; then
		echo "$row-$row_length: $boot_why"
		last_lines "$row-$row_length"
		return 1
	fi
}

# A variable that was written on one machine can be read on another.
persists_across() {
	local store image
	store=$out/boots/store.vars
	cp --sparse=always "$vars" "$store"
	chmod u+w "$store"
	image=$(image_file image)
	el2=yes gic=2
	if ! boot write "$store" "$image" "persist step=write"; then
		echo "write: $boot_why"
		last_lines write
		return 1
	fi
	el2=no gic=3
	if ! boot read "$store" "$image" "persist step=read"; then
		echo "read: $boot_why"
		last_lines read
		return 1
	fi
	rm -f "$store"
}

# Other checks show that the same firmware starts a signed image.
refuses_unsigned() {
	local image
	image=$(image_file image)
	with_firmware secure
	if boot unsigned "" "$image" selftest; then
		echo "an unsigned image has been started"
		return 1
	fi
	echo "# $boot_why"
	log_lines unsigned | grep "^kernel:" && return 1
	case $boot_why in
	"firmware does not start the image: "*) ;;
	*) return 1 ;;
	esac
}

# refuses OPTIONS WANTED: the kernel ends with 2, and its error names the wrong word.
refuses() {
	local code
	code=0
	boot refused "" "$(image_file image)" "$1" || code=$?
	if [ "$code" -ne 2 ] || ! log_lines refused | grep -q "^error: $2"; then
		echo "$1: exit code $code, and no line like: error: $2"
		last_lines refused
		return 1
	fi
}

refuses_options() {
	refuses "latency speed=3" 'speed=3: no such option of latency' &&
		refuses "latency gettime" 'gettime: no such option' &&
		refuses "latency rate=0" 'rate=0: not a number in 1' &&
		refuses "latency rate=1k" 'rate=1k: not a number' &&
		refuses "latency mode" 'mode: takes a value' &&
		refuses "selftest map=maybe" 'map=maybe: not one of' &&
		refuses "selftest adversary=1" 'adversary=1: takes no value' &&
		refuses "sweep first=200" 'sweep: first is not below points' &&
		refuses "dance" 'no program is called dance'
}

# The UEFI shell loads the driver; the kernel that it starts afterwards need not.
loaded_from_shell() {
	# The shell waits for five seconds, which would be long in counted time.
	icount=no
	boot_disk=$out/shell.disk
	make_disk "$boot_disk" "$root/$(image_file image)" ""
	fat=$boot_disk@@1M
	mdel -i "$fat" ::/EFI/BOOT/BOOTAA64.EFI
	mcopy -i "$fat" "$root/$(image_file image)" ::/caesura.efi
	mcopy -i "$fat" "$root/build/clang/adversary.efi" ::/adversary.efi
	printf '%s\r\n' "fs0:" "load adversary.efi" "caesura.efi fault" |
		mcopy -i "$fat" - ::/startup.nsh
	kernel_passes fault || return
	log_lines boot | grep -q "^kernel: command line: fault$"
}

# tree_word FILE OFFSET: prints a big-endian word of a device tree.
tree_word() {
	od -An -v -tu1 -j "$2" -N 4 "$1" |
		awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }'
}

# shorten_tree FILE: cuts off the free space at the end of a device tree, a megabyte. QEMU
# doubles the size of a tree that is given to it, and firmware has no room for that.
shorten_tree() {
	local size
	size=$(($(tree_word "$1" 12) + $(tree_word "$1" 32)))
	truncate -s "$size" "$1"
	# shellcheck disable=SC2059 # it is made of digits
	printf "$(printf '\\0\\0\\%o\\%o' $((size / 256)) $((size % 256)))" |
		dd of="$1" bs=1 seek=4 conv=notrunc status=none
}

# The device tree names three CPUs, of which the machine has only two.
absent_cpu() {
	local tree wanted
	tables=dt
	tree=$out/three-cpus.dtb
	"$qemu" -M "$(machine),dumpdtb=$tree" -cpu "$cpu" -smp 3 -m 512 \
		-net none -display none >"$out/dumpdtb.log" 2>&1
	shorten_tree "$tree"
	cpus=2
	qemu_args="-dtb $tree"
	kernel_passes selftest || return
	for wanted in "^warning: CPU 2 (MPIDR 2) stays off: CPU_ON returned $(
	)INVALID_PARAMETERS$" "^kernel: CPUs online: 2 of 3$"; do
		if ! log_lines boot | grep "$wanted"; then
			echo "no line is like: $wanted"
			return 1
		fi
	done
}
