#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest, by bench/init: caesura-efivars with a provider without firmware.
# A line for each thing that is so or is not; exit code 1 if one is not.
# shellcheck disable=SC2059 # bytes, by their numbers
set -u

vars=/sys/firmware/efi/efivars
guid=11111111-2222-3333-4444-555555555555
log=/run/log
: >$log

ok() {
	echo "ok - $1"
}

not_ok() {
	echo "not ok - $1"
}

# that WORDS COMMAND…
that() {
	words=$1
	shift
	if "$@" >/run/said 2>&1; then
		ok "$words"
	else
		not_ok "$words"
		sed 's/^/# /' /run/said
	fi
}

# fails_with ERROR WORDS COMMAND…
fails_with() {
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

provider=
serve() {
	fake_provider serve /run/store "$@" >>/run/served 2>&1 &
	provider=$!
	sleep 1
}

# Waits until the provider has died, by itself.
died() {
	sleep 2
	! kill -0 "$provider" 2>/dev/null
}

# put NAME ATTRIBUTES VALUE: in one write, as efivarfs wants it.
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

# In how many seconds a command ends, however.
seconds() {
	from=$(cut -d. -f1 /proc/uptime)
	"$@" >/run/ended 2>&1
	to=$(cut -d. -f1 /proc/uptime)
	echo $((to - from))
}

loads() {
	that "the module loads" insmod /bench/caesura-efivars.ko
	that "its device is root's" \
		[ "$(stat -c %a:%U /dev/caesura)" = 600:root ]
	fake_provider check
	that "it can be unloaded while nobody has registered" \
		rmmod caesura_efivars
	insmod /bench/caesura-efivars.ko
	case $(cat /proc/cmdline) in
	*efi=runtime*)
		serve
		that "the kernel's own runtime services: refused" \
			grep -q 'register: Device or resource busy' /run/served
		return 1
		;;
	esac
}

mounts() {
	serve "$mask"
	modprobe efivarfs
	that "efivarfs mounts" mount -t efivarfs efivarfs $vars
	that "the module stays" sh -c '! rmmod caesura_efivars'
}

works() {
	that "a variable is made" put First 7 one
	that "and read" is First one
	that "and listed" [ -e "$vars/First-$guid" ]
	fake_provider mutable "$vars/First-$guid"
	that "and set again" put First 7 three
	that "and read again" is First three
	that "and appended to" put First 107 four
	that "and read as a whole" is First threefour
	that "and removed" remove First
	that "and is gone" gone First
	that "64 are made" many 8
	fails_with 'No space' "more than there is room for" put Big 7 \
		"$(head -c 5000 /dev/zero | tr '\0' x)"
	that "statfs" df $vars
	df $vars | sed 's/^/# /'
}

many() {
	count=0
	while [ $count -lt "$1" ]; do
		count=$((count + 1))
		put Many$count 7 "value $count" || return 1
		is Many$count "value $count" || return 1
	done
	[ "$(find $vars -name "Many*" | wc -l)" -eq "$1" ]
}

tools() {
	that "a boot entry is written" sh -c "printf '\\007\\000\\000\\000\\001\\000\\000\\000\\004\\000h\\000i\\000\\000\\000\\177\\377\\004\\000' \
		>$vars/Boot0007-8be4df61-93ca-11d2-aa0d-00e098032b8c"
	that "efibootmgr sets the order" efibootmgr -o 0007
	that "efibootmgr lists it" sh -c 'efibootmgr | grep -q "Boot0007. hi"'
	efibootmgr | sed 's/^/# /'
	that "efibootmgr removes it" efibootmgr -b 0007 -B
	that "efivar lists" sh -c "efivar -l | grep -q $guid-Many1"
	that "efivar prints" efivar -p -n "$guid-Many1"
}

dies() {
	put DieBefore 7 x &
	writer=$!
	that "the provider dies before a SetVariable" died
	that "its variable is not there" [ "$(grep -c x /run/store)" -eq 0 ]
	serve "$mask"
	wait $writer
	that "the next provider makes it" is DieBefore x
	that "and says that it was not the first" grep -q again /run/served

	put DieAfter 7 y &
	writer=$!
	that "the provider dies after a SetVariable" died
	serve "$mask"
	wait $writer
	that "which is made once more" is DieAfter y

	clear_mischief
	remove DieAfter &
	writer=$!
	that "the provider dies after a deletion" died
	serve "$mask"
	wait $writer
	that "which succeeds" [ $? -eq 0 ]
	that "and is done" gone DieAfter

	kill "$provider"
	clear_mischief
	serve "$mask"
	fake_provider mutable "$vars/DieBefore-$guid"
	put DieBefore 107 z >/run/appended &
	writer=$!
	that "the provider dies in an append" died
	serve "$mask"
	wait $writer
	that "which fails" grep -q 'nput/output error' /run/appended
	that "and is not made again" is DieBefore x
}

