# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -f recipes.awk Documentation/tracing.rst
#
# Prints a shell function, recipes, that prints the names in the recipes: a
# tracepoint and a field of it, or "-", per line.
BEGIN { print "recipes()\n{\n\tcat <<EOT" }
/^\ttracepoint:dmacpy:/ {
	event = $1
	sub(/.*:/, "", event)
	print event " -"
}
/^[^\t]/ { event = "" }
{
	while (event != "" && match($0, /args->[a-z_]+/)) {
		print event " " substr($0, RSTART + 6, RLENGTH - 6)
		$0 = substr($0, RSTART + RLENGTH)
	}
}
END { print "EOT\n}\n" }
