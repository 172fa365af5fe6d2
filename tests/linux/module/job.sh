#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs in the guest: tests caesura-efivars with a provider that needs no firmware. Prints a
# line for each result; exit code 1 if one is a failure.
set -u

# shellcheck source=tests/linux/module/common.sh
. /tests/module/common.sh
# shellcheck source=tests/linux/module/works.sh
. /tests/module/works.sh
# shellcheck source=tests/linux/module/providers.sh
. /tests/module/providers.sh

readonly_store() {
	mount | grep efivarfs | sed 's/^/# /'
	fails_with 'Read-only' "a variable cannot be made without SetVariable" put First 7 one
	that "statfs does no harm where firmware has no QueryVariableInfo" df "$vars"
}

all() {
	loads || return
	case $(cat /proc/cmdline) in
	*readonly*)
		mask=0x30
		mounts
		readonly_store
		kill "$provider"
		return
		;;
	esac
	mounts
	works
	tools
	dies
	hangs
	kills
	poisons
	lies
	without
	answers_first
	that "the kernel logs no bug and no warning" \
		sh -c '! dmesg | grep -E "BUG|WARNING|Call trace|scheduling while"'
}

: >"$log"
all 2>&1 | tee -a "$log"
dmesg | grep efivars | sed 's/^/# /'
! grep -q '^not ok' "$log"
