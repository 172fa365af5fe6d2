# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Hibernates a machine on which caesurad runs. Another boot, in which firmware and a kernel
# with runtime services write variables, then resumes it, so that caesurad finds another
# content in the chip and in RAM. The job sets step: sleep, or awake for the other boot.
# The image goes to /dev/vda.

# shellcheck disable=SC2154 # common.sh and the job set them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh
guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e13

# Sets caesurad_pid: a check starts the daemon in a subshell.
take_pid() {
	caesurad_pid=$(pidof caesurad)
	caesurad_pid=${caesurad_pid%% *}
}

# Starts the next daemon. With the module, the mount has stayed.
start_again() {
	: >"$log"
	if [ "$path" = caesurad-fuse ]; then
		start || return
	else
		caesurad run 2>>"$log" &
		caesurad_pid=$!
	fi
	await grep -q ready "$log"
}

# Writes a variable while the daemon ends. With the module, the kernel keeps a request that
# was not answered for the next daemon. With FUSE the write fails.
write_while_it_ends() {
	if [ "$path" = caesurad-fuse ]; then
		! write "$@"
	else
		write "$@" &
		writer=$!
	fi
}

modprobe -a virtio_mmio virtio_blk
await [ -e /dev/vda ] || exit 1
swap=$(cat /sys/class/block/vda/dev)

if [ "$step" = awake ]; then
	path=kernel
	start_path kernel
	check "another boot writes a variable" "write CaesuraBetween between"
	umount "$efivars"
	echo "$swap" >/sys/power/resume
	echo "not ok - the machine does not go on where it was"
	exit 1
fi

start || exit 1
check "variables are written" "write CaesuraOne one && write CaesuraSame same"
mkswap /dev/vda >/dev/null && swapon /dev/vda
echo 0 >/sys/power/image_size
echo shutdown >/sys/power/disk
echo "hibernates"
check "the machine hibernates and resumes" "echo disk >/sys/power/state"
write_while_it_ends CaesuraTwo two
check "the old daemon notices the other boot and ends" \
	"await has_ended && grep 'slept, and its memory or flash has changed' $log"
# The module's device is busy until the daemon's last thread has ended.
has_ended && wait "$caesurad_pid"
check "the next daemon makes a new state" "start_again && $(
)grep 'as after a hibernation' $log && grep 'made from' $log || ! cat $log"
take_pid
if [ "$path" = caesurad-fuse ]; then
	check "the write that failed succeeds now" "write CaesuraTwo two"
else
	wait "$writer"
	check "the write that was under way succeeds" "[ $? -eq 0 ]"
fi
# The kernel's own efivarfs lists the variables that existed when it was mounted.
if [ "$path" = caesurad-module ]; then
	umount "$efivars" && mount -t efivarfs efivarfs "$efivars"
fi
check "nothing is lost" "reads CaesuraOne one && reads CaesuraBetween between &&
	reads CaesuraSame same && reads CaesuraTwo two"
check "a new value can be written and read" "write CaesuraOne 'one again' &&
	reads CaesuraOne 'one again'"
list_variables
end_path "$path"
[ "$failures" -eq 0 ]
