# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# caesurad is killed $kills times in the middle of a write. Half way, the killed one leaves
# its state as caesurad 0.1.0 would, so that the next start is an upgrade. At the end the
# last one ends by itself, and one more lists the variables.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh

case $path in
caesurad-fuse)
	front=fuse
	efivars=/run/efivars
	mkdir -p "$efivars"
	;;
*)
	front=module
	efivars=/sys/firmware/efi/efivars
	insmod /bench/caesura-efivars.ko
	;;
esac
code=0
torture kills "$efivars" "$front" "$kills" "$seed" >/tmp/kills || code=$?
sed 's/^/# /; s/^# # /# /' /tmp/kills
[ "$code" -eq 0 ] || tail -n 20 "$log" | sed 's/^/# /'
check "after $kills kills no variable is lost, and interrupted ones are old or new" \
	"[ $code -eq 0 ]"
check "no daemon has logged an error or given up a state" \
	"! grep -i -e error: -e 'state is discarded' $log"
check "a daemon went on with a state of the first version" \
	"grep \"an older caesurad's\" $log"
if [ "$front" = module ]; then
	caesurad run 2>>"$log" &
	caesurad_pid=$!
else
	start
fi
await [ -e "$efivars/BootOrder-8be4df61-93ca-11d2-aa0d-00e098032b8c" ]
list_variables
end_path "$path"
[ "$failures" -eq 0 ]
