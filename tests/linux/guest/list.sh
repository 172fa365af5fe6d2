# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Lists the variables.

# shellcheck disable=SC2154 # the job sets them
# shellcheck source=tests/linux/guest/common.sh
. /tests/common.sh

start || exit 1
list_variables
torture list "$efivars"
end_path "$path"
