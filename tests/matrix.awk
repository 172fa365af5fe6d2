# SPDX-License-Identifier: MIT
# Prints the boots of the self-test, one a line: CPUS ENTRY GIC MODEL FIRMWARE GATE
# MAP COMPILER. The choice is pairwise: any two values of different columns come
# together in at least one line. It is greedy and, among equals, takes the line whose
# values have come up least, so that the lines are the same every time. With
# -v all=yes, prints the whole product.

function axis(values) {
	axes++
	size[axes] = split(values, list, " ")
	for (v = 1; v <= size[axes]; v++) {
		value[axes, v] = list[v]
	}
}

# Candidate `number` of the product, as indices into the axes' values.
function unpack(number, a) {
	for (a = axes; a >= 1; a--) {
		index_of[a] = number % size[a] + 1
		number = int(number / size[a])
	}
}

function line(a, text) {
	text = value[1, index_of[1]]
	for (a = 2; a <= axes; a++) {
		text = text " " value[a, index_of[a]]
	}
	return text
}

# Whether there is such a machine: U-Boot's SetVirtualAddressMap is in no region that
# is mapped as executable.
function possible() {
	return !(value[5, index_of[5]] == "u-boot" && value[7, index_of[7]] == "set")
}

# How many pairs the candidate has that no line has had.
function new_pairs(a, b, count) {
	count = 0
	for (a = 1; a < axes; a++) {
		for (b = a + 1; b <= axes; b++) {
			count += !((a "." index_of[a], b "." index_of[b]) in had)
		}
	}
	return count
}

function mark(a, b) {
	for (a = 1; a <= axes; a++) {
		uses[a, index_of[a]]++
		for (b = a + 1; b <= axes; b++) {
			had[a "." index_of[a], b "." index_of[b]] = 1
		}
	}
}

# 0: nothing new.
function worth(a, sum) {
	sum = 1000 * new_pairs()
	for (a = 1; sum > 0 && a <= axes; a++) {
		sum -= uses[a, index_of[a]]
	}
	return sum
}

function print_all(number) {
	for (number = 0; number < product; number++) {
		unpack(number)
		if (possible()) {
			print line()
		}
	}
}

function print_pairwise(number, best, most) {
	for (;;) {
		most = 0
		for (number = 0; number < product; number++) {
			unpack(number)
			if (possible() && worth() > most) {
				most = worth()
				best = number
			}
		}
		if (most == 0) {
			return
		}
		unpack(best)
		mark()
		print line()
	}
}

BEGIN {
	axis("1 2 4 8")
	axis("EL1 EL2")
	axis("3 2")
	axis("cortex-a57 cortex-a76 neoverse-n1 max")
	axis("acpi dt secure u-boot")
	axis("direct sandbox")
	axis("identity set")
	axis("clang gcc")
	product = 1
	for (a = 1; a <= axes; a++) {
		product *= size[a]
	}
	if (all == "yes") {
		print_all()
	} else {
		print_pairwise()
	}
}
