# SPDX-License-Identifier: MIT
# The machines to boot on, one a line: CPUS ENTRY GIC MODEL FIRMWARE. Pairwise: any
# two values of different columns come together in at least one line; with
# -v all=yes, the whole product. Greedy, of equals the one whose values have come
# up least; so the lines are the same every time.

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
		print line()
	}
}

function print_pairwise(number, best, most) {
	for (;;) {
		most = 0
		for (number = 0; number < product; number++) {
			unpack(number)
			if (worth() > most) {
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
