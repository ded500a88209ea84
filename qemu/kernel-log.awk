# SPDX-License-Identifier: GPL-2.0-only
# Prints the lines of a kernel log without those, and without the reports that
# begin with one of those, that are in the file named by the variable allowed.
# Of the reports of KCSAN only those are left in which one of our functions makes
# one of the accesses: the kernel has data races of its own, also when it is we
# who call it.
BEGIN {
	while ((getline line < allowed) > 0)
		if (line !~ /^#/)
			known[line]
}
{
	text = $0
	gsub(/0x[0-9a-f]+/, "0x", text)
	sub(/^kmemleak: [0-9]+ /, "kmemleak: N ", text)
	sub(/: size [0-9]+,/, ": size N,", text)
}
# 32-bit kernels say where it was before they say what.
first_of_report && /^WARNING: CPU: / && place == "" {
	place = $0
	next
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
/^BUG: KCSAN: / {
	race = text in known ? "" : $0
}
/^=+$/ {
	race = ""
}
race != "" && accessing && /\[dmacpy/ {
	print race
	race = ""
}
{
	accessing = / to 0x[0-9a-f]+ of [0-9]+ bytes by /
}
# What it says about a lack of memory comes with a trace.
text in known {
	known_trace = 1
}
/^Call trace:$/ && known_trace {
	known_trace = 0
	next
}
!known_report && !(text in known) && !/^BUG: KCSAN: /
