#!/bin/sh
# SPDX-License-Identifier: MIT
# Who may include what: docs/design.md's arrows. Prints each include that points
# the wrong way; exit code 1 if there is one.
set -eu
cd "$(dirname "$0")/../.."

# Every include: FILE LINE TOKEN, the token with its quotes or brackets.
includes() {
	find include src linux ports kernel programs adversary tests tools bench \
		-name '*.[chS]' | LC_ALL=C sort |
		xargs awk '/^[ \t]*#[ \t]*include[ \t]*["<]/ {
			match($0, /["<][^">]*[">]/)
			print FILENAME, FNR, substr($0, RSTART, RLENGTH)
		}'
}

# The part of the tree that a quoted include reaches: beside the file, or by
# the directories that the Makefile passes.
quoted_target() {
	local directory
	for directory in "$(dirname "$1")" include src kernel programs tests .; do
		if [ -e "$directory/$2" ]; then
			realpath --relative-to=. "$directory/$2"
			return
		fi
	done
	echo "missing/$2"
}

target() {
	local path
	path=${2#?}
	path=${path%?}
	case $2 in
	'"'*) quoted_target "$1" "$path" ;;
	'<caesura/'*) echo "include/$path" ;;
	'<kernel/'*) echo "kernel/include/$path" ;;
	'<stdarg.h>' | '<stdbool.h>' | '<stddef.h>' | '<stdint.h>' | \
		'<stdalign.h>' | '<stdnoreturn.h>' | '<limits.h>')
		echo freestanding
		;;
	*) echo "hosted/$path" ;;
	esac
}

# allowed FROM TO: whether the arrow is one of the design's.
allowed() {
	case $1:$2 in
	tests/*) true ;;
	*:tests/* | *:missing/*) false ;;
	*:freestanding) true ;;
	tools/*:include/* | bench/*:include/*) false ;;
	*:include/*) true ;;
	src/*:src/* | src/*:hosted/string.h) true ;;
	ports/*:ports/*) true ;;
	kernel/port/*:kernel/*) true ;;
	kernel/dev/tree_parse.c:hosted/libfdt.h) true ;;
	kernel/*:kernel/port/*) false ;;
	kernel/*:kernel/*) true ;;
	programs/*:programs/*) true ;;
	programs/*:kernel/include/* | programs/*:adversary/adversary.h) true ;;
	adversary/*:adversary/*) true ;;
	linux/*:linux/* | linux/*:src/arm64/access.h | linux/*:hosted/*) true ;;
	tools/*:tools/* | tools/*:hosted/*) true ;;
	bench/*:bench/* | bench/*:hosted/*) true ;;
	*) false ;;
	esac
}

wrong=$(includes | while read -r file line token; do
	to=$(target "$file" "$token")
	if ! allowed "$file" "$to"; then
		echo "$file:$line: includes $token ($to)"
	fi
done)
if [ -n "$wrong" ]; then
	echo "$wrong"
	exit 1
fi
