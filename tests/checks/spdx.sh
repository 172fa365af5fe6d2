#!/bin/sh
# SPDX-License-Identifier: MIT
# Every file that holds code names its licence in its first lines.
set -eu
cd "$(dirname "$0")/../.."

code=0
for file in $(find . -path ./.git -prune -o -path ./build -prune -o \
	-path ./out -prune -o -type f \( -name '*.[chS]' -o -name '*.sh' -o \
	-name '*.mk' -o -name '*.lds' -o -name '*.awk' -o -name '*.gp' -o \
	-name Makefile -o -name caesura -o -path './.ci/*' \) -print |
	LC_ALL=C sort); do
	if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT'; then
		echo "$file:1: no SPDX line"
		code=1
	fi
done
exit "$code"
