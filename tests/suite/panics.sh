# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Checks of what the kernel reports when it panics.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# reports PROGRAM LIKE…: the program panics, and the report has lines like those.
reports() {
	local program wanted
	program=$1
	shift
	if boot panic "" "$(image_file image)" "$program"; then
		echo "a panic ended with exit code 0"
		return 1
	fi
	for wanted in "$@" \
		'called from [0-9a-f]* [a-z_0-9]*+0x[0-9a-f]*' '^exit: 1'; do
		if ! log_lines panic | grep -q "$wanted"; then
			echo "no line of the report is like: $wanted"
			last_lines panic 40
			return 1
		fi
	done
	if log_lines panic | grep '?+0x'; then
		echo "the report has an address without the name of a function"
		return 1
	fi
}

# panics NAME OPTIONS WANTED: the kernel panics on the store $store, and the report has a
# line like WANTED.
panics() {
	if boot "$1" "$store" "$(image_file image)" "$2"; then
		echo "a panic ended with exit code 0"
		return 1
	fi
	if ! log_lines "$1" | grep -q "$3"; then
		echo "no line of the report is like: $3"
		last_lines "$1" 40
		return 1
	fi
}

# The kernel writes its record only when firmware is free; then the next boot finds it.
panic_records() {
	local store
	store=
	panics busy "panic record" \
		'^kernel: panic record: busy, [GS][A-Za-z]* is in flight' ||
		return
	store=$out/boots/record.vars
	cp --sparse=always "$vars" "$store" && chmod u+w "$store" || return
	panics idle "panic record when=idle" \
		'^kernel: panic record: written' || return
	boot read "$store" "$(image_file image)" \
		"panic step=read" || return
	log_lines read | grep '^kernel: panic record: exception in the kernel'
}

panic_reports() {
	reports panic '^error: panic: ' ': pc [0-9a-f]* culprit_entry+0x' \
		': call in flight: [GS][A-Za-z]*'
}

# The kernel jumps to firmware's code in the sandbox's space. It must take a permission
# fault, from EL1 itself, at the first instruction.
execution_reports() {
	local address
	if boot panic "" "$(image_file image)" "panic when=execute"; then
		echo "a panic ended with exit code 0"
		return 1
	fi
	address=$(log_lines panic | sed -n 's/^kernel: executing at //p')
	if [ -z "$address" ] || ! log_lines panic | grep "^error: panic: $(
	)exception in the kernel: ESR 8600000[cdef] .*FAR 0*$address\$"; then
		last_lines panic 40
		return 1
	fi
}

overflow_reports() {
	reports overflow '^error: panic: kernel stack overflow: ' \
		': pc [0-9a-f]* descend+0x'
}

# Such a boot fails and names the reason, and QEMU does not run until the limit.
stays_on_reports() {
	if boot stay "" "$(image_file image)" stay; then
		echo "a machine without PSCI has been switched off"
		return 1
	fi
	case $boot_why in
	"the machine stays on: its tables ("*") name no PSCI") ;;
	*)
		echo "$boot_why"
		last_lines stay
		return 1
		;;
	esac
}
