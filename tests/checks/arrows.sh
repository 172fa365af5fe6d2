#!/bin/sh
# SPDX-License-Identifier: MIT
# The arrows of docs/design.md: which part of the tree may include which, and which
# shell file may read or run which. Prints every line that points against them; exit
# code 1 if there is one.
set -eu
cd "$(dirname "$0")/../.."

# Prints each include of C and assembly as FILE LINE TOKEN, the token with its quotes or
# brackets.
includes() {
	# shellcheck disable=SC2016 # awk's regular expression
	find include src linux ports kernel programs adversary tests tools bench \
		-name '*.[chS]' | LC_ALL=C sort |
		xargs awk '/^[ \t]*#[ \t]*include[ \t]*["<]/ {
			match($0, /["<][^">]*[">]/)
			print FILENAME, FNR, substr($0, RSTART, RLENGTH)
		}'
}

# quoted_target FILE PATH: prints the file that a quoted include finds, beside FILE or in
# the directories that the Makefile passes.
quoted_target() {
	local directory
	for directory in "$(dirname "$1")" include src kernel linux programs tests \
		.; do
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

# allowed FROM TO: whether FROM may include TO.
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
	programs/*:programs/lib/*) true ;;
	programs/*/*:programs/*/*) [ "${1%/*}" = "${2%/*}" ] ;;
	programs/*:kernel/include/* | programs/*:adversary/adversary.h) true ;;
	adversary/*:adversary/*) true ;;
	linux/*:src/arm64/access.h | linux/*:hosted/*) true ;;
	linux/*:linux/lib/*) true ;;
	linux/daemon/*:linux/module/*) false ;;
	linux/daemon/*:linux/*) true ;;
	linux/host/*:linux/host/* | linux/host/*:linux/commit/*) true ;;
	linux/host/*:linux/machine/* | linux/host/*:linux/efivars/*) true ;;
	linux/commit/*:linux/commit/* | linux/commit/*:linux/machine/*) true ;;
	linux/machine/*:linux/machine/* | linux/machine/*:linux/efivars/*) true ;;
	linux/machine/*:linux/module/caesura-uapi.h) true ;;
	linux/efivars/*:linux/efivars/*) true ;;
	linux/module/*:linux/module/*) true ;;
	tools/*:tools/* | tools/*:hosted/*) true ;;
	bench/*:bench/* | bench/*:hosted/*) true ;;
	*) false ;;
	esac
}

# Prints each file of the tree that a shell file reads (". FILE") or names below
# $root or $here, as FILE LINE PATH. Where a path is known only in the guest, the
# comment for shellcheck on the line before has it.
sources() {
	# shellcheck disable=SC2016 # the program is awk's
	find caesura .ci/run scripts src ports kernel adversary linux tests \
		tools bench \( -name '*.sh' -o -path caesura -o -path .ci/run \
		-o -path bench/init \) | LC_ALL=C sort |
		xargs awk -v quote='"' '
		function show(path) {
			sub(/^\//, "", path)
			while (sub(/[^\/]+\/\.\.\//, "", path)) {
			}
			if (path !~ /^(build|out)\//) {
				print FILENAME, FNR, path
			}
		}
		/^[ \t]*# shellcheck source=/ {
			stated = $0
			sub(/^.*source=/, "", stated)
			next
		}
		/^[ \t]*#/ { next }
		/^[ \t]*\. / && stated != "" {
			show(stated)
			stated = ""
			next
		}
		/^[ \t]*\. / && $2 !~ /[$]/ { show($2) }
		{
			stated = ""
			gsub(quote, "")
			here = FILENAME
			sub(/[^\/]*$/, "", here)
			while (match($0, /[$](root|here)\/[A-Za-z0-9_.\/-]+/)) {
				path = substr($0, RSTART + 6, RLENGTH - 6)
				show((substr($0, RSTART, 5) == "$here" ? here : "") path)
				$0 = substr($0, RSTART + RLENGTH)
			}
		}'
}

# may_read FROM TO: whether a shell file FROM may read or run TO.
may_read() {
	case $1:$2 in
	caesura:scripts/*) true ;;
	# The one exception to "nothing reads tests/": the commands `test` and
	# `linux --test` are there.
	caesura:tests/suite/command.sh | caesura:tests/linux/host/run.sh) true ;;
	tests/*) true ;;
	*:tests/*) false ;;
	scripts/*:scripts/* | scripts/*:bench/* | scripts/*:tools/*) true ;;
	scripts/linux/root.sh:linux/module*) true ;; # which it builds
	bench/*:bench/* | bench/*:tools/*) true ;;
	linux/*:linux/* | tools/*:tools/*) true ;;
	*) false ;;
	esac
}

wrong=$(
	includes | while read -r file line token; do
		to=$(target "$file" "$token")
		if ! allowed "$file" "$to"; then
			echo "$file:$line: includes $token ($to)"
		fi
	done
	sources | while read -r file line to; do
		if ! may_read "$file" "$to"; then
			echo "$file:$line: reads $to"
		fi
	done
)
if [ -n "$wrong" ]; then
	echo "$wrong"
	exit 1
fi
