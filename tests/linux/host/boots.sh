# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# What caesurad has to show on stock kernels, by `./caesura linux --test NAME`:
# scripts/linux.sh reads this file and calls linux_tests(). The part of each in the
# guest is in tests/linux/guest. Power is cut by SIGKILL for QEMU, of which each write
# to the flash is a write to the file by then: only the host's kernel could lose it.

# shellcheck disable=SC2154,SC2034,SC2153 # shared with ./caesura

# ---- One boot ----

put_tests() {
	mkdir -p "$programs/tests"
	cp "$root"/tests/linux/guest/*.sh "$root"/tests/linux/guest/*.rows \
		"$programs/tests"
	put torture /usr/bin
	put starve /usr/bin
	put inject /usr/bin
}

# prepare_guest NAME WORDS SCRIPT: runs the script after the words, settings for it.
prepare_guest() {
	printf '%s\n. /tests/%s.sh\n' "$2" "$3" >"$out/boots/$1.job"
	prepare_linux "$1" "$tested" "$out/boots/$1.job"
}

# guest NAME STORE LINE WORDS SCRIPT: with LINE on the kernel's command line, or
# what leaves firmware to caesurad.
guest() {
	prepare_guest "$1" "$4" "$5"
	guest_code=0
	boot "$1" "$2" "$(linux_image "$tested")" \
		"$(linux_line "${3:-$(path_line "$tested" caesurad)}")" ||
		guest_code=$?
	rm -f "$initrd"
	initrd=
	relay "$1"
}

# What the guest has to say; a boot that ended otherwise is a failure too.
relay() {
	lines_of "$1" | grep -E '^((not )?ok - |# )' || :
	if [ "$guest_code" -ne 0 ]; then
		code=1
		if ! lines_of "$1" | grep -q '^not ok - '; then
			echo "not ok - $1: $boot_why"
			last_lines "$1" | sed 's/^/# /'
		fi
	fi
}

lines_of() {
	tr -d '\r' <"$out/boots/$1.log"
}

say_whether() {
	if "$2"; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		code=1
	fi
}

fresh_store() {
	cp --sparse=always "$stock_vars" "$1"
	chmod u+w "$1"
}

# reads_the_same BEFORE STORE WORDS: what boot BEFORE has listed at its end the
# stock kernel itself reads in the next, byte for byte.
reads_the_same() {
	guest "$1-kernel" "$2" efi=runtime path=kernel list
	say_same "$1" "$3"
}

# say_same BEFORE WORDS: of what boots BEFORE and BEFORE-kernel have listed.
say_same() {
	same=false
	rm -f "$out/boots/different"
	if [ "$guest_code" -eq 0 ] && variables_in "$1" >"$out/boots/before" &&
		[ -s "$out/boots/before" ] && variables_in "$1-kernel" |
		diff "$out/boots/before" - >"$out/boots/different"; then
		same=true
	fi
	say_whether "$2: the kernel's own efivarfs reads all $(
		wc -l <"$out/boots/before"
	) variables, byte for byte" "$same"
	if [ "$same" = false ] && [ -e "$out/boots/different" ]; then
		sed 's/^/# /' "$out/boots/different"
	fi
}

# ---- Debian's programs, and the entry that they make ----

test_tools() {
	build build/clang/image.efi
	entry_disk=$out/boots/entry.disk
	make_partition "$entry_disk"
	mcopy -i "$fat" "$root/build/clang/image.efi" ::/caesura.efi
	echo selftest | mcopy -i "$fat" - ::/caesura.txt
	for path in $tested_paths; do
		show "$tested" "$path"
	done
}

# ---- Read back ----

test_readback() {
	store=$out/boots/readback.vars
	fresh_store "$store"
	seed=0
	for path in $tested_paths; do
		seed=$((seed + 1))
		guest "readback-$path" "$store" "" "path=$path seed=$seed" readback
		reads_the_same "readback-$path" "$store" "$path"
	done
	[ "$long" = yes ] || return 0
	# The other way round.
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

# ---- Kills ----

# kill_many PATH COUNT SEED: on the store.
kill_many() {
	guest "kills-$3" "$store" "" "path=$1 kills=$2 seed=$3" kills
	lines_of "kills-$3" | grep '^# kills front=' >>"$out/boots/kills" || :
}

# One boot takes about a hundred: firmware gets back what values occupied when it
# starts anew.
test_kills() {
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

# ---- Power cuts ----

# await_line LOG PATTERN: false when QEMU has ended or has fallen silent.
await_line() {
	begin_silence
	until grep -a -q "$2" "$1"; do
		kill -0 "$qemu_pid" 2>/dev/null || return 1
		sleep 0.05
		! falls_silent "$1" 5 || return 1
	done
}

# cut NAME LINE WORDS PATTERN DELAY: switches off, by SIGKILL, DELAY seconds after
# the line; false when there was none.
cut() {
	prepare_guest "$1" "$3" cuts
	start_qemu "$out/boots/$1.log" "$store" \
		"$root/$(linux_image "$tested")" \
		"$(linux_line "${2:-$(path_line "$tested" caesurad)}")"
	cut_code=0
	await_line "$out/boots/$1.log" "$4" || cut_code=1
	sleep "$5"
	kill -9 "$qemu_pid" 2>/dev/null || :
	wait "$qemu_pid" 2>/dev/null || :
	qemu_pid=
	rm -f "$initrd"
	initrd=
	lines_of "$1" >>"$out/boots/$cuts_of.lines"
	return "$cut_code"
}

# random BOUND: the next of the test's own.
random() {
	random_state=$(((random_state * 1103515245 + 12345) % 2147483648))
	random=$((random_state / 65536 % $1))
}

# At a known instruction of the write, with the guest standing still there; all
# kinds of points in turn.
cut_still() {
	stills=$((stills + 1))
	random 6
	after=$((random + 2))
	random 65536
	cut "$1" "" "path=caesurad-fuse seed=$2 after=$after point=$((stills % 4)),$random" \
		'^still ' 0
}

# At any time.
cut_anywhere() {
	random 20
	after=$random
	random 50
	cut "$1" "$3" "path=$4 seed=$2 after=100 point=-" \
		"^begin $((after + 1)) " "0.$(printf '%02d' "$random")"
}

# What the next boots listed of what had been written: lines in the boots' order.
judge_cuts() {
	awk '
	function check(name) {
		if (now[name] == model[name]) {
			return
		}
		if (name == pending_name && now[name] == pending) {
			model[name] = pending
			return
		}
		print "# " name " is " now[name] ", not " model[name] \
			(name == pending_name ? " nor " pending : "")
		wrong++
		model[name] = now[name]
	}
	/^reset$/ {
		split("", model)
		pending_name = ""
		dead++
	}
	/^value / { now[$2] = $3 }
	/^values end$/ {
		if (pending_name != "") {
			fresh += now[pending_name] == pending
			old += now[pending_name] != pending
		}
		before = wrong
		for (name in now) {
			check(name)
		}
		for (name in model) {
			check(name)
		}
		cost += wrong > before
		split("", now)
		pending_name = ""
	}
	/^begin / {
		pending_name = $3
		pending = $4 == "absent" ? "" : $4
		begun++
	}
	/^done / {
		model[pending_name] = pending
		pending_name = ""
		written++
	}
	# Refused: it has to be as it was.
	/^full / {
		pending_name = ""
		full++
	}
	/^still / { journal += $3 == "journal=1" }
	/^failed / {
		print "# " $0
		wrong++
	}
	END {
		printf "cuts written=%d full=%d old=%d new=%d journal=%d dead=%d " \
			"wrong=%d, after %d cuts\n", written, full, old, \
			fresh, journal, dead, wrong, cost
		exit wrong > 0 || dead > 0 || full > written / 10
	}' "$1"
}

# The last boot, which lists.
end_cuts() {
	cut_code=0
	guest "$cuts_of-end" "$store" "$1" "path=$2" list >/dev/null ||
		cut_code=1
	lines_of "$cuts_of-end" >>"$out/boots/$cuts_of.lines"
}

test_cuts() {
	store=$out/boots/cuts.vars
	cuts_of=cuts
	fresh_store "$store"
	random_state=6
	number=0
	stills=0
	most=3
	[ "$long" = no ] || most=50
	boots_fail=0
	while [ "$number" -lt "$most" ]; do
		number=$((number + 1))
		progress_of "$number" "$most" "power cut $number"
		if [ $((number % 2)) -eq 0 ] && [ "$long" = yes ]; then
			cut_anywhere "cuts-$number" "$number" "" caesurad-fuse
		else
			cut_still "cuts-$number" "$number"
		fi || boots_fail=$((boots_fail + 1))
	done
	guest_code=0
	end_cuts efi=runtime kernel
	is_right=false
	if judge_cuts "$out/boots/cuts.lines" >"$out/boots/cuts.said" &&
		[ "$boots_fail" -eq 0 ] && [ "$guest_code" -eq 0 ]; then
		is_right=true
	fi
	sed 's/^c/# c/' "$out/boots/cuts.said"
	say_whether "$most power cuts: the machine boots, and each variable that $(
	)was written is there, the interrupted one old or new" "$is_right"
	[ "$is_right" = true ] || echo "# boots that failed: $boots_fail"
	if [ "$long" = yes ]; then
		control_cuts
	fi
}

# The kernel's own path under the same: a figure.
control_cuts() {
	store=$out/boots/control.vars
	cuts_of=control
	fresh_store "$store"
	number=0
	while [ "$number" -lt 25 ]; do
		number=$((number + 1))
		progress_of "$number" 25 "power cut $number, the kernel's own path"
		cut_anywhere "control-$number" "$number" efi=runtime kernel &&
			continue
		fresh_store "$store"
		echo reset >>"$out/boots/control.lines"
	done
	end_cuts efi=runtime kernel
	judge_cuts "$out/boots/control.lines" >"$out/boots/control.said" || :
	echo "# for comparison, the kernel's own path, 25 cuts at any time:"
	sed -n 's/^cuts /# cuts /p' "$out/boots/control.said"
}

# ---- Hostile firmware ----

print_rows() {
	lines_of "$1" | sed -n 's/^row //p' | awk -F '|' '
	BEGIN { printf "# %-26s %-4s %-6s %s\n", "misbehaviour", "call", \
		"error", "the report" }
	{ printf "# %-26s %-4s %-6s %s\n", $1, $2, $3, $4 }'
}

test_hostile() {
	make_adversary "$out/adversary.vars" "$tested"
	for path in $hostile_paths; do
		store=$out/boots/hostile.vars
		cp --sparse=always "$out/adversary.vars" "$store"
		esp=$adversary_disk
		guest "hostile-$path" "$store" "" "path=$path" hostile \
			>"$out/boots/hostile-$path.said"
		esp=
		print_rows "hostile-$path"
		grep -v '^ok - ' "$out/boots/hostile-$path.said" || :
		if [ "$guest_code" -eq 0 ]; then
			echo "ok - $path: $(grep -c '^ok - ' \
				"$out/boots/hostile-$path.said") checks under $(
			)hostile firmware"
		fi
		reads_the_same "hostile-$path" "$store" "$path, hostile firmware"
	done
}

# ---- RAM that is older than the store ----

# With one store, which firmware has to reclaim in between.
test_stale() {
	store=$out/boots/stale.vars
	fresh_store "$store"
	for number in 1 2; do
		guest "stale-$number" "$store" "" path=caesurad-fuse stale
	done
}

# ---- Variables that do not persist ----

# nostore MACHINE: with the driver that makes QEMU's machine one.
nostore() {
	esp=$out/boots/nostore-$1.disk
	cp "$adversary_disk" "$esp"
	mcopy -o -i "$esp@@1M" "$root/build/clang/drivers/$1.efi" ::/adversary.efi
	store=$out/boots/nostore-$1.vars
	cp --sparse=always "$out/adversary.vars" "$store"
	guest "nostore-$1" "$store" "" "machine=$1" nostore
	# No daemon does that any more.
	if lines_of "nostore-$1" | grep -q '^# accepted'; then
		guest "nostore-$1-again" "$store" "" \
			"path=caesurad-fuse machine=again" nostore
	fi
	esp=
}

# Debian's kernel on U-Boot as Debian has it, which reads all of it from a disk.
nostore_on_uboot() {
	# shellcheck disable=SC2086 # a list
	need $packages_uboot
	firmware=u-boot
	tables=
	vars=$out/boots/nostore-uboot.flash
	make_uboot_flash "$vars" "$(
		linux_line "$(path_line "$tested" caesurad)" 'initrd=\initrd'
	)"
	find_firmware
	prepare_guest nostore-uboot machine=uboot nostore
	boot_disk=$out/boots/nostore-uboot.disk
	make_partition "$boot_disk" 128
	mmd -i "$fat" ::/EFI ::/EFI/BOOT
	mcopy -i "$fat" "$root/$(linux_image "$tested")" ::/EFI/BOOT/BOOTAA64.EFI
	mcopy -i "$fat" "$initrd" ::/initrd
	rm -f "$initrd"
	initrd=
	guest_code=0
	boot nostore-uboot "$vars" none "" || guest_code=$?
	rm -f "$boot_disk"
	relay nostore-uboot
}

test_nostore() {
	make_adversary "$out/adversary.vars" "$tested"
	nostore ram
	if [ "$long" = yes ]; then
		nostore file
	fi
	nostore buffer
	nostore_on_uboot
}

# ---- A busy real-time thread ----

# On two CPUs, in real time: with counted instructions one of them can wait for the
# other for long.
test_starve() {
	cpus=2
	icount=no
	guest starve "" "" "path=caesurad-fuse long=$long" starve
}

# ---- Hibernation ----

# hibernate STORE WORDS: a boot that goes to sleep on the disk, and does not end.
hibernate() {
	prepare_guest "$1" "$3" hibernate
	line=$(path_line "$tested" caesurad)
	boot "$1" "$2" "$(linux_image "$tested")" \
		"$(linux_line "${line:-layout=same}")" || :
	rm -f "$initrd"
	initrd=
	lines_of "$1" | grep -E '^((not )?ok - |# )' || :
	asleep=false
	if lines_of "$1" | grep -q '^hibernates$' && [ -z "$exit_code" ] &&
		[ "$silent" = no ]; then
		asleep=true
	fi
	say_whether "$1: the machine is switched off, with an image" "$asleep"
	[ "$asleep" = true ] || last_lines "$1" | sed 's/^/# /'
}

# The next boot has runtime services, and goes on with the image. Tables that firmware has
# at another address in it end in a refusal: command lines and jobs are of one length,
# and the first boot of a store, which fills it, is another.
test_hibernate() {
	disk=$out/boots/hibernate.disk
	truncate -s 768M "$disk"
	qemu_args="$qemu_args -device virtio-blk-device,drive=swap -drive $(
	)if=none,id=swap,format=raw,cache=unsafe,file=$(option_path "$disk")"
	for path in $tested_paths; do
		store=$out/boots/hibernate.vars
		fresh_store "$store"
		guest "hibernate-$path-first" "$store" efi=runtime \
			path=kernel list
		hibernate "hibernate-$path" "$store" \
			"path=$path step=sleep"
		guest "hibernate-$path-resumed" "$store" efi=runtime \
			"path=$path step=awake" hibernate
		reads_the_same "hibernate-$path-resumed" "$store" "$path"
	done
	rm -f "$disk"
}

# ---- kexec ----

# The guest has what it boots with, to boot with it again.
test_kexec() {
	mkdir -p "$programs/kexec"
	cp "$root/$(linux_image "$tested")" "$programs/kexec"
	cp -a "$linux/kexec/." "$programs"
	for path in $tested_paths; do
		store=$out/boots/kexec.vars
		fresh_store "$store"
		guest "kexec-$path" "$store" "retain_initrd $(
			path_line "$tested" caesurad
		)" "path=$path" kexec
		reads_the_same "kexec-$path" "$store" "$path"
	done
}

# ---- Refusals ----

test_refusals() {
	guest refusals-here "" "" "path=caesurad-fuse why=here" refusals
	guest refusals-runtime "" efi=runtime \
		"path=caesurad-fuse why=runtime" refusals
	guest refusals-lockdown "" \
		"lockdown=integrity $(path_line "$tested" caesurad)" \
		"path=caesurad-fuse why=lockdown" refusals
}

# ---- The service ----

# A root with systemd, our packages beside it.
put_service() {
	programs=$out/boots/service
	mkdir -p "$programs/bench" "$programs/tests" "$programs/packages"
	cp "$root/bench/paths.sh" "$programs/bench"
	cp "$root/tests/linux/guest/service.sh" "$programs/tests"
	cp "$root"/build/deb/*.deb "$programs/packages"
	linux_systemd=--systemd
}

# Without login prompts, and what systemd has to say in its journal alone.
systemd_line() {
	echo "systemd.unit=multi-user.target systemd.getty_auto=no$(
	) systemd.show_status=no $*"
}

test_service() {
	put_service
	store=$out/boots/service.vars
	fresh_store "$store"
	guest service "$store" "$(
		systemd_line "$(path_line "$tested" caesurad)"
	)" why=here service
	guest service-kernel "$store" "$(systemd_line efi=runtime)" \
		why=runtime service
	say_same service service
}

# ---- All of them ----

# run_linux_test NAME: on $tested.
run_linux_test() {
	stock_vars=$vars
	esp=
	"test_$1"
}

linux_tests() {
	tested=${linux_kernel:-6.12-rt}
	need_linux "kernel:$tested"
	case " ${linux_test:-service} " in
	*" service "* | *" all "*)
		[ "$ready" = yes ] || make_service "$tested"
		;;
	esac
	case " ${linux_test:-kexec} " in
	*" kexec "* | *" all "*)
		[ "$ready" = yes ] || make_kexec
		;;
	esac
	put_tests
	tested_paths=${linux_path:-caesurad-fuse caesurad-module}
	# There a call is one of firmware's; by FUSE each file is looked for first.
	hostile_paths=${linux_path:-caesurad-module}
	if [ "$long" = yes ]; then
		hostile_paths=$tested_paths
	fi
	code=0
	for name in ${linux_test:-$linux_tests_all}; do
		[ "$name" != all ] || name=$linux_tests_all
		for one in $name; do
			progress "$one"
			started=$(date +%s)
			(
				trap 'finish; exit 143' TERM
				trap finish EXIT
				code=0
				run_linux_test "$one"
				exit "$code"
			) >"$out/$one.said" &
			# Not waited for by the shell: that hears no signal.
			worker_pids=$!
			wait "$worker_pids" || code=1
			worker_pids=
			progress
			cat "$out/$one.said"
			echo "# $one: $(($(date +%s) - started)) seconds"
		done
	done
	return "$code"
}
