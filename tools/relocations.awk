# SPDX-License-Identifier: MIT
# Reads `readelf -rW` of an object that has to run at any address without being
# relocated. Prints absolute addresses and uses of the GOT, and fails if there are
# any. Ignores debug sections, because they are never loaded.

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
