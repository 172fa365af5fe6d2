# SPDX-License-Identifier: MIT
# Reads `readelf -rW` of an object that has to run anywhere without being
# relocated; fails, showing them, when it holds absolute addresses or uses the
# GOT. Debug sections are never loaded.

/^Relocation section/ {
	loaded = !/debug/
}

loaded && /R_AARCH64_ABS|_GOT/ {
	print "needs a relocation when loaded: " $0
	bad = 1
}

END {
	exit bad
}
