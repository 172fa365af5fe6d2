#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header compiles alone, as C11 and as C++17, with clang and gcc.
set -eu
cd "$(dirname "$0")/../.."

# alone HEADER LANGUAGE COMPILER…: whether the header compiles alone.
alone() {
	local header language
	header=$1
	language=$2
	shift 2
	if ! echo "#include <$header>" |
		"$@" -x "$language" -Wall -Wextra -pedantic -Werror -Iinclude \
			-fsyntax-only -; then
		echo "$header: does not compile alone with: $*"
		return 1
	fi
}

code=0
for file in include/caesura/*.h; do
	header=${file#include/}
	alone "$header" c clang -std=c11 || code=1
	alone "$header" c clang --target=aarch64-linux-gnu -std=c11 \
		-ffreestanding -nostdlibinc || code=1
	alone "$header" c gcc -std=c11 || code=1
	alone "$header" c++ clang++ -std=c++17 || code=1
	alone "$header" c++ g++ -std=c++17 || code=1
done
exit "$code"
