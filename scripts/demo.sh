# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# ./caesura demo: measures wake-up latency, and writes the table and the report.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

usage_demo() {
	cat <<'END'
usage: ./caesura demo [OPTION…]

Measures how late a top-priority thread wakes up while another thread keeps
firmware busy on the same CPU: with preemption switched off around each call
(blocking), and with Caesura, where firmware runs at EL1 (direct) or at EL0
(sandbox). Also measures it under a driver that masks interrupts (mask). Prints
a table, and each bound with its figures. Writes DIR/results.json,
DIR/latency.svg and DIR/report.html. Two runs print the same figures, to the
last digit.

Exit code 1: a bound does not hold. With --no-icount no bound is asserted.

  ./caesura demo
  ./caesura demo --firmware CODE.fd --vars VARS.fd --out out/mine
END
	usage_common
}

# Prints a mode's options. Blocking calls use no gate, in the direct gate's space.
mode_options() {
	printf 'mode=%s' "$1"
	if [ "$1" = sandbox ]; then
		printf ' gate=sandbox'
	fi
}

# list_cells PHASE BOOTS EXTRA: lists the boots for a phase: each of $modes, at each rate,
# takes the samples of one second, shared between BOOTS boots with different seeds.
list_cells() {
	local mode rate seed
	for mode in $modes; do
		for rate in 1000 10000; do
			seed=1
			while [ "$seed" -le "$2" ]; do
				list_boot "$mode-$1-$rate-$seed" "$image" \
					"latency $(mode_options "$mode") phase=$1$(
					) rate=$rate samples=$(((rate + $2 - 1) / $2))$(
					) seed=$seed $3"
				seed=$((seed + 1))
			done
		done
	done
}

# list_sweeps PHASE PARTS EXTRA: lists the boots that put an expiry at every tick of a
# call, in each gate; each boot does one part.
list_sweeps() {
	local mode part
	for mode in direct sandbox; do
		part=0
		while [ "$part" -lt "$2" ]; do
			list_boot "sweep-$mode-$1-$part" "$image" \
				"latsweep $(mode_options "$mode") phase=$1$(
				) part=$part/$2 $3"
			part=$((part + 1))
		done
	done
}

list_demo() {
	local modes how
	modes="blocking direct sandbox"
	list_cells setvariable 27 "value=1024 calls=50"
	list_cells getvariable 2 "value=1024"
	list_cells gettime 2 ""
	list_cells control 2 ""
	list_cells idle 2 ""
	modes="direct sandbox"
	list_cells mask 4 "adversary"
	list_sweeps setvariable 3 "value=1024"
	list_sweeps getvariable 1 "value=1024"
	list_sweeps gettime 1 ""
	list_sweeps control 1 ""
	list_boot sweep-sandbox-mask "$image" "latsweep adversary phase=mask$(
	) masked=200 $(mode_options sandbox)"
	for how in raw direct sandbox; do
		list_cost gettime "$how" ""
		list_cost setvariable "$how" "value=1024"
	done
}

# list_cost SERVICE HOW EXTRA: lists the boot that measures what a call costs, by HOW:
# raw, or in the direct or sandbox gate.
list_cost() {
	local way=queue options=
	case $2 in
	raw) way=raw ;;
	sandbox) options=" gate=sandbox" ;;
	esac
	list_boot "cost-$1-$2" "$image" \
		"cost service=$1 calls=50 $3 how=$way$options"
}

# results COMMAND [OPTION…]: runs tools/results on the logs of all boots.
results() {
	local what
	what=$1
	shift
	if [ "$icount" = no ]; then
		set -- --no-bounds "$@"
	fi
	"$root/build/tools/results" "$what" --system "Caesura" \
		--firmware "$(firmware_name)" --cpus "$cpus" "$@" \
		"$out"/boots/*.log
}

draw() {
	results plot >"$out/latency.dat"
	gnuplot -e "data='$out/latency.dat'; out='$out/latency.svg'" \
		-e "firmware='$(firmware_name)'" "$root/tools/latency.gp" ||
		give_up "gnuplot failed"
}

write_report() {
	results html --svg "$out/latency.svg" --command "./caesura demo" \
		--fact "$("$qemu" --version | head -n 1), -M $(machine) -cpu $cpu" \
		--fact "Firmware: $(firmware_name)" \
		--fact "Kernel and library built with $toolchain" \
		--fact "Boots: $boots_listed, each on a fresh variable store" \
		>"$out/report.html"
}

command_demo() {
	local image started code file
	if [ -n "$gate" ]; then
		give_up "demo measures both gates: it takes no --gate"
	fi
	# shellcheck disable=SC2086 # lists
	need_to_boot $packages_tools $packages_demo
	image=$(image_file image)
	build "$image" tools
	started=$(date +%s)
	list_demo
	boot_all || return
	code=0
	results table >"$out/table.txt" || code=$?
	cat "$out/table.txt"
	results json >"$out/results.json" || code=2
	draw
	write_report
	if [ "$icount" = no ]; then
		echo "In real time no bound is asserted."
	fi
	echo
	for file in results.json latency.svg report.html; do
		short "$out/$file"
		echo
	done
	say "caesura: $boots_listed boots in $(($(date +%s) - started)) seconds"
	return "$code"
}
