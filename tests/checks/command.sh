#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the command itself, with a stand-in for QEMU: its exit codes, how it judges a boot
# that dies, hangs or ends without an exit line, and which checks `test` runs.
set -eu
cd "$(dirname "$0")/../.."

out=$(mktemp -d)
hog=
trap '[ -z "$hog" ] || kill "$hog"; rm -rf "$out"' EXIT
CAESURA_QEMU=$PWD/tests/qemu/stand-in.sh
export CAESURA_QEMU
code=0

# expect CODE WORDS COMMAND…: the command must end with the code and print the words.
expect() {
	local wanted words got
	wanted=$1
	words=$2
	shift 2
	got=0
	"$@" >"$out/output" 2>&1 </dev/null || got=$?
	if [ "$got" -ne "$wanted" ]; then
		echo "$*: exit code $got, not $wanted"
		sed 's/^/    /' "$out/output"
		code=1
	else
		expect_also "$words" "$@"
	fi
}

# expect_also WORDS COMMAND…: the last command must have printed these words, too.
expect_also() {
	local words
	words=$1
	shift
	if ! grep -q -- "$words" "$out/output"; then
		echo "$*: does not say '$words'"
		sed 's/^/    /' "$out/output"
		code=1
	fi
}

run() {
	local wanted words
	wanted=$1
	words=$2
	shift 2
	expect "$wanted" "$words" ./caesura run "$@" --out "$out/run" \
		--limit 1
}

run 0 '^exit: 0$' "exit=0"
run 0 '^kernel: stand-in$' "exit=0"
run 1 'exit code 1' "exit=1"
run 2 'exit code 2' "exit=2"
run 1 'printed nothing for 1 seconds' "silent"
run 1 ': the machine stays on: no PSCI; the serial log' "stays"
run 1 'without an exit line' "noexit"
run 1 '    the last thing it said' "noexit"
run 2 'it cannot start' "dies"
run 1 'exit code 1' "exit=0" "exit=1" "exit=0"

# A boot has not hung while another process keeps QEMU from running.
cpu=$(sed -n 's/^Cpus_allowed_list:[^0-9]*\([0-9]*\).*/\1/p' /proc/self/status)
taskset -c "$cpu" sh -c 'while :; do :; done' &
hog=$!
run 0 '^exit: 0$' "starved=$cpu"
kill "$hog"
hog=
expect 2 'usage: ./caesura run' ./caesura run --out "$out/run"
expect 2 'no firmware at' ./caesura run "exit=0" --firmware /nowhere \
	--out "$out/run"
expect 2 'option of sweep only' ./caesura run "exit=0" --points 5
expect 2 'option of test only' ./caesura demo --long
expect 2 'no such option' ./caesura run --sideways 1 --out "$out/run"
expect 2 'takes a value' ./caesura run --firmware
expect 2 'from 1 to 8' ./caesura run "exit=0" --cpus 9 --out "$out/run"
expect 2 'takes 2 or 3' ./caesura run "exit=0" --gic 4 --out "$out/run"
expect 2 'takes direct or sandbox' ./caesura run "exit=0" --gate garden \
	--out "$out/run"
expect 2 'measures both gates' ./caesura demo --gate sandbox --out "$out/demo"
expect 2 'takes acpi or dt' ./caesura run "exit=0" --tables x --out "$out/run"
expect 2 'by a device tree' ./caesura run "exit=0" --firmware u-boot \
	--tables acpi --out "$out/run"
expect 2 'secure boot with U-Boot' ./caesura run "exit=0" --firmware u-boot \
	--secure-boot --out "$out/run"
expect 2 'usage: ./caesura COMMAND' ./caesura
expect 2 'usage: ./caesura COMMAND' ./caesura dance
expect 0 'usage: ./caesura COMMAND' ./caesura help
for command in demo test run sweep linux; do
	expect 0 "usage: ./caesura $command" ./caesura "$command" --help
	expect 0 "usage: ./caesura $command" ./caesura help "$command"
done
expect 2 'option of linux only' ./caesura run "exit=0" --kernel 6.1
expect 2 'takes one of: 6.1 6.12-rt 7-rt' ./caesura linux --kernel 2.6
expect 2 'takes one of: kernel caesurad-fuse' ./caesura linux --path garden
expect 2 'no script at' ./caesura linux --script /nowhere --out "$out/linux"

# packages_are installed|unknown: makes a dpkg-query that finds every package, or none.
packages_are() {
	mkdir -p "$out/$1"
	printf '#!/bin/sh\nprintf %s\n' "$1" >"$out/$1/dpkg-query"
	chmod +x "$out/$1/dpkg-query"
}

packages_are installed
packages_are unknown
expect 2 'missing packages: .*qemu-system-arm' \
	env PATH="$out/unknown:$PATH" ./caesura run "exit=0" --no-install \
	--out "$out/run"
expect 0 '^kernel: stand-in$' \
	env PATH="$out/installed:$PATH" ./caesura run "exit=0" --no-install \
	--out "$out/run"
expect 0 "gdb-multiarch '$PWD/build/clang/image.elf' -ex 'target remote 1" \
	env PATH="$out/installed:$PATH" ./caesura run "exit=0" --gdb \
	--out "$out/run"
