# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Fills the store with variables of all sizes, changes and deletes some, and lists them at
# the end. The next boot lists them by another path, and does the same again with another
# $seed.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh

guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e1$seed

# value BYTES SALT: prints a value that depends on both, and has no null byte.
value() {
	yes "$seed $2 $1" | head -c "$1"
}

# put NAME ATTRIBUTES BYTES SALT: writes a variable, in one write.
put() {
	local file
	file=$efivars/$1-$guid
	[ ! -e "$file" ] || chattr -i "$file" || return
	{
		# shellcheck disable=SC2059 # a number of the attributes
		printf "\\$2\\0\\0\\0"
		value "$3" "$4"
	} >/tmp/value

	dd if=/tmp/value of="$file" bs=64k conv=notrunc 2>/dev/null
}

holds() {
	value "$2" "$3" >/tmp/value
	tail -c +5 "$efivars/$1-$guid" | cmp - /tmp/value
}

is_gone() {
	! [ -e "$efivars/$1-$guid" ]
}

# Whether a value is refused. efivarfs leaves the empty file that was made for it.
is_refused() {
	! put "$1" 7 "$2" r && [ -z "$(cat "$efivars/$1-$guid")" ]
}

# Whether firmware itself refuses a value, as on the kernel's own path.
firmware_refuses() {
	{
		printf '\7\0\0\0'
		value "$2" f
	} >/tmp/value
	dd if=/tmp/value of="$efivars/$1-$guid" bs=64k conv=notrunc 2>&1 |
		grep -q 'Invalid argument'
}

many() {
	local number
	number=0
	while [ "$number" -lt 40 ]; do
		number=$((number + 1))
		put "Some$number" 7 $((number * 17)) m || return
	done
	for number in 3 17 40; do
		holds "Some$number" $((number * 17)) m || return
	done
}

delete_some() {
	local number
	for number in 5 10 15 20 25 30 35 40; do
		chattr -i "$efivars/Some$number-$guid" &&
			rm "$efivars/Some$number-$guid" &&
			is_gone "Some$number" || return
	done
}

overwrite_some() {
	local number
	for number in 1 2 3 4; do
		put "Some$number" 7 $((number * 100)) again || return
	done
}

append_some() {
	local number
	for number in 6 7 8; do
		put "Some$number" 107 50 more || return
		[ "$(stat -c %s "$efivars/Some$number-$guid")" -eq \
			$((number * 17 + 54)) ] || return
	done
}

start || exit 1
list_variables | sed 's/^/before: /'
check "40 variables of up to 680 bytes are written" many
check "a value of 7,000 bytes is written" "put Large 7 7000 l && holds Large 7000 l"
check "a value of 20,000 bytes is refused and not written" \
	"is_refused Larger 20000"
check "firmware refuses a value of 40,000 bytes" "firmware_refuses Largest 40000"
check "some variables are deleted" delete_some
check "some variables are overwritten" overwrite_some
check "values are appended to some variables" append_some
check "the large variable is overwritten" "put Large 7 6500 m && holds Large 6500 m"
check "a volatile variable is refused at run time" \
	"! put Volatile 6 100 v && [ -z \"\$(cat $efivars/Volatile-$guid)\" ]"
list_variables
end_path "$path"
[ "$failures" -eq 0 ]
