#!/bin/sh
# SPDX-License-Identifier: MIT
# Every file of the library is in exactly one list of src/sources.mk. Prints each
# file that is in none, in several, or not in the tree; exit code 1 if there is one.
set -eu
cd "$(dirname "$0")/../.."

# One path a line. A list consists of paths and of $(addprefix FOLDER,NAMES).
listed() {
	sed -e 's/#.*//' -e ':join' -e '/\\$/{N;s/\\\n/ /;b join' -e '}' \
		src/sources.mk |
		awk '{
			gsub(/[()]/, " ")
			folder = ""
			for (i = 1; i <= NF; i++) {
				if ($i ~ /,/) {
					folder = $i
					sub(/,.*/, "", folder)
					sub(/^[^,]*,/, "", $i)
				} else if ($i ~ /^src\//) {
					folder = ""
				}
				if ($i ~ /[.][cS]$/) {
					print folder $i
				}
			}
		}' | LC_ALL=C sort
}

wrong=$(
	listed | uniq -d | sed 's/$/: in several lists/'
	{
		listed | uniq
		find src -name '*.[cS]' | sed p
	} | LC_ALL=C sort | uniq -c |
		awk '$1 == 1 { print $2 ": not in the tree" }
			$1 == 2 { print $2 ": in no list" }'
)
if [ -n "$wrong" ]; then
	echo "$wrong"
	exit 1
fi
