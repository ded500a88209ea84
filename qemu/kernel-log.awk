# SPDX-License-Identifier: GPL-2.0-only
# Prints the lines of a kernel log without those, and without the reports that
# begin with one of those, that are in the file named by the variable allowed.
# What follows a line "[SUITE...]" there is known in the logs of these suites only.
BEGIN {
	while ((getline line < allowed) > 0)
		if (line ~ /^\[.*\]$/)
			count = split(substr(line, 2, length(line) - 2), suites)
		else if (line !~ /^#/ && !count)
			known[line]
		else if (line !~ /^#/)
			for (i = 1; i <= count; i++)
				provoked[suites[i], line]
}
/^suite [a-z0-9-]+$/ {
	suite = $2
}
{
	text = $0
	gsub(/0x[0-9a-f]+/, "0x", text)
	sub(/^kmemleak: [0-9]+ /, "kmemleak: N ", text)
	sub(/: size [0-9]+,/, ": size N,", text)
	sub(/ CPU: [0-9]+ PID: [0-9]+ /, " CPU: N PID: N ", text)
	sub(/ \[#[0-9]+\]/, " [#N]", text)
	if (sub(/^dmacpy [^ ]+: channel [a-z0-9]+: /,
		"dmacpy N: channel N: ", text))
		sub(/ after [0-9]+ ms$/, " after N ms", text)
	sub(/^dmacpy [^ ]+: [0-9]+ failures /, "dmacpy N: N failures ", text)
}
# 32-bit kernels say where it was before they say what.
first_of_report && /^WARNING: CPU: / && place == "" && !(text in known) {
	place = $0
	next
}
# An abort has no line before its report.
/^Internal error: / && (text in known) {
	known_report = 1
}
first_of_report {
	known_report = text in known
	if (place != "" && !known_report)
		print place
	place = ""
}
{
	first_of_report = /^-+\[ cut here \]-+$/
}
first_of_report || /^---\[ end trace / {
	known_report = 0
}
# What it says about a lack of memory comes with a trace, after some lines.
/^Call trace: ?$/ && known_trace {
	next
}
!/^(CPU|Tainted|Hardware name): / {
	known_trace = text in known
}
!known_report && !(text in known) && !((suite, text) in provoked)
