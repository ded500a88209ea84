#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-symbols.sh LIBRARY: the symbols that the shared library exports, those
# in its map and the functions in its header must be the same.
set -eu

library=$1
map=lib/libdmacpy.map
header=include/dmacpy.h

exported() {
	"${NM:-nm}" --dynamic --defined-only "$library" |
		awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort
}

mapped() {
	sed -n 's/^\t\(dmacpy_[a-z0-9_]*\);$/\1/p' $map | sort
}

# A declaration starts in the first column and names the function first.
declared() {
	sed -n 's/^[a-z].*[ *]\(dmacpy_[a-z0-9_]*\)(.*/\1/p' $header | sort
}

compare() {
	echo "$1 against $2:"
	diff --unified=0 <("$1") <("$2")
}

if [ -z "$(declared)" ]; then
	echo "no function found in $header" >&2
	exit 1
fi

compare declared mapped
compare mapped exported