# The file's first word says what has been done.
clear_mischief() {
	dd if=/dev/zero of=/run/store bs=4 count=1 conv=notrunc 2>/dev/null
}

hangs() {
	printf '\007\000\000\000x' >/run/value
	dd if=/run/value of="$vars/Hang-$guid" 2>/dev/null &
	writer=$!
	sleep 1
	kill -9 $writer
	sleep 1
	that "a caller can be killed while the provider hangs" \
		sh -c "! kill -0 $writer"
	wait $writer
	kill -9 "$provider"
	wait "$provider" 2>/dev/null
	serve "$mask"
	that "a killed caller's request is gone" \
		sh -c "! grep -q x $vars/Hang-$guid"
}

# A request of which every provider dies.
poisons() {
	put Poison 7 x >/run/poisoned 2>&1 &
	writer=$!
	deaths=0
	while died && [ $deaths -lt 20 ]; do
		deaths=$((deaths + 1))
		serve "$mask"
	done
	wait $writer
	that "a request of which $deaths providers died is given up" \
		[ $deaths -eq 8 ]
	that "with an error" grep -q 'nput/output error' /run/poisoned
}

# Writers and readers, while providers are killed at any time.
kills() {
	kill -0 "$provider" || serve "$mask"
	for writer in 1 2 3; do
		(
			file=$vars/Kill$writer-$guid
			count=0
			while ! [ -e /run/enough ]; do
				count=$((count + 1))
				printf "\\007\\000\\000\\000$count" \
					>/run/value$writer
				if ! cat /run/value$writer >"$file" ||
					! is Kill$writer $count; then
					echo "writer $writer: $count" \
						>>/run/lost
					break
				fi
				[ $count -ne 1 ] ||
					fake_provider mutable "$file"
			done
			echo "# writer $writer: $count"
		) &
		eval "writer$writer=$!"
	done
	kill_count=0
	while [ $kill_count -lt 20 ]; do
		kill_count=$((kill_count + 1))
		usleep $((kill_count * 7919 % 100 * 4000))
		kill -9 "$provider"
		wait "$provider" 2>/dev/null
		fake_provider serve /run/store "$mask" >>/run/served 2>&1 &
		provider=$!
	done
	touch /run/enough
	# shellcheck disable=SC2154 # by eval
	wait "$writer1" "$writer2" "$writer3"
	that "20 kills, and no write or read failed" sh -c '! cat /run/lost'
	sleep 1
}

lies() {
	put Lie 7 x
	clear_mischief
	cat "$vars/Lie-$guid" >/dev/null
	grep 'lie:' /run/served
	that "the provider's lies are refused" grep -q 'ok - lie' /run/served
}

without() {
	kill "$provider"
	wait "$provider" 2>/dev/null
	echo 3 >/sys/module/caesura_efivars/parameters/timeout_s
	took=$(seconds cat "$vars/Many1-$guid")
	that "without a provider a caller waits $took s, not for ever" \
		[ "$took" -ge 3 -a "$took" -le 5 ]
	that "and gets EIO" grep -q 'nput/output error' /run/ended
	fake_provider poke
	that "it is served again" sh -c \
		"fake_provider serve /run/store $mask >/run/served & sleep 1
		cat $vars/Many1-$guid; kill \$!"
}

# With the timeout of 3 seconds from above; the module's giving up is in the log.
answers_first() {
	serve "$mask"
	put Slow 7 x
	unanswered=$(dmesg | grep -c 'no answer')
	took=$(seconds cat "$vars/Slow-$guid")
	that "a provider whose firmware is slow says so first" sh -c \
		"[ $took -ge 2 ] && grep 'nput/output error' /run/ended &&
		[ \$(dmesg | grep -c 'no answer') -eq $unanswered ]"
	that "and goes on" cat "$vars/Many1-$guid"
	kill "$provider"
}

readonly_store() {
	mount | grep efivarfs | sed 's/^/# /'
	fails_with 'Read-only' "firmware without SetVariable" put First 7 one
	that "statfs fails, or says nothing, where firmware cannot" df $vars
}

mask=0xffffffff
all() {
	loads || return
	case $(cat /proc/cmdline) in
	*readonly*)
		mask=0x30
		mounts
		readonly_store
		kill "$provider"
		return
		;;
	esac
	mounts
	works
	tools
	dies
	hangs
	kills
	poisons
	lies
	without
	answers_first
	that "the kernel has nothing to complain about" \
		sh -c '! dmesg | grep -E "BUG|WARNING|Call trace|scheduling while"'
}

all 2>&1 | tee -a $log
dmesg | grep efivars | sed 's/^/# /'
! grep -q '^not ok' $log
