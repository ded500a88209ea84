# SPDX-License-Identifier: GPL-2.0-only
# Lines of grep -H: driver/dmacpy_<file>.<c or h>:#include "dmacpy_<header>.h"
# with the fields of -F '[/:".]'. Prints those that go against the flow.
BEGIN {
	n = split(flow, names, " ")
	for (i = 1; i <= n; i++)
		rank["dmacpy_" names[i]] = i
	n = split(shared, names, " ")
	for (i = 1; i <= n; i++)
		free["dmacpy_" names[i]]
}
{
	file = $2
	header = $5
}
file == header || header in free {
	next
}
!(file in rank) || !(header in rank) {
	print $0 ": not in the order of the driver's files"
	next
}
rank[header] <= rank[file] {
	print $0 ": against the order of the driver's files"
}
