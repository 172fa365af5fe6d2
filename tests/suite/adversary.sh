# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Checks of each misbehaviour of the adversary.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# Measures the bound on a wake-up beside firmware that misbehaves: 1.05 times the latest
# wake-up of the control, and one tick.
find_bound() {
	gate=sandbox
	boot_image control "latsweep phase=control part=0/3 value=1024" || return
	log_lines control | sed -n 's/^hist .* \([0-9]*\):[0-9]*$/\1/p' |
		awk '{ printf "%d\n", $1 * 1.05 + 16 }' >"$checks/bound"
	echo "# at most $(cat "$checks/bound") ns"
}

# keep_row VARIABLES: keeps the outcome of a misbehaviour for the matrix.
keep_row() {
	{
		log_lines misbehaves | sed -n 's/^row //p'
		echo "variables=$1"
		log_lines misbehaves | sed -n 's/^error: \([A-Z].*\)/report=\1/p' | head -n 1
	} >"$out/row"
}

# in_real_time OPTIONS: prints the options with longer limits. In real time, on a busy
# machine, an ordinary write to a variable takes more than 20 ms, and a CPU that is
# running well does not answer an interrupt for as long.
in_real_time() {
	echo "$1" | sed 's/kill_ms=20 /kill_ms=2000 / ; s/deadline_ms=100 /deadline_ms=1000 /'
}

# misbehaves OPTIONS DUE: the misbehaviour has that outcome, and the next boot finds the
# variables as they were.
misbehaves() {
	local misbehave store kept
	case $1 in
	*" cpu=max"*) cpu=max ;;
	*" cpus=2"*) cpus=2 icount=no ;;
	esac
	case $2 in
	skip\ *) skip "${2#skip }" ;;
	# In counted time the other CPUs would stand still while one loops.
	*/stuck) cpus=2 icount=no ;;
	esac
	misbehave="misbehave adversary $(echo "$1" |
		sed 's/ cpu=max// ; s/ cpus=2//') outcome=$2"
	if [ "$icount" = no ]; then
		misbehave=$(in_real_time "$misbehave")
	fi
	if [ "$gate" = sandbox ] && [ "$icount" = yes ]; then
		misbehave="$misbehave bound=$(cat "$checks/bound")"
	fi
	store=$out/boots/row.vars
	cp --sparse=always "$vars" "$store" && chmod u+w "$store" || return
	if [ "$2" = dies ]; then
		dies
		return
	fi
	if ! boot misbehaves "$store" "$(image_file image)" "$misbehave"; then
		log_lines misbehaves | grep -e '^not ok' -e '^# ' -e '^error: panic'
		echo "$boot_why"
		return 1
	fi
	kept=lost
	if boot read "$store" "$(image_file image)" "misbehave step=read"; then
		kept=kept
	fi
	rm -f "$store"
	keep_row "$kept"
	case $2 in
	*/dirty*) echo "# dirty: the variables are $kept" ;;
	*) [ "$kept" = kept ] || echo "a variable is lost in the next boot" ;;
	esac
	case $2:$kept in
	*/dirty*:* | *:kept) ;;
	*) false ;;
	esac
}

# The kernel does not survive the misbehaviour; if it does, the row is wrong.
dies() {
	limit=10
	if boot misbehaves "$store" "$(image_file image)" "$misbehave"; then
		echo "the kernel survives it"
		return 1
	fi
	echo "# $boot_why"
	rm -f "$store"
	{
		echo "$misbehave" | sed 's/.*\(name=[^ ]*\).*/\1 outcome=dies/'
		echo "variables=- works=-"
		echo "report=$boot_why"
	} >"$out/row"
}
