# SPDX-License-Identifier: GPL-2.0-only
#
# usage: gnuplot -c plot.gnuplot TABLE.dat OUTPUT TITLE X-LABEL Y-LABEL LOGSCALE
#
# Draws all columns against the first one, in OUTPUT.svg and OUTPUT.png.

data = ARG1
set title ARG3 noenhanced
set xlabel ARG4
set ylabel ARG5
set format y "%g"
eval "set logscale ".ARG6
if (ARG6 eq "x") set yrange [0:*]
set key outside right center noenhanced
set grid
set linetype 5 linecolor "black"	# not yellow
tick(n) = n % 1024 ? sprintf("%d", n) : sprintf("%dK", n / 1024)

stats data using 1 skip 1 nooutput
set xrange [STATS_min / 1.2 : STATS_max * 1.2]
columns = int(STATS_columns)
set terminal svg size 800,440 background "white"
set output ARG2.".svg"
plot for [i = 2:columns] data using 1:i:xtic(tick(int($1))) \
	with linespoints linewidth 1.5 title columnheader(i)
set terminal pngcairo size 800,440
set output ARG2.".png"
replot
