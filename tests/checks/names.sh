#!/bin/sh
# SPDX-License-Identifier: MIT
# Nothing in the tree names a package registry's host: packages come from the
# machine's own configuration.
set -eu
cd "$(dirname "$0")/../.."

hosts='(deb|security|ftp|snapshot|archive)[.](debian|ubuntu)[.](org|com)'
hosts="$hosts|pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)|crates[.]io"
hosts="$hosts|rubygems[.]org|docker[.]io|ghcr[.]io|quay[.]io|gcr[.]io"
hosts="$hosts|proxy[.]golang[.]org|repo[.]maven[.]|registry[.][a-z]"
if grep -rnIE "$hosts" --exclude-dir=.git --exclude-dir=build \
	--exclude-dir=out .; then
	echo "the lines above name a registry"
	exit 1
fi
