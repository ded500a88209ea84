# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -v table=NAME -f table.awk FIGURES
#
# Makes lines TABLE SERIES N FIGURE into a row for each N, a column for each
# series. All have to be there.

$1 == table {
	if (!($2 in seen))
		series[++columns] = $2
	seen[$2]
	if (!($3 in row))
		n[++rows] = $3
	row[$3]
	figure[$2, $3] = $4
}

END {
	if (!rows)
		missing = table
	printf "N"
	for (i = 1; i <= columns; i++)
		printf " %s", series[i]
	print ""
	for (j = 1; j <= rows; j++) {
		printf "%s", n[j]
		for (i = 1; i <= columns; i++) {
			at = series[i] SUBSEP n[j]
			if (!(figure[at] > 0))
				missing = table ", " series[i] " of " n[j]
			printf " %s", figure[at] + 0
		}
		print ""
	}
	if (missing) {
		print missing " was not measured" >"/dev/stderr"
		exit 1
	}
}
