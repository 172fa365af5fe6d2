# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Measures wake-ups on Linux by each path, in boots of each kernel.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura
wakeups=2000 # how many a phase of a boot measures
calls=150    # of SetVariable in a boot; many more would fill the store

# list_measurement KERNEL PATH: lists the boots of one system: with our meter, with
# cyclictest, and with our meter under firmware that masks interrupts.
list_measurement() {
	local meter seed
	for meter in ours cyclictest mask; do
		seed=1
		while [ "$seed" -le "$linux_boots" ]; do
			list_boot "$1.$2.$meter.$seed" "$(linux_image "$1")" \
				"$(linux_line "$(path_line "$1" "$2")")"
			seed=$((seed + 1))
		done
	done
}

# The parts of a boot's name, KERNEL.PATH.METER.SEED. The kernel's name may have dots.
seed_of() {
	echo "${1##*.}"
}

meter_of() {
	local rest
	rest=${1%.*}
	echo "${rest##*.}"
}

path_of() {
	local rest
	rest=${1%.*.*}
	echo "${rest##*.}"
}

kernel_of() {
	echo "${1%.*.*.*}"
}

# boot_linux_listed DIR NUMBER: makes that boot of the list, with an initrd of its own.
boot_linux_listed() {
	local listed path
	listed=$(sed -n "$2p" "$out/boots/list")
	listed=${listed%% *}
	path=$(path_of "$listed")
	cat >"$out/boots/$listed.job" <<-END
		path=$path mode=$(path_mode "$path") seed=$(seed_of "$listed")
		meter=$(meter_of "$listed") wakeups=$wakeups calls=$calls
		. /bench/measure.sh
	END
	prepare_linux "$listed" "$(kernel_of "$listed")" "$out/boots/$listed.job"
	esp=
	vars=$stock_vars
	if [ "$(meter_of "$listed")" = mask ]; then
		esp=$adversary_disk
		vars=$out/adversary.vars
	fi
	boot_listed "$1" "$2"
	rm -f "$initrd"
}

# Lists the systems, each a kernel and a path, and their boots.
list_systems() {
	local kernel path
	for kernel in ${linux_kernel:-$linux_kernels}; do
		for path in ${linux_path:-$linux_paths}; do
			if has_path "$path" "$kernel"; then
				echo "$kernel $path" >>"$out/boots/systems"
				list_measurement "$kernel" "$path"
			else
				say "caesura: $path is left out: it has not" \
					"been built for $kernel"
			fi
		done
	done
	[ -s "$out/boots/systems" ] || give_up "there is nothing to measure"
}

measure_linux() {
	local kernels kernel rows started stock_vars code
	kernels=
	for kernel in ${linux_kernel:-$linux_kernels}; do
		kernels="$kernels kernel:$kernel"
	done
	# shellcheck disable=SC2086 # a list
	need_linux $kernels
	started=$(date +%s)
	stock_vars=$vars
	make_adversary "$out/adversary.vars" "${linux_kernel:-6.12-rt}"
	: >"$out/boots/systems"
	list_systems
	say "caesura: measuring in $(wc -l <"$out/boots/list") boots of about a minute," \
		"$side_by_side at a time"
	code=0
	show_systems
	if ! boot_all boot_linux_listed; then
		# What an instrument said stands before the kernel's last lines, which
		# boot_all shows.
		cat "$out"/boots/*.log | tr -d '\r' |
			grep -e '^meter: ' -e '^cyclictest: ' >&2 || :
		return 1
	fi
	rows=yes
	print_systems >"$out/table.txt" || rows=no
	cat "$out/table.txt"
	judge_systems
	if [ "$rows" = no ] || ! write_linux_rows; then
		give_up "no results can be read from the serial logs in" \
			"$(short "$out/boots")"
	fi
	short "$out/results.json"
	echo
	say "caesura: $boots_listed boots in $(($(date +%s) - started)) seconds"
	return "$code"
}
