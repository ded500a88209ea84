#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/check-kernels.sh [FLAVOUR...]
#
# make check-kernels: which kernels Debian serves now, and which of them have a
# row in make test-boards. Fails if a list of packages could not be had; and if
# "Boards and kernels" of README does not name the newest kernel: then it is
# time to run its rows.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/debs.sh"
. "$top/qemu/kernel.sh"
. "$top/qemu/boards.sh"

releases=(bookworm trixie trixie-backports sid)
flavours=(arm64 rt-arm64 armmp riscv64 amd64)
[ "$#" -eq 0 ] || flavours=("$@")

# served_kernels FLAVOUR: prints the MAJOR.MINOR of each one that a release has
served_kernels()
{
	kernel_packages "any-$1" "${releases[@]}" |
		sed -E 's/^[^ ]+ linux-headers-([0-9]+\.[0-9]+).*/\1/' |
		sort -uV
}

# outdated_releases FLAVOUR: prints those whose lists could not be had
outdated_releases()
{
	local arch release
	arch=$(kernel_arch "any-$1")
	for release in "${releases[@]}"; do
		! debs_are_outdated "$release" "$arch" ||
			echo "$release/$arch"
	done
}

# tested_kernels: prints the section of README that names them
tested_kernels()
{
	sed -n '/^## Boards and kernels/,/^## The tree/p' "$top/README.md"
}

# row_of FLAVOUR VERSION NEWEST: prints the trees of test-boards that run it
row_of()
{
	local tree=$2-$1
	[ "$2" != "$3" ] || tree="($2|newest)-$1"
	printf '%s\n' "${rows[@]}" | grep -E "/${tree/./\\.}\$" | paste -sd ' '
}

newest=0
outdated=()
printf '%-10s %-8s %s\n' flavour version row
for flavour in "${flavours[@]}"; do
	# Lists that apt could not get are reported below.
	versions=$(served_kernels "$flavour" 2>/dev/null)
	mapfile -t -O "${#outdated[@]}" outdated \
		< <(outdated_releases "$flavour")
	for version in $versions; do
		row=$(row_of "$flavour" "$version" "${versions##*$'\n'}") ||
			row='no row'
		printf '%-10s %-8s %s\n' "$flavour" "$version" "$row"
		newest=$(printf '%s\n' "$newest" "$version" | sort -V |
			tail -n 1)
	done
done
[ "$newest" != 0 ] || die "no kernel found: is the network up?"
[ "${#outdated[@]}" -eq 0 ] ||
	die "could not update the lists of packages of" \
	    "$(printf '%s\n' "${outdated[@]}" | sort -u | paste -sd ' '):" \
	    "is the network up?"
grep -qw "${newest/./\\.}" <(tested_kernels) ||
	die "Debian serves Linux $newest, which README does not name: run" \
	    "make test-boards, and add what was seen"
echo "README names the newest one, $newest"
