#!/bin/sh
# SPDX-License-Identifier: MIT
# Files, functions and lines stay small: no line of C is wider than 80 columns, no
# function longer than 60 lines, no C file of caesurad longer than 700 lines and no
# shell file longer than 300. Prints what is larger; exit code 1 if anything is.
set -eu
cd "$(dirname "$0")/../.."

c_files() {
	find include src linux ports kernel programs adversary tests tools bench \
		-name '*.[chS]' | LC_ALL=C sort
}

# A line with a string may be wider, so that a message can be searched for. Tabs stop at
# every eighth column. The second and later bytes of a character in UTF-8 take none.
wide_lines() {
	# shellcheck disable=SC2016 # awk's fields
	c_files | LC_ALL=C xargs awk '!/"|\\n\\$/ {
		width = 0
		line = $0
		gsub(/[\200-\277]/, "", line)
		count = split(line, part, "\t")
		for (i = 1; i < count; i++) {
			width += length(part[i])
			width += 8 - width % 8
		}
		width += length(part[count])
		if (width > 80) {
			print FILENAME ":" FNR ": " width " columns"
		}
	}'
}

# A function begins and ends with a brace in the first column.
long_functions() {
	c_files | grep '\.[ch]$' | xargs awk '
		/^\{/ { start = FNR }
		/^\}/ && start {
			if (FNR - start - 1 > 60) {
				print FILENAME ":" start ": a function of " \
					FNR - start - 1 " lines"
			}
			start = 0
		}'
}

# longer_than LINES FILE…
longer_than() {
	local most="$1" file lines
	shift
	for file; do
		lines=$(wc -l <"$file")
		if [ "$lines" -gt "$most" ]; then
			echo "$file: $lines lines"
		fi
	done
}

shell_files() {
	find caesura .ci scripts tools bench linux tests -type f \
		\( -name '*.sh' -o -name caesura -o -name run -o -name init \)
}

found=$(
	wide_lines
	long_functions
	# shellcheck disable=SC2046 # names without blanks
	longer_than 700 $(find linux -name '*.c')
	# shellcheck disable=SC2046
	longer_than 300 $(shell_files)
)
if [ -n "$found" ]; then
	echo "$found"
	exit 1
fi
