# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# ./caesura linux --test NAME: tests of caesurad on stock kernels. Each test is a function
# test_NAME; what runs in the guest is in tests/linux/guest.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura
# shellcheck source=tests/linux/host/boots.sh
. "$root/tests/linux/host/boots.sh"
# shellcheck source=tests/linux/host/writes.sh
. "$root/tests/linux/host/writes.sh"
# shellcheck source=tests/linux/host/cuts.sh
. "$root/tests/linux/host/cuts.sh"
# shellcheck source=tests/linux/host/firmware.sh
. "$root/tests/linux/host/firmware.sh"
# shellcheck source=tests/linux/host/systems.sh
. "$root/tests/linux/host/systems.sh"

# run_linux_test NAME: runs a test on the kernel $tested.
run_linux_test() {
	local stock_vars
	stock_vars=$vars
	esp=
	"test_$1"
}

# Runs the tests of --test.
linux_tests() {
	local tested tested_paths hostile_paths code name one started
	tested=${linux_kernel:-6.12-rt}
	need_linux "kernel:$tested"
	case " ${linux_test:-service} " in
	*" service "* | *" all "*)
		[ "$ready" = yes ] || make_service "$tested"
		;;
	esac
	case " ${linux_test:-kexec} " in
	*" kexec "* | *" all "*)
		[ "$ready" = yes ] || make_kexec
		;;
	esac
	put_tests
	tested_paths=${linux_path:-caesurad-fuse caesurad-module}
	# The module makes one call of firmware for one system call. FUSE looks each file
	# up first, which makes calls of its own.
	hostile_paths=${linux_path:-caesurad-module}
	if [ "$long" = yes ]; then
		hostile_paths=$tested_paths
	fi
	code=0
	for name in ${linux_test:-$linux_tests_all}; do
		[ "$name" != all ] || name=$linux_tests_all
		for one in $name; do
			progress "$one"
			started=$(date +%s)
			(
				trap 'finish; exit 143' TERM
				trap finish EXIT
				code=0
				run_linux_test "$one"
				exit "$code"
			) >"$out/$one.said" &
			# A shell that waits for a foreground process handles no
			# signal, so the test runs in the background.
			worker_pids=$!
			wait "$worker_pids" || code=1
			worker_pids=
			progress
			cat "$out/$one.said"
			echo "# $one: $(($(date +%s) - started)) seconds"
		done
	done
	return "$code"
}
