#!/bin/sh
# SPDX-License-Identifier: MIT
# The examples in the documents compile: every C block that includes a header.
set -eu
cd "$(dirname "$0")/../.."

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

# Writes each block to a file of its own. Blank lines keep the document's line numbers.
for document in README.md docs/*.md; do
	[ -e "$document" ] || continue
	awk -v stem="$directory/$(basename "$document" .md)" '
	/^```/ {
		inside = !inside && $0 == "```c"
		if (inside) {
			file = stem "-" NR ".c"
			for (line = 1; line <= NR; line++) {
				print "" > file
			}
		}
		next
	}
	inside { print > file }' "$document"
done

code=0
found=no
for block in "$directory"/*.c; do
	if ! [ -e "$block" ] || ! grep -q '#include' "$block"; then
		continue
	fi
	case $block in
	*/README-*) found=yes ;;
	esac
	for compiler in clang gcc; do
		"$compiler" -std=c11 -Wall -Wextra -Werror -Iinclude \
			-fsyntax-only "$block" || code=1
	done
done
if [ "$found" = no ]; then
	echo "README.md: no C example"
	code=1
fi
exit "$code"
