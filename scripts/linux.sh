# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# ./caesura linux: boots Debian's kernels on the same firmware. A kernel boots with a
# small root file system, which bench/initrd.sh packs, and runs one script in it.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura
linux=$root/build/linux
# shellcheck source=scripts/linux/root.sh
. "$root/scripts/linux/root.sh"
# shellcheck source=scripts/linux/paths.sh
. "$root/scripts/linux/paths.sh"
# shellcheck source=scripts/linux/bounds.sh
. "$root/scripts/linux/bounds.sh"
# shellcheck source=scripts/linux/measure.sh
. "$root/scripts/linux/measure.sh"

usage_linux() {
	cat <<'END'
usage: ./caesura linux [OPTION…]

Boots Debian's kernels for arm64, unmodified, on the same firmware, and measures
how late a SCHED_FIFO thread wakes up while EFI variables are read and written:
by the kernel's own path (efi=runtime), and by caesurad. A third of the boots
measure with cyclictest. Prints a table of each system, and the bounds: in the
median of the boots, caesurad's worst wake-up under 150 SetVariables of 1 KiB is
at most 1.1 times the worst under writes to a tmpfs (control); the same bound
holds under a driver that masks interrupts for 5 ms. Writes DIR/results.json.
Packages are fetched once, to build/linux; none is installed.

  --kernel NAME   6.1 (bookworm), 6.12-rt (trixie) or 7-rt (trixie-backports);
                  default: each
  --path NAME     kernel, caesurad-fuse or caesurad-module; default: each
  --boots N       boots of each system with each instrument (5)

With --script: runs a script in a small root file system, with Debian's busybox,
efibootmgr, efivar and cyclictest; prints what the script prints, and ends with
its exit code:

  --script FILE   the script, for sh
  --add DIR       copies the files in DIR to /; may be given again
  --append TEXT   adds to the kernel's command line
  --store FILE    a variable store that keeps what is written; made if missing
  --adversary     firmware loads the misbehaving driver (adversary/) first

With --test: tests what caesurad promises, on one kernel (6.12-rt):

  --test NAME     tools (Debian's programs, and the boot entry that they make),
                  readback (by the kernel's own path), kills (of caesurad during
                  writes), cuts (of power), hostile (firmware), stale (RAM that
                  is older than the variable store), hibernate, kexec, nostore
                  (variables that do not persist), starve (a busy real-time
                  thread takes the CPU), refusals, service (by systemd, from our
                  packages); or all. May be given again
  --long          300 kills and 50 power cuts instead of 20 and 3; also counts
                  what power cuts cost on the kernel's own path

Exit code 1: a bound does not hold, a test failed, or the script ended with 1.

  ./caesura linux --kernel 6.12-rt --path kernel
  ./caesura linux --test kills --test cuts --long
  ./caesura linux --script mine.sh --append efi=runtime --store mine.vars
END
	usage_common
}

# Runs the script of --script.
boot_script() {
	local kernel code
	kernel=${linux_kernel:-6.12-rt}
	[ -r "$script" ] || give_up "there is no script at $script"
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

command_linux() {
	if [ -n "$script" ]; then
		boot_script
	else
		measure_linux
	fi
}
