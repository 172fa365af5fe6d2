# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The options: their defaults, the help on those that every command takes, and the
# parser of those with a value. Each is a global variable.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# ---- Defaults ----

gate=
firmware=aavmf
vars=
cpus=1
memory=512
cpu=cortex-a57
el2=no
gic=3
tables=
secure=no
icount=yes
gdb=no
qemu=${CAESURA_QEMU:-qemu-system-aarch64}
qemu_args=
limit=60
side_by_side=2
toolchain=clang
out=
may_install=yes

# Of sweep.
service=
points=200
value=
without=

# Of test, and some of linux.
long=no
adversary=no
only=          # the pattern of the checks to run; empty: all checks
list=no        # yes: print the names of the checks, and run none
options_again= # the options of test, for the command that repeats a check

# Of linux.
linux_kernels="6.1 6.12-rt 7-rt"
linux_kernel=
linux_paths="kernel caesurad-fuse caesurad-module"
linux_path=
linux_boots=5
linux_append=
linux_store=
linux_add=
linux_tests_all="tools readback kills cuts hostile stale hibernate kexec nostore starve refusals service"
linux_test=
script=

usage_common() {
	cat <<'END'

  --gate NAME       how firmware is entered: direct (at EL1, the default) or
                    sandbox (at EL0); test and demo do both
  --cpus N          how many CPUs the machine has, 1 to 8 (1)
  --cpu MODEL       QEMU's CPU model (cortex-a57)
  --el2             firmware runs, and enters the kernel, at EL2
  --gic 2|3         version of the interrupt controller (3)
  --tables acpi|dt  how firmware describes the machine (acpi; U-Boot: dt)
  --firmware NAME   aavmf (default) or u-boot, as Debian has them; or a file:
                    EDK II's code part, or U-Boot if it is called u-boot…
  --vars FILE       the firmware's variable store; it is never written to
  --secure-boot     AAVMF with secure boot, and images signed with the key that
                    its variable store trusts; the key is looked for beside the
                    store, in the store's package, and where Debian installs it
  --no-icount       real time instead of counted instructions
  --gdb             wait for a debugger, and print the line that attaches it
  --qemu "ARGS"     more arguments for QEMU, separated by blanks
  --limit SECONDS   a boot that prints nothing for that long has failed (60);
                    the time in which QEMU waits for a CPU does not count. A
                    check of `test` fails after 30 times the limit (with --long,
                    240 times). Builds have no limit
  --jobs N          how many boots or checks run side by side (2)
  --toolchain NAME  clang (default) or gcc builds the image
  --out DIR         for logs and results (out/COMMAND)
  --no-install      list missing packages, and exit with 2

CAESURA_QEMU in the environment names another qemu-system-aarch64.
Exit codes: 0 success, 1 failure, 2 could not run.
END
}

# number OPTION VALUE: gives up unless the value is a number above 0.
number() {
	case $2 in
	'' | *[!0-9]* | 0*) give_up "$1 takes a number above 0" ;;
	esac
}

# one_of OPTION VALUE NAMES: gives up unless the value is one of the names.
one_of() {
	case " $3 " in
	*" $2 "*) ;;
	*) give_up "$1 takes one of: $3" ;;
	esac
}

# belongs_to COMMAND OPTION: gives up if the option was given to another command.
belongs_to() {
	[ "$command" = "$1" ] || give_up "$2 is an option of $1 only"
}

# keep_options WORD…: sets options_again. --only and --out are left out, because the
# command that repeats a check has its own.
keep_options() {
	while [ "$#" -gt 0 ]; do
		case $1 in
		--only | --out)
			[ "$#" -eq 1 ] || shift
			;;
		*) options_again="$options_again $(quoted "$1")" ;;
		esac
		shift
	done
}

# take_sweep_value OPTION VALUE: sets the variable of an option of sweep.
take_sweep_value() {
	case $1 in
	--service) service=$2 ;;
	--points) number "$1" "$2" && points=$2 ;;
	--value) number "$1" "$2" && value=$2 ;;
	--without) without=$2 ;;
	esac
}

# take_linux_value OPTION VALUE: sets the variable of an option of linux.
take_linux_value() {
	case $1 in
	--kernel) one_of "$1" "$2" "$linux_kernels" && linux_kernel=$2 ;;
	--path) one_of "$1" "$2" "$linux_paths" && linux_path=$2 ;;
	--boots) number "$1" "$2" && linux_boots=$2 ;;
	--script) script=$(absolute "$2") ;;
	--add) linux_add="$linux_add $(absolute "$2")" ;;
	--append) linux_append="$linux_append $2" ;;
	--store) linux_store=$(absolute "$2") ;;
	--test)
		one_of "$1" "$2" "all $linux_tests_all"
		linux_test="$linux_test $2"
		;;
	esac
}

# take_value OPTION VALUE: sets the variable of an option, or gives up.
take_value() {
	case $1 in
	--service | --points | --value | --without)
		belongs_to sweep "$1"
		take_sweep_value "$@"
		;;
	--kernel | --path | --boots | --script | --add | --append | --store | \
		--test)
		belongs_to linux "$1"
		take_linux_value "$@"
		;;
	--firmware)
		case $2 in
		aavmf | u-boot) firmware=$2 ;;
		*) firmware=$(absolute "$2") ;;
		esac
		;;
	--gate)
		case $2 in
		direct | sandbox) gate=$2 ;;
		*) give_up "--gate takes direct or sandbox" ;;
		esac
		;;
	--cpus)
		case $2 in
		[1-8]) cpus=$2 ;;
		*) give_up "--cpus takes a number from 1 to 8" ;;
		esac
		;;
	--gic)
		case $2 in
		[23]) gic=$2 ;;
		*) give_up "--gic takes 2 or 3" ;;
		esac
		;;
	--tables)
		case $2 in
		acpi | dt) tables=$2 ;;
		*) give_up "--tables takes acpi or dt" ;;
		esac
		;;
	--vars) vars=$(absolute "$2") ;;
	--cpu) cpu=$2 ;;
	--jobs) number "$1" "$2" && side_by_side=$2 ;;
	--qemu) qemu_args="$qemu_args $2" ;;
	--limit) number "$1" "$2" && limit=$2 ;;
	--toolchain)
		case $2 in
		clang | gcc) toolchain=$2 ;;
		*) give_up "--toolchain takes clang or gcc" ;;
		esac
		;;
	--out) out=$(absolute "$2") ;;
	--only)
		belongs_to test "$1"
		[ -n "$2" ] || give_up "--only takes a pattern"
		only=$2
		;;
	*) give_up "no such option: $1; see ./caesura $command --help" ;;
	esac
}

# Makes $out, the directory for logs and results, and removes an earlier run's logs.
prepare_out() {
	if [ "$list" = yes ]; then
		out=$(mktemp -d)
	elif [ -n "$only" ]; then
		out=${out:-$root/out/only}
	fi
	out=${out:-$root/out/$command}
	mkdir -p "$out" || exit 2
	rm -rf "$out/boots" "$out/serial.log"
	mkdir -p "$out/boots"
	: >"$out/boots/list"
	if [ "$gdb" = yes ]; then
		side_by_side=1
	fi
}
