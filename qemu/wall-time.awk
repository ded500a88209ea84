# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -f wall-time.awk FIGURES
#
# Makes lines SIZE MEMORY NAME BYTES-PER-SECOND into one of Markdown for each of
# the first three, with the best, and that divided by dmatest's.

$1 != "command" {
	at = $1 SUBSEP $2 SUBSEP $3
	if (!(at in best))
		line[++lines] = at
	if (best[at] < $4)
		best[at] = $4
}

END {
	for (i = 1; i <= lines; i++) {
		split(line[i], field, SUBSEP)
		ratio = best[line[i]] / best[field[1], "kernel", "dmatest"]
		printf "| %s | %s | %s | %.0f | %.2f |\n", field[1], field[2],
		       field[3], best[line[i]], ratio
	}
}