expect 0 "-ex 'break cz_gate_direct'" \
	env PATH="$out/installed:$PATH" ./caesura run "exit=0" --gdb \
	--out "$out/run"

# The suite lists, runs, counts and reports some of its checks.
suite() {
	local wanted words
	wanted=$1
	words=$2
	shift 2
	expect "$wanted" "$words" ./caesura test --limit 1 --out "$out/suite" "$@"
}

# is_listed NAME OPTION…: the list must have this name only.
is_listed() {
	local listed
	listed=$1
	shift
	expect 0 "^$listed\$" ./caesura test --list "$@"
	if [ "$(wc -l <"$out/output")" -ne 1 ]; then
		echo "--list $*: prints something else, too:"
		sed 's/^/    /' "$out/output"
		code=1
	fi
}

suite 0 '^formatting$' --list
is_listed "a panic's report" --only "a panic's report"
is_listed "licence lines" --only "lic?nce*"
is_listed "stress, 32 threads on four CPUs, sandbox" --only "32*four CPUs" \
	--gate sandbox
suite 2 "no check's name matches 'dance'" --only dance
suite 2 "no check's name matches 'dance'" --list --only dance
suite 2 'takes a pattern' --only ''
expect 2 'option of test only' ./caesura run "exit=0" --only x
expect 2 'option of test only' ./caesura run "exit=0" --list
suite 0 '^ok 1 - every pair of ' --only "every pair"
expect_also '^1 passed, 0 failed, 0 skipped$' a check that passes
suite 1 '^not ok 1 - a panic.s report$' --cpus 2 --only "a panic's report"
expect_also '^0 passed, 1 failed, 0 skipped$' a check that fails
expect_also 'alone: ./caesura test --only "a panic.s report" --limit 1 --cpus 2$' \
	a check that fails

# A build has no limit. This one lasts until the command has looked at it more often than it
# looks at any check with this limit.
mkdir "$out/slow"
cat >"$out/slow/make" <<END
#!/bin/sh
: >>"$out/polls"
tries=0
while [ "\$(wc -c <"$out/polls")" -lt 400 ] && [ "\$tries" -lt 600 ]; do
	tries=\$((tries + 1))
	/bin/sleep 0.1
done
END
printf '#!/bin/sh\nprintf x >>%s\n' "$out/polls" >"$out/slow/sleep"
chmod +x "$out/slow/make" "$out/slow/sleep"
expect 0 '^1 passed, 0 failed' env PATH="$out/slow:$PATH" ./caesura test \
	--only "image, clang" --limit 1 --out "$out/suite"
# With secure boot the images are signed with the key beside the variable store.
keys=$out/keys
mkdir "$keys"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout "$keys/key" \
	-out "$keys/certificate" 2>/dev/null
{
	head -c 4099 /dev/zero
	openssl x509 -in "$keys/certificate" -outform DER
	head -c 4096 /dev/zero
} >"$keys/vars.fd"
expect 2 'no key is found that .*vars.fd trusts' ./caesura run "exit=0" \
	--secure-boot --vars "$keys/vars.fd" --out "$out/run"
cp "$keys/key" "$keys/PkKek-1-snakeoil.key"
cp "$keys/certificate" "$keys/PkKek-1-snakeoil.pem"
printf '#!/bin/sh\necho "$*" >%s\n' "$out/made" >"$out/slow/make"
expect 0 '^exit: 0$' env PATH="$out/slow:$PATH" ./caesura run "exit=0" \
	--secure-boot --vars "$keys/vars.fd" --out "$out/run"
cp "$out/made" "$out/output"
expect_also " SNAKEOIL=$keys/PkKek-1-snakeoil build/clang/secure/image.efi$" \
	make, for secure boot

printf '#!/bin/sh\nexit 2\n' >"$out/slow/make"
expect 2 'has failed that --only needs: image, clang$' \
	env PATH="$out/slow:$PATH" ./caesura test --only "a panic's report" \
	--out "$out/suite"

# caesurad is built before each check of it.
mkdir -p "$out/needs"
(
	long=no
	linux_tests_all="hibernate tools"
	checks=$out/needs
	# shellcheck source=tests/suite/list.sh
	. ./tests/suite/list.sh
	# shellcheck source=tests/suite/select.sh
	. ./tests/suite/select.sh
	list_linux
	while IFS= read -r line; do
		with_fields "$line" builds_for | grep -qw linux ||
			echo "no build step for: $line"
	done <"$checks/list"
) >"$out/output"
if [ -s "$out/output" ]; then
	cat "$out/output"
	code=1
fi

expect 2 'usage: ./caesura sweep' ./caesura sweep --out "$out/sweep"
expect 2 'takes fp, pin' ./caesura sweep --without care --out "$out/sweep"
expect 2 'only SetVariable' ./caesura sweep --without lock --service GetTime \
	--out "$out/sweep"
expect 2 'not a sweep' ./caesura sweep --without fp --service SetVariable \
	--out "$out/sweep"
expect 2 'without owner: QEMU ended with 3' ./caesura sweep --without owner \
	--toolchain gcc --out "$out/sweep"
expect 2 'takes one of: all tools' ./caesura linux --test care \
	--out "$out/linux"
expect 2 'option of linux only' ./caesura run "exit=0" --test kills
exit "$code"
