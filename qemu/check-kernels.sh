#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check-kernels: which kernels Debian serves now, and which of them have a
# row in make test-boards. Fails if README does not name the newest one as seen to
# pass: then it is time to run its rows.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/debs.sh"
. "$top/qemu/kernel.sh"
. "$top/qemu/boards.sh"

# served_kernels FLAVOUR: prints the MAJOR.MINOR of each one that a release has
served_kernels()
{
	local release
	for release in bookworm trixie trixie-backports sid; do
		kernel_packages "any-$1" "$release"
	done | sed -E 's/^[^ ]+ linux-headers-([0-9]+\.[0-9]+).*/\1/' | sort -uV
}

# row_of FLAVOUR VERSION NEWEST: prints the trees of test-boards that run it
row_of()
{
	local tree=$2-$1
	[ "$2" != "$3" ] || tree="($2|newest)-$1"
	printf '%s\n' "${rows[@]}" | grep -E "/${tree/./\\.}\$" | paste -sd ' '
}

newest=0
printf '%-10s %-8s %s\n' flavour version row
for flavour in arm64 rt-arm64 armmp riscv64 amd64; do
	versions=$(served_kernels "$flavour" 2>/dev/null)
	for version in $versions; do
		row=$(row_of "$flavour" "$version" "${versions##*$'\n'}") ||
			row='no row'
		printf '%-10s %-8s %s\n' "$flavour" "$version" "$row"
		newest=$(printf '%s\n' "$newest" "$version" | sort -V |
			tail -n 1)
	done
done
[ "$newest" != 0 ] || die "no kernel found: is the network up?"
grep -qw "${newest/./\\.}" "$top/README.md" ||
	die "Debian serves Linux $newest, which README does not name: run" \
	    "make test-boards, and add what was seen"
echo "README names the newest one, $newest"
