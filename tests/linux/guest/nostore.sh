# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# A machine whose variables do not persist, or persist where a process cannot reach
# them. The job sets machine:
#
#   ram     firmware keeps variables in RAM only
#   file    in RAM, and in a file that the operating system has to write
#   uboot   firmware has no SetVariable at run time
#   buffer  the memory map has RAM that is shared with the secure world
#   again   the boot after one in which a write was accepted

# shellcheck disable=SC2154 # the job and common.sh set them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh
path=caesurad-fuse
guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e11

# A part of the line in which caesurad describes the machine.
case $machine in
ram) words='do not persist: firmware keeps them in RAM only' ;;
file) words='persist in the file ubootefi.var of the EFI system partition' ;;
uboot) words='it has no SetVariable at run time' ;;
esac

variable() {
	echo "$efivars/CaesuraLost-$guid"
}

# Whether a write fails with EROFS, and leaves no variable.
write_is_refused() {
	! printf '\7\0\0\0lost' >"$(variable)" && grep -q 'Read-only' /tmp/said &&
		! cat "$(variable)"
}

# Prints a variable that was accepted. The host's part of the test looks for it in the next
# boot.
say_what_was_accepted() {
	[ ! -e "$(variable)" ] || echo "# accepted: $(cat "$(variable)")"
}

# Firmware has some variables of its own on each of these machines.
known=PlatformLang-8be4df61-93ca-11d2-aa0d-00e098032b8c

is_read_only() {
	: >"$log"
	start && await grep -q ready "$log"
	check "$machine: run says so, in one line" \
		"[ \$(grep -c '$words' $log) -eq 1 ]"
	check "$machine: the mount is read-only" \
		"grep ' $efivars [^ ]* ro,' /proc/mounts"
	check "$machine: variables are read" "[ -s $efivars/$known ]"
	check "$machine: a write is refused" write_is_refused
	check "$machine: a removal is refused" \
		"! rm -f $efivars/$known && grep -q Read-only /tmp/said"
	say_what_was_accepted
}

by_fuse() {
	is_read_only
	mount -o remount,rw "$efivars"
	check "$machine: a write is refused also after a remount" \
		write_is_refused
	kill "$caesurad_pid"
	wait "$caesurad_pid"
}

by_module() {
	path=caesurad-module
	is_read_only
	check "$machine: the mount cannot be made writable" "! mount -o remount,rw $efivars"
	check "$machine: status works" "caesurad status | grep GetVariable"
}

is_refused() {
	local address
	check "$machine: check names the shared RAM and what can be done" \
		"refuses caesurad check"
	check "$machine: run says the same" "refuses caesurad run --mount /mnt"
	address=$(sed -n 's/^.* of RAM at \(0x[0-9a-f]*\) .*$/\1/p' /tmp/said |
		head -n 1)
	check "$machine: --direct does not help" \
		"refuses caesurad check --direct $address"
	check "$machine: nothing is mounted" "! grep fuse.caesurad /proc/mounts"
}

# Whether a command ends with 2, after which systemd does not start it again.
refuses() {
	local code
	code=0
	"$@" || code=$?
	[ "$code" -eq 2 ] && grep -q 'secure firmware' /tmp/said &&
		grep -q 'efi=runtime' /tmp/said && grep -q efi_runtime /tmp/said &&
		! grep -q -e 'known clock' -e 'lets firmware' /tmp/said
}

case $machine in
buffer)
	is_refused
	;;
again)
	start
	check "$machine: what was accepted is read in the next boot" "cat $(variable)"
	;;
*)
	check "$machine: check says where variables are, and that they are read-only" \
		"caesurad check && grep -q '$words' /tmp/said &&
		grep -q 'served, read-only' /tmp/said"
	by_fuse
	by_module
	;;
esac
[ "$failures" -eq 0 ]
