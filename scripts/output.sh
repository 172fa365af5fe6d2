# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Messages for the user on standard error, and words as a shell takes them.

# shellcheck disable=SC2154 # shared with ./caesura

say() {
	printf '%s\n' "$*" >&2
}

# Ends the command: it could not run.
give_up() {
	say "caesura: $*"
	exit 2
}

# What is going on, for the one who watches; without words: clears it away.
progress() {
	if [ -t 2 ]; then
		printf '\r\033[K%.78s' "$*" >&2
	fi
}

# progress_of DONE TOTAL WHAT: every tenth of the way where nobody watches.
progress_of() {
	if [ -t 2 ]; then
		progress "[$1/$2] $3"
	elif [ "$2" -ge 20 ] &&
		[ $(($1 * 10 / $2)) -gt $((($1 - 1) * 10 / $2)) ]; then
		say "caesura: $1 of $2 boots"
	fi
}

# A path as one would type it here.
short() {
	printf '%s' "${1#"$root"/}"
}

# A word as a shell takes it.
quoted() {
	case $1 in
	*[\$\`\"\\]*"'"* | *"'"*[\$\`\"\\]*)
		printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
		;;
	*"'"*) printf '"%s"' "$1" ;;
	'' | *[!A-Za-z0-9_./:=,+-]*) printf "'%s'" "$1" ;;
	*) printf '%s' "$1" ;;
	esac
}

absolute() {
	case $1 in
	/*) printf '%s' "$1" ;;
	*) printf '%s/%s' "$PWD" "$1" ;;
	esac
}
