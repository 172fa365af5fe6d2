#!/bin/sh
# SPDX-License-Identifier: MIT
# C is laid out as clang-format 14 does it.
set -eu
cd "$(dirname "$0")/../.."

find include src linux ports kernel programs adversary tests tools bench \
	-name '*.[ch]' 2>/dev/null | LC_ALL=C sort |
	xargs clang-format-14 --dry-run -Werror
