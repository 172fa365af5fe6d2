# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Writes variables until the power is cut, as torture.c describes.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh

start || exit 1
torture cuts "$efivars" "$path" "$seed" "$after" "$point"
