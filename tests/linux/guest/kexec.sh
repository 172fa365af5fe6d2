# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Three kernels run in turn, and kexec starts each next one: the first with caesurad, the
# second with its own runtime services, the third with caesurad again. Each reads what the
# others have written, and writes.

# shellcheck disable=SC2154 # common.sh sets them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh
guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e14
stage=$(sed -n 's/.*stage=\([0-9]\).*/\1/p' /proc/cmdline)

# many COMMAND TEXT: runs the command for ten variables.
many() {
	local number
	for number in 0 1 2 3 4 5 6 7 8 9; do
		"$1" "CaesuraMany$number" "$2 $number" || return
	done
}

# go_on STAGE WORDS: starts this kernel again, with its initrd and with the words on its
# command line.
go_on() {
	cp /sys/firmware/initrd /tmp/initrd
	# The checksums of kexec would take longer than all the rest.
	kexec --load --no-checks --initrd=/tmp/initrd --command-line="$(
	)console=ttyAMA0 quiet panic=-1 retain_initrd stage=$1 $2" \
		/kexec/vmlinuz && kexec --exec
	echo "not ok - no kernel is started by kexec"
	exit 1
}

case $stage in
"")
	start || exit 1
	check "before a kexec, variables are written" \
		"write CaesuraOne one && write CaesuraGone gone && many write first"
	check "a variable is deleted" "chattr -i $efivars/CaesuraGone-$guid &&
		rm $efivars/CaesuraGone-$guid"
	[ "$failures" -eq 0 ] || exit 1
	go_on 2 efi=runtime
	;;
2)
	path=kernel
	start_path kernel
	check "a kernel started by kexec, with runtime services, reads them all" \
		"reads CaesuraOne one && many reads first &&
		! [ -e $efivars/CaesuraGone-$guid ]"
	check "it writes" "write CaesuraOne two && write CaesuraNew new &&
		many write second"
	check "it reads what it has written" "reads CaesuraOne two &&
		reads CaesuraNew new && many reads second"
	[ "$failures" -eq 0 ] || exit 1
	umount "$efivars"
	go_on 3
	;;
3)
	start
	started=$?
	check "caesurad in a kernel started by kexec serves" "[ $started -eq 0 ]"
	check "it finds firmware's RAM as new as the store" "grep 'made from' $log"
	check "it reads what both kernels have written" "reads CaesuraOne two &&
		reads CaesuraNew new && many reads second"
	check "it writes" "write CaesuraOne three && many write third"
	check "it reads that" "reads CaesuraOne three && many reads third"
	list_variables
	end_path "$path"
	;;
esac
[ "$failures" -eq 0 ]
