# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Test cuts: the power is cut in a write. SIGKILL for QEMU cuts the power: each
# write to the flash has become a write to its file by then, so that only the
# host's kernel could lose one.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

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
	local cut_code
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
	local after
	stills=$((stills + 1))
	random 6
	after=$((random + 2))
	random 65536
	cut "$1" "" "path=caesurad-fuse seed=$2 after=$after point=$((stills % 4)),$random" \
		'^still ' 0
}

# At any time.
cut_anywhere() {
	local after
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
	local store cuts_of random_state number stills most boots_fail is_right
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
	local store cuts_of number
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
