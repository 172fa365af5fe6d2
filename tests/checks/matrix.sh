#!/bin/sh
# SPDX-License-Identifier: MIT
# The pairwise choice of machines has every pair that the whole product has, and no machine
# that the product does not have.
set -eu
cd "$(dirname "$0")/../.."

pairs() {
	awk '{
		for (a = 1; a < NF; a++) {
			for (b = a + 1; b <= NF; b++) {
				print a "=" $a, b "=" $b
			}
		}
	}' "$1" | LC_ALL=C sort -u
}

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
matrix=$OLDPWD/tests/matrix.awk
awk -v all=yes -f "$matrix" | LC_ALL=C sort >all
awk -f "$matrix" | LC_ALL=C sort >some
code=0
if [ "$(wc -l <all)" -ne 1792 ] || [ "$(uniq all | wc -l)" -ne 1792 ]; then
	echo "the product has $(wc -l <all) lines, not 1792 different ones"
	code=1
fi
if comm -13 all some | grep .; then
	echo "the lines above are not of the product"
	code=1
fi
pairs all >all-pairs
pairs some >some-pairs
if comm -23 all-pairs some-pairs | grep .; then
	echo "the pairs above are in none of $(wc -l <some) machines"
	code=1
fi
exit "$code"
