# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Writes until the machine is switched off: torture.c says how.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh

start || exit 1
torture cuts "$efivars" "$path" "$seed" "$after" "$point"
