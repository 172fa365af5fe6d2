# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Boots a test's guest, and compares what two boots read from the variable store.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# Adds the guest's part of the tests to its root.
put_tests() {
	mkdir -p "$programs/tests"
	cp "$root"/tests/linux/guest/*.sh "$root"/tests/linux/guest/*.rows \
		"$programs/tests"
	put torture /usr/bin
	put starve /usr/bin
	put inject /usr/bin
}

# prepare_guest NAME WORDS SCRIPT: packs an initrd for boot NAME, which runs the SCRIPT of
# tests/linux/guest. WORDS are assignments for the script.
prepare_guest() {
	printf '%s\n. /tests/%s.sh\n' "$2" "$3" >"$out/boots/$1.job"
	prepare_linux "$1" "$tested" "$out/boots/$1.job"
}

# guest NAME STORE LINE WORDS SCRIPT: boots the guest on the STORE. An empty LINE stands
# for the kernel's command line that leaves firmware to caesurad. Sets guest_code.
guest() {
	prepare_guest "$1" "$4" "$5"
	guest_code=0
	boot "$1" "$2" "$(linux_image "$tested")" \
		"$(linux_line "${3:-$(path_line "$tested" caesurad)}")" ||
		guest_code=$?
	rm -f "$initrd"
	initrd=
	relay "$1"
}

# relay NAME: prints the guest's results. A boot that failed without a result is a failure
# of its own.
relay() {
	lines_of "$1" | grep -E '^((not )?ok - |# )' || :
	if [ "$guest_code" -ne 0 ]; then
		code=1
		if ! lines_of "$1" | grep -q '^not ok - '; then
			echo "not ok - $1: $boot_why"
			last_lines "$1" | sed 's/^/# /'
		fi
	fi
}

# Prints what boot $1 said.
lines_of() {
	tr -d '\r' <"$out/boots/$1.log"
}

# say_whether WORDS COMMAND: prints a result; the command decides whether it is a success.
say_whether() {
	if "$2"; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		code=1
	fi
}

# fresh_store FILE: makes a variable store as firmware comes with.
fresh_store() {
	cp --sparse=always "$stock_vars" "$1"
	chmod u+w "$1"
}

# reads_the_same BEFORE STORE WORDS: boots the stock kernel on the store. It must read,
# byte for byte, the variables that boot BEFORE listed at its end.
reads_the_same() {
	guest "$1-kernel" "$2" efi=runtime path=kernel list
	say_same "$1" "$3"
}

# say_same BEFORE WORDS: prints whether boots BEFORE and BEFORE-kernel listed the same.
say_same() {
	local same
	same=false
	rm -f "$out/boots/different"
	if [ "$guest_code" -eq 0 ] && variables_in "$1" >"$out/boots/before" &&
		[ -s "$out/boots/before" ] && variables_in "$1-kernel" |
		diff "$out/boots/before" - >"$out/boots/different"; then
		same=true
	fi
	say_whether "$2: the kernel's own efivarfs reads all $(
		wc -l <"$out/boots/before"
	) variables, byte for byte" "$same"
	if [ "$same" = false ] && [ -e "$out/boots/different" ]; then
		sed 's/^/# /' "$out/boots/different"
	fi
}
