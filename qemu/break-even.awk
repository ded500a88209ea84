# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -f break-even.awk TABLE.dat...
#
# Prints a row of Markdown for each table: from what size on is a column of the
# engine cheaper than the column "cpu"? Their modes are those of the first table.

function print_row(	i, j)
{
	printf "| %s", table
	for (i = 2; i <= columns; i++) {
		if (!is_mode(name[i]))
			continue
		for (j = rows; j && figure[j, i] <= figure[j, cpu]; j--)
			;
		printf " | %s", answer(j, i)
	}
	print " |"
}

function print_head(	i, line)
{
	printf "| "
	line = "|---"
	for (i = 2; i <= columns; i++)
		if (is_mode(name[i])) {
			printf " | %s", name[i]
			line = line "|---:"
		}
	print " |\n" line "|"
}

function is_mode(series)
{
	return series != "cpu" && series != "dmatest"
}

# answer(LAST, COLUMN): the last row where the CPU is cheaper
function answer(last, i,	loss, gain, step)
{
	if (last == rows)
		return "none"
	if (last == 0)
		return "less than " figure[1, 1]
	loss = figure[last, i] - figure[last, cpu]
	gain = figure[last + 1, cpu] - figure[last + 1, i]
	step = figure[last + 1, 1] - figure[last, 1]
	return sprintf("%.0f", figure[last, 1] + step * loss / (loss + gain))
}

FNR == 1 {
	if (rows)
		print_row()
	table = FILENAME
	gsub(/.*\/|\.dat$/, "", table)
	columns = NF
	rows = 0
	for (i = 1; i <= NF; i++) {
		name[i] = $i
		if ($i == "cpu")
			cpu = i
	}
	if (NR == 1)
		print_head()
	next
}

{
	rows++
	for (i = 1; i <= NF; i++)
		figure[rows, i] = $i
}

END { print_row() }
