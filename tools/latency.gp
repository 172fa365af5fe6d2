# SPDX-License-Identifier: MIT
# Draws the picture of a demo: which fraction of wake-ups came later than a time. The caller
# sets data (from `results plot`), out (an SVG file) and firmware (its name).
set terminal svg size 960,560 font "sans-serif,15" background "#ffffff" \
	name "latency" enhanced
set encoding utf8
set output out
set lmargin 18
set bmargin 4

set title "How late a 10 kHz top-priority thread wakes up while firmware is busy\n{/*0.8 one CPU, ".firmware.", instruction-counted time}" \
	font ",18"
set logscale xy
set xrange [0.1:10000]
set yrange [0.00008:1.2]
set xlabel "wake-up latency, µs"
set ylabel "fraction of wake-ups that are later"
set xtics ("0.1" 0.1, "1" 1, "10" 10, "100" 100, "1,000" 1000, \
	"10,000" 10000)
set mxtics 10
set ytics ("1" 1, "1 in 10" 0.1, "1 in 100" 0.01, "1 in 1,000" 0.001, \
	"1 in 10,000" 0.0001)
set mytics 1
set grid xtics ytics linetype 1 linecolor "#e4e4e4" linewidth 1
set border 3 linecolor "#555555"
set tics nomirror
set key outside right center vertical Left reverse spacing 1.3 samplen 2

plot \
	data index "blocking-setvariable" with lines lw 3 lc "#b00020" \
		title "SetVariable, blocking", \
	data index "blocking-getvariable" with lines lw 2 lc "#e07b39" \
		title "GetVariable, blocking", \
	data index "direct-mask" with lines lw 3 dt 4 lc "#1b4f9c" \
		title "masks interrupts, direct", \
	data index "direct-setvariable" with lines lw 3 lc "#1b4f9c" \
		title "SetVariable, direct", \
	data index "direct-getvariable" with lines lw 2 lc "#4c8bd6" \
		title "GetVariable, direct", \
	data index "sandbox-mask" with lines lw 3 dt 4 lc "#177245" \
		title "masks interrupts, sandbox", \
	data index "sandbox-setvariable" with lines lw 3 lc "#177245" \
		title "SetVariable, sandbox", \
	data index "sandbox-getvariable" with lines lw 2 lc "#63b88c" \
		title "GetVariable, sandbox", \
	data index "direct-control" with lines lw 2 dt 2 lc "#555555" \
		title "no firmware (control)", \
	data index "direct-idle" with lines lw 2 dt 3 lc "#999999" \
		title "idle"
