# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -f budgets.awk FIGURES BUDGETS
#
# Prints KTAP. The figures of one build repeat to some ns; where its parts are in
# memory makes up to 3 % in those of another, and another kernel 5 %.

function result(ok, name, text)
{
	if (!ok)
		failed = 1
	printf "%sok %d %s # %s\n", ok ? "" : "not ", ++number, name, text
}

FNR == 1 { file++ }
/^#/ || NF == 0 { next }
file == 1 { figure[$1] = $2; next }
$1 == "kernel" { slack = $2 == figure["kernel"] ? 1.03 : 1.05; next }
{ line[++lines] = $0 }

END {
	print "1.." lines + 0
	for (i = 1; i <= lines; i++) {
		split(line[i], field)
		name = field[1]
		now = figure[name]
		of = figure[field[4]]
		if (now == "" || of == "") {
			result(0, name, "was not measured")
			continue
		}
		text = sprintf("%.9g of %.9g, %.3g times %s where %s is the aim",
			       now, field[2], now / of, field[4], field[3])
		if (now * slack < field[2])
			text = text ": lower the budget"
		result(now <= field[2] * slack, name, text)
	}
	exit failed
}
