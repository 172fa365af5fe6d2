# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Where caesurad must not run, it refuses and says why. The job sets why.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh
path=caesurad

# refuses CODE WORDS COMMAND…: whether the command ends with the code and prints the words.
refuses() {
	local wanted words got
	wanted=$1
	words=$2
	shift 2
	got=0
	"$@" </dev/null || got=$?
	[ "$got" -eq "$wanted" ] || {
		echo "exit code $got, not $wanted"
		return 1
	}
	grep -q -- "$words" /tmp/said
}

refuses_runtime() {
	check "check refuses beside the kernel's runtime services" \
		"refuses 2 'efi=noruntime' caesurad check"
	check "run refuses beside the kernel's runtime services" \
		"refuses 2 'efi=noruntime' caesurad run --mount /mnt"
	check "check refuses also when the kernel's log is empty" "dmesg -c >/dev/null;
		refuses 2 'efi=noruntime' caesurad check"
	insmod /bench/caesura-efivars.ko 2>/dev/null || return 0
	check "run refuses also with the module" \
		"refuses 2 'efi=noruntime' caesurad run"
}

refuses_lockdown() {
	mount -t securityfs securityfs /sys/kernel/security
	cat /sys/kernel/security/lockdown
	check "check refuses on a kernel that is locked down" \
		"refuses 2 'locked down' caesurad check"
}

refuses_options() {
	check "a missing command is refused" "refuses 2 usage: caesurad"
	check "an unknown command is refused" "refuses 2 'no such command' caesurad dance"
	check "an unknown option is refused" "refuses 2 unrecognized caesurad run --dance"
	check "a wrong value is refused" "refuses 2 'wrong value' caesurad run --fifo 100"
	check "a deadline of 0 is refused" "refuses 2 'wrong value' caesurad run --deadline 0"
	check "a kill limit that is no number is refused" "refuses 2 'wrong value' caesurad run --kill-limit x"
	check "a list of CPUs without any is refused" "refuses 2 'wrong value' caesurad run --cpus 3-1"
	check "a relative path of the state is refused" \
		"refuses 2 'wrong value' caesurad run --state x"
	check "status fails without a daemon" "refuses 2 'no daemon' caesurad status"
	check "run refuses without a front end" \
		"refuses 2 'neither the module nor --mount' caesurad run"
}

# has_only CAPABILITIES PID: whether each thread of the process has these capabilities only,
# cannot get others, and does not belong to root.
has_only() {
	local status
	for status in /proc/"$2"/task/*/status; do
		cat "$status"
		awk -v wanted="$1" '
		/^Uid:|^Gid:/ { wrong += $2 == 0 || $3 == 0 || $4 == 0 || $5 == 0 }
		/^Groups:/ { wrong += NF != 1 }
		/^Cap(Prm|Eff):/ { seen += $2 == wanted }
		/^Cap(Inh|Bnd|Amb):/ { seen += $2 ~ /^0+$/ }
		/^NoNewPrivs:/ { seen += $2 == 1 }
		/^Seccomp:/ { seen += $2 == 2 }
		END { exit wrong > 0 || seen != 7 }' "$status" || return
	done
}

# Whether the daemon has at least seven threads: main, the worker, the one for timers, and
# those of FUSE.
threads() {
	set -- /proc/"$1"/task/*
	echo $#
	[ $# -ge 7 ]
}

refuses_here() {
	local helper
	refuses_options
	check "check says that this machine can be served" "caesurad check"
	check "check refuses without CAP_SYS_RAWIO" "refuses 2 CAP_SYS_RAWIO torture $(
	)without-rawio caesurad check"
	check "check recognises the clock" \
		"caesurad check | grep '0x0009010000.* a clock (PL031)'"
	check "--direct passes the clock through instead" "caesurad check --direct 0x9010000 |
		grep '0x0009010000.* a device, passed through: --direct'"
	check "--direct refuses an address without a device" \
		"refuses 2 '0x9011000: no runtime device' caesurad check $(
		)--direct 0x9011000"
	echo text >/tmp/state
	chmod 600 /tmp/state
	check "check refuses a state file that is not one" \
		"refuses 2 'remove it' caesurad check --state /tmp/state"
	check "check waits for the child of a killed daemon" \
		"torture hold /sys/firmware/fdt && caesurad check"
	path=caesurad-fuse
	start
	path=caesurad
	await grep -q ready "$log"
	check "the log names the device that is passed through" \
		"grep 'the clock (PL031) at 0x9010000 directly, 4 KiB' $log"
	check "no thread of the daemon has a privilege" \
		"threads $caesurad_pid && has_only 0000000000000000 $caesurad_pid"
	helper=$(cat /proc/"$caesurad_pid"/task/"$caesurad_pid"/children)
	check "it cannot make system calls in forms that it does not need" \
		"inject $caesurad_pid"
	check "it goes on after these attempts" "ls $efivars | grep -q BootOrder"
	check "the process beside it can only unmount" \
		"has_only 0000000000200000 ${helper:-none}"
	check "a second daemon is refused" \
		"refuses 3 'another caesurad' caesurad run --mount /mnt"
	check "check refuses beside a daemon" \
		"refuses 3 'another caesurad' caesurad check"
	mv /run/caesurad /run/moved
	check "a second daemon is refused also when the directory of the first is gone" \
		"refuses 3 'another caesurad' caesurad run --mount /mnt"
	mv /run/moved /run/caesurad
	check "the first one goes on" "ls $efivars | grep -q BootOrder &&
		caesurad status && caesurad time"
	check "a client that sends nothing does not block others" \
		"torture silent /run/caesurad/control timeout 10 caesurad status"
	kill "$caesurad_pid"
	wait "$caesurad_pid"
	check "it ends with 0" "[ $? -eq 0 ]"
	check "it leaves no mount" "! grep $efivars /proc/mounts"
	check "the process beside it has ended, too" \
		"await eval '! kill -0 $helper 2>/dev/null'"
}

case $why in
runtime) refuses_runtime ;;
lockdown) refuses_lockdown ;;
*) refuses_here ;;
esac
[ "$failures" -eq 0 ]
