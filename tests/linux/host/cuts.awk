# SPDX-License-Identifier: MIT
# Judges power cuts by the lines of all boots, in their order. Each boot lists the
# values of its variables and then announces ("begin"), and confirms ("done"), each of
# its writes. What was confirmed must be there in the next boot; the write that the cut
# interrupted may have been made or not.

# A value must be as the writes before have left it.
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
# A boot failed, and the test goes on with a fresh store.
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
# The store was full, and the write was refused: the value must be as it was.
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
}
