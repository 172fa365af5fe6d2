# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Tests of what must work through the module while its provider works.

# shellcheck disable=SC2154 # shared with job.sh

loads() {
	that "the module loads" insmod /bench/caesura-efivars.ko
	that "its device belongs to root" \
		[ "$(stat -c %a:%U /dev/caesura)" = 600:root ]
	fake_provider check
	that "it can be unloaded before a provider registers" \
		rmmod caesura_efivars
	insmod /bench/caesura-efivars.ko
	case $(cat /proc/cmdline) in
	*efi=runtime*)
		serve
		that "the module refuses beside the runtime services of the kernel" \
			grep -q 'register: Device or resource busy' /run/served
		return 1
		;;
	esac
}

mounts() {
	serve "$mask"
	modprobe efivarfs
	that "efivarfs mounts" mount -t efivarfs efivarfs "$vars"
	that "the module cannot be unloaded now" sh -c '! rmmod caesura_efivars'
}

works() {
	that "a variable is made" put First 7 one
	that "it is read" is First one
	that "it is listed" [ -e "$vars/First-$guid" ]
	fake_provider mutable "$vars/First-$guid"
	that "it is set again" put First 7 three
	that "the new value is read" is First three
	that "a value is appended to it" put First 107 four
	that "the whole value is read" is First threefour
	that "it is removed" remove First
	that "it no longer exists" gone First
	that "64 variables are made" many 8
	fails_with 'No space' "a value that is larger than the store is refused" put Big 7 \
		"$(head -c 5000 /dev/zero | tr '\0' x)"
	that "statfs works" df "$vars"
	df "$vars" | sed 's/^/# /'
}

many() {
	local count
	count=0
	while [ $count -lt "$1" ]; do
		count=$((count + 1))
		put Many$count 7 "value $count" || return 1
		is Many$count "value $count" || return 1
	done
	[ "$(find "$vars" -name "Many*" | wc -l)" -eq "$1" ]
}

tools() {
	that "a boot entry is written" sh -c "printf '\\007\\000\\000\\000\\001\\000\\000\\000\\004\\000h\\000i\\000\\000\\000\\177\\377\\004\\000' \
		>$vars/Boot0007-8be4df61-93ca-11d2-aa0d-00e098032b8c"
	that "efibootmgr sets the order" efibootmgr -o 0007
	that "efibootmgr lists it" sh -c 'efibootmgr | grep -q "Boot0007. hi"'
	efibootmgr | sed 's/^/# /'
	that "efibootmgr removes it" efibootmgr -b 0007 -B
	that "efivar lists the variables" sh -c "efivar -l | grep -q $guid-Many1"
	that "efivar prints a variable" efivar -p -n "$guid-Many1"
}
