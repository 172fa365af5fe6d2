# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# What the tests of the module share.

# shellcheck disable=SC2034,SC2059 # shared with job.sh; bytes, by their numbers
vars=/sys/firmware/efi/efivars
guid=11111111-2222-3333-4444-555555555555
log=/run/log
provider= # its process
mask=0xffffffff

ok() {
	echo "ok - $1"
}

not_ok() {
	echo "not ok - $1"
}

# that WORDS COMMAND…: prints a result; the command decides whether it is a success.
that() {
	local words
	words=$1
	shift
	if "$@" >/run/said 2>&1; then
		ok "$words"
	else
		not_ok "$words"
		sed 's/^/# /' /run/said
	fi
}

# fails_with ERROR WORDS COMMAND…: the command must fail with that error.
fails_with() {
	local error words
	error=$1
	words=$2
	shift 2
	if "$@" >/run/said 2>&1; then
		not_ok "$words: it succeeded"
	elif grep -q "$error" /run/said; then
		ok "$words: $error"
	else
		not_ok "$words"
		sed 's/^/# /' /run/said
	fi
}

serve() {
	fake_provider serve /run/store "$@" >>/run/served 2>&1 &
	provider=$!
	sleep 1
}

# Whether the provider has died by itself after two seconds.
died() {
	sleep 2
	! kill -0 "$provider" 2>/dev/null
}

# put NAME ATTRIBUTES VALUE: sets a variable, in one write, as efivarfs demands.
put() {
	printf "\\$2\\000\\000\\000$3" >/run/value
	dd if=/run/value of="$vars/$1-$guid" bs=64k conv=notrunc 2>&1 |
		grep 'dd:' && return 1
	return 0
}

value() {
	tail -c +5 "$vars/$1-$guid"
}

is() {
	[ "$(value "$1")" = "$2" ]
}

gone() {
	! [ -e "$vars/$1-$guid" ]
}

remove() {
	fake_provider mutable "$vars/$1-$guid" && rm "$vars/$1-$guid"
}

# Makes the provider misbehave once more: the first word of its store says which
# misbehaviours it has done.
clear_mischief() {
	dd if=/dev/zero of=/run/store bs=4 count=1 conv=notrunc 2>/dev/null
}

# seconds COMMAND…: prints after how many seconds the command ends, with any result.
seconds() {
	local from to
	from=$(cut -d. -f1 /proc/uptime)
	"$@" >/run/ended 2>&1
	to=$(cut -d. -f1 /proc/uptime)
	echo $((to - from))
}
