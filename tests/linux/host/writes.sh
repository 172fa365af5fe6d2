# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Tests tools, readback and kills: what was written by caesurad can be read afterwards.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

test_tools() {
	local entry_disk path
	build build/clang/image.efi
	entry_disk=$out/boots/entry.disk
	make_partition "$entry_disk"
	mcopy -i "$fat" "$root/build/clang/image.efi" ::/caesura.efi
	echo selftest | mcopy -i "$fat" - ::/caesura.txt
	for path in $tested_paths; do
		show "$tested" "$path"
	done
}

test_readback() {
	local store seed path same
	store=$out/boots/readback.vars
	fresh_store "$store"
	seed=0
	for path in $tested_paths; do
		seed=$((seed + 1))
		guest "readback-$path" "$store" "" "path=$path seed=$seed" readback
		reads_the_same "readback-$path" "$store" "$path"
	done
	[ "$long" = yes ] || return 0
	# The other direction: caesurad reads what the kernel has written.
	guest readback-back "$store" efi=runtime "path=kernel seed=9" readback
	guest readback-back-fuse "$store" "" path=caesurad-fuse list
	same=false
	if variables_in readback-back >"$out/boots/before" &&
		variables_in readback-back-fuse |
		diff "$out/boots/before" - >&2; then
		same=true
	fi
	say_whether "caesurad reads what the kernel has written" "$same"
}

# kill_many PATH COUNT SEED: boots a guest that kills caesurad COUNT times.
kill_many() {
	guest "kills-$3" "$store" "" "path=$1 kills=$2 seed=$3" kills
	lines_of "kills-$3" | grep '^# kills front=' >>"$out/boots/kills" || :
}

# One boot can take about a hundred kills: firmware frees the space of old values only
# when it starts.
test_kills() {
	local store plan seed step
	store=$out/boots/kills.vars
	fresh_store "$store"
	if [ "$long" = yes ]; then
		plan="caesurad-fuse:50 caesurad-module:50 caesurad-fuse:50
			caesurad-module:50 caesurad-fuse:50 caesurad-module:50"
	else
		plan="caesurad-fuse:12 caesurad-module:8"
	fi
	seed=0
	for step in $plan; do
		seed=$((seed + 1))
		kill_many "${step%:*}" "${step#*:}" "$seed"
		if [ "$long" = yes ]; then
			reads_the_same "kills-$seed" "$store" "after the kills"
		fi
	done
	if [ "$long" = no ]; then
		reads_the_same "kills-$seed" "$store" "after the kills"
	fi
	awk '{
		for (i = 3; i <= NF; i++) {
			split($i, pair, "=")
			sum[pair[1]] += pair[2]
		}
	}
	END {
		printf "# %d kills: %d before the commit, %d with a valid journal, " \
			"%d after, %d done or done again; %d more at the " \
			"next start; %d wrong\n", sum["kills"], sum["before"], \
			sum["journal"], sum["after"], sum["answered"], \
			sum["again"], sum["wrong"]
	}' "$out/boots/kills"
}
