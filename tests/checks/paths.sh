#!/bin/sh
# SPDX-License-Identifier: MIT
# The paths that documents and manual pages name exist. A path begins with one of
# the tree's folders; it may have * and ?. Prints each that does not exist as
# FILE: PATH; exit code 1 if there is one.
set -eu
cd "$(dirname "$0")/../.."

folders='adversary|bench|docs|include|kernel|linux|ports|programs|scripts|src'
folders="$folders|tests|tools"

# CHANGELOG.md is left out: it names files that have been removed.
# Links are relative to the document's folder; all other paths start at the root.
# Prints DOCUMENT and PATH.
named_paths() {
	local document
	for document in ./*.md adversary/*.md bench/*.md docs/*.md linux/*/*.md \
		linux/man/*; do
		document=${document#./}
		[ "$document" != CHANGELOG.md ] || continue
		grep -oE "(^|[^A-Za-z0-9_./-])($folders)/[A-Za-z0-9_./*?-]*" \
			"$document" |
			sed -e "s|^[^a-z]*||" -e 's|[.,]*$||' \
				-e "s|^|$document |"
		grep -oE '\]\([^)#:]+' "$document" |
			sed -e 's|^](||' -e "s|^|$document $(dirname "$document")/|"
	done
}

code=0
while read -r document path; do
	found=no
	for file in $path; do
		[ ! -e "$file" ] || found=yes
	done
	if [ "$found" = no ]; then
		echo "$document: $path"
		code=1
	fi
done <<END
$(named_paths | LC_ALL=C sort -u)
END
exit "$code"
