# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Selects the checks that --only asks for, and the build steps that they need.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# builds_for NAME GATE MACHINE FUNCTION [ARGUMENT…]: prints the words of the build
# steps that a check needs.
builds_for() {
	local machine="$3"
	case $4:${5:-} in
	find_bound:*) echo clang ;;
	tree:command) echo clang ablations ;;
	fails_without:* | stress_fails_without:*)
		case $machine in
		toolchain=gcc) echo ablations ;;
		*) echo ablations-clang ;;
		esac
		;;
	build:* | build_image:* | build_images:* | build_for_linux:* | tree:*) ;;
	make_target:fuzz-*) echo fuzzers ;;
	make_target:* | embed:*) echo host ;;
	script_ends:* | linux_rows:* | on_linux:*) echo clang tools linux ;;
	devices:*) echo linux ;;
	latency_holds:*) echo clang tools ;;
	*)
		case $2:$machine:$* in
		*:*image=with-gate*:*) echo gate ;;
		sandbox:*" misbehaves "*) echo clang control ;;
		*toolchain=gcc*" on_machine "*" secure "*) echo secure-gcc ;;
		*:*toolchain=gcc*:*) echo gcc ;;
		*:*firmware=secure*:* | *" on_machine "*" secure "*) echo secure ;;
		*)
			echo "$toolchain"
			[ "$secure" = no ] || echo secure
			;;
		esac
		;;
	esac
}

# select_like PATTERN: keeps the listed checks whose name matches; fails when there
# is none.
select_like() {
	local line
	while IFS= read -r line; do
		# shellcheck disable=SC2254 # a pattern
		case ${line%%|*} in
		"$1" | $1) printf '%s\n' "$line" ;;
		esac
	done <"$checks/list" >"$checks/selected"
	[ -s "$checks/selected" ]
}

# Prints the words of the build steps that the selected checks need.
needed_builds() {
	local line
	while IFS= read -r line; do
		with_fields "$line" builds_for
	done <"$checks/selected"
}

# Reduces the list to what --only asks for and the build steps that this needs.
select_checks() {
	local needed word line
	select_like "$only" || select_like "*$only*" ||
		give_up "no check's name matches '$only';" \
			"./caesura test --list prints the names"
	needed=$(needed_builds | tr '\n' ' ')
	head -n "$builds" "$checks/list" >"$checks/steps"
	: >"$checks/needed"
	while read -r word && IFS= read -r line <&3; do
		case " $needed " in
		*" $word "*)
			grep -qFx -e "$line" "$checks/selected" ||
				printf '%s\n' "$line" >>"$checks/needed"
			;;
		esac
	done <"$checks/builds" 3<"$checks/steps"
	uncounted=$(wc -l <"$checks/needed")
	builds=$((uncounted + $(grep -cFx -f "$checks/steps" "$checks/selected" || :)))
	cat "$checks/needed" "$checks/selected" >"$checks/list"
}
