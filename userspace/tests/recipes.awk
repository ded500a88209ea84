# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -f recipes.awk Documentation/tracing.rst
#
# Prints three shell functions about the recipes: recipe_names prints their names,
# without ".bt"; recipe NAME prints one as a user copies it; recipe_fields prints
# the names that they use, a tracepoint and a field of it, or "-", per line.
/^[^\t]/ { name = event = "" }
/^\t:caption: .*\.bt$/ {
	name = substr($2, 1, length($2) - 3)
	names = names name "\n"
	next
}
name && (texts[name] || $0) { texts[name] = texts[name] substr($0, 2) "\n" }
name && /^\ttracepoint:dmacpy:/ {
	event = $1
	sub(/.*:/, "", event)
	fields = fields event " -\n"
}
{
	while (event && match($0, /args->[a-z_]+/)) {
		fields = fields event " " \
			 substr($0, RSTART + 6, RLENGTH - 6) "\n"
		$0 = substr($0, RSTART + RLENGTH)
	}
}

function print_function(name, body)
{
	print name "()\n{\n" body "}\n"
}

function here(text)
{
	return "cat <<'EOT'\n" text "EOT\n"
}

END {
	print_function("recipe_names", here(names))
	print_function("recipe_fields", here(fields))
	for (name in texts)
		cases = cases name ")\n" here(texts[name]) ";;\n"
	print_function("recipe", "case $1 in\n" cases "esac\n")
}
