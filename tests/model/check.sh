#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh DIR: lets spin visit all states of request.pml, with its files in DIR. There must
# be no error, and no step that is never taken. With each mechanism left out in turn there
# must be an error.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cp "$here/request.pml" "$here/states.h" "$1"
cd "$1"

# run NAME [OPTION]: visits all states; sets errors and states to their numbers.
run() {
	rm -f pan*
	spin -a ${2:+"$2"} request.pml >"$1.log" 2>&1 || {
		cat "$1.log"
		exit 1
	}
	gcc -O2 -w -DSAFETY -DCOLLAPSE -o pan pan.c
	./pan -m100000 >"$1.log" 2>&1 || :
	errors=$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' "$1.log")
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$1.log")
}

run whole
unreached=$(grep -c 'request.pml:.*state' whole.log || :)
ends=$(grep -c '"-end-"' whole.log || :)
if [ "$errors" != 0 ] || [ "$unreached" != "$ends" ]; then
	cat whole.log
	exit 1
fi
echo "# model: $states states, 0 errors, every step taken"
for left_out in NO_NUMBER NO_OWNER NO_SWEEP EARLY_FREE LOST_WAKE NO_LOOK NO_WATCH; do
	run "$left_out" "-D$left_out"
	if [ "$errors" != 1 ]; then
		echo "with $left_out there is no error"
		exit 1
	fi
	echo "# model: $left_out: an error, found after $states states"
done
