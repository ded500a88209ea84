# SPDX-License-Identifier: GPL-2.0-only
# Prints the lines of a kernel log without those, and without the reports that
# begin with one of those, that are in the file named by the variable allowed.
BEGIN {
	while ((getline line < allowed) > 0)
		if (line !~ /^#/)
			known[line]
}
{
	text = $0
	gsub(/0x[0-9a-f]+/, "0x", text)
}
first_of_report {
	known_report = text in known
}
{
	first_of_report = /^-+\[ cut here \]-+$/
}
first_of_report || /^---\[ end trace / {
	known_report = 0
}
!known_report && !(text in known)
