# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Messages to the user, and how words and paths are shown in them.

# shellcheck disable=SC2154 # shared with ./caesura

say() {
	printf '%s\n' "$*" >&2
}

# Ends the command with exit code 2: it could not run.
give_up() {
	say "caesura: $*"
	exit 2
}

# progress [WORDS…]: on a terminal, shows what is going on in a line that the next
# call overwrites. Clears the line when called without words.
progress() {
	if [ -t 2 ]; then
		printf '\r\033[K%.78s' "$*" >&2
	fi
}

# progress_of DONE TOTAL WHAT: the same for one of many boots. Where standard error is
# not a terminal, prints a line at every tenth of the way.
progress_of() {
	if [ -t 2 ]; then
		progress "[$1/$2] $3"
	elif [ "$2" -ge 20 ] &&
		[ $(($1 * 10 / $2)) -gt $((($1 - 1) * 10 / $2)) ]; then
		say "caesura: $1 of $2 boots"
	fi
}

# Prints a path relative to the root of the tree.
short() {
	printf '%s' "${1#"$root"/}"
}

# Prints a word quoted for a shell, if it needs that.
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

# Prints a path as an absolute one.
absolute() {
	case $1 in
	/*) printf '%s' "$1" ;;
	*) printf '%s/%s' "$PWD" "$1" ;;
	esac
}
