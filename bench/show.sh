# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Tests a path to EFI variables with Debian's own programs. The job sets path and step.
# Step edit leaves a boot entry and a variable behind. Every step ends with a list of the
# non-volatile variables, a line for each.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=bench/paths.sh
. /bench/paths.sh

guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e11

edit() {
	local variable gone
	variable=$efivars/CaesuraShow-$guid
	check "efibootmgr lists the entries" "efibootmgr | grep -q '^BootOrder: 0'"
	check "efivar lists the variables" "efivar -l | grep -q -- -BootOrder$"
	check "efibootmgr makes an entry" "efibootmgr --create --disk /dev/vda $(
	)--part 1 --loader '\\caesura.efi' --label Caesura"
	check "efibootmgr makes the entry the first" \
		"efibootmgr | grep -q '^Boot0001\\* Caesura' && $(
		)efibootmgr | grep -q '^BootOrder: 0001'"
	check "df shows the store" "df $efivars | grep -q '$efivars\$'"
	check "efibootmgr sets and puts back the order" \
		"efibootmgr --bootorder 0000,0001 | grep -q '^BootOrder: 0000,0001' &&
		efibootmgr --bootorder 0001,0000 | grep -q '^BootOrder: 0001,0000'"
	check "efibootmgr sets the next boot and takes it back" \
		"efibootmgr --bootnext 0001 | grep -q '^BootNext: 0001' &&
		! efibootmgr --delete-bootnext | grep '^BootNext'"
	check "efibootmgr makes and deletes another entry" \
		"efibootmgr --create-only --disk /dev/vda --part 1 --loader x $(
		)--label Another && efibootmgr --bootnum 0002 --delete-bootnum"
	check "printf makes a variable" "printf '\\7\\0\\0\\0one' >$variable"
	check "cat reads the variable" "[ \"\$(tail -c +5 $variable)\" = one ]"
	check "efivar reads the variable" "efivar -n $guid-CaesuraShow -p | grep -q one"
	printf written >/tmp/value
	check "efivar writes a variable" "efivar -n $guid-CaesuraWritten -t 7 -w $(
	)-f /tmp/value && [ \"\$(tail -c +5 $efivars/CaesuraWritten-$guid)\" $(
	)= written ]"
	check "the variable is immutable" "! printf '\\7\\0\\0\\0two' >$variable"
	check "lsattr shows that it is immutable" "lsattr $variable | grep -q '^----i' &&
		! lsattr $efivars/BootOrder-* | grep -q '^----i'"
	check "after chattr -i it can be written" \
		"chattr -i $variable && printf '\\7\\0\\0\\0two' >$variable"
	check "cat reads the new value" \
		"[ \"\$(tail -c +5 $variable)\" = two ]"
	gone=$efivars/CaesuraGone-$guid
	check "rm deletes a variable" "printf '\\7\\0\\0\\0x' >$gone && $(
	)chattr -i $gone && rm $gone && ! [ -e $gone ]"
}

modprobe -a virtio_mmio virtio_blk
until [ -e /dev/vda1 ]; do
	sleep 0.1
done
start_path "$path" || exit 1
if [ "$step" = edit ]; then
	edit
fi
list_variables
end_path "$path"
[ "$failures" -eq 0 ]
