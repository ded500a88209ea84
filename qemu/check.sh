#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check: the rules of this tree that a machine can see.
#
# usage: qemu/check.sh [CHECK...]     all checks, or these
#        qemu/check.sh --self-test    break a copy of the tree once per rule,
#                                     see that its check and no other fails
#
# A check is a function check_NAME in check/*.sh that prints what it finds: no
# output and status 0 is a pass. One line per check, "ok - NAME" or
# "not ok - NAME" with the findings below it, then a count; status 1 when any
# has failed.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
cd "$top"
. qemu/debs.sh
. qemu/kernel.sh
. qemu/boards.sh
. qemu/kernel-tree.sh
. qemu/check/source.sh
. qemu/check/build.sh
. qemu/check/self-test.sh

# Builds first: they take longest, and the others run beside them.
build_checks=(in-tree sparse checkpatch symbols abi tool html rpm)
source_checks=(kernel-doc snippets documented lengths walls includes series
	       engines syzkaller device-tree binding shellcheck codespell man
	       version recipes white-space licences reuse unfinished traces udev)

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# run_check NAME: a check has a directory of its own, $work.
run_check()
{
	local log=$results/$1.log work=$results/$1 verdict=ok
	mkdir "$work"
	attempt "check_${1//-/_}" >"$log" 2>&1
	[ "$attempt_status" -eq 0 ] || [ -s "$log" ] ||
		echo "ended with status $attempt_status" >"$log"
	[ ! -s "$log" ] || verdict='not ok'
	echo "$verdict - $1" >"$results/$1.verdict"
	sed '2,$s/^/    /' "$results/$1.verdict" "$log"
}

# run_checks NAME...: as many at a time as there are processors. The results
# are in $results; prints the output of each when it ends, and a count.
run_checks()
{
	local name passed
	for name; do
		[ "$(jobs -rp | wc -l)" -lt "$(nproc)" ] || wait -n
		{
			run_check "$name" >"$results/$name.out"
			cat "$results/$name.out"
		} &
	done
	wait
	passed=$(cat "$results"/*.verdict | grep -c '^ok') || true
	echo "$passed passed, $(($# - passed)) failed$skipped_text"
	[ "$passed" -eq $# ]
}

need_host_packages build arm kernel docs check
skipped_text=
if apt-cache show dt-schema >/dev/null 2>&1; then
	need_host_packages binding
else
	echo 'skipping binding: this release of Debian has no dt-schema'
	mapfile -t source_checks < <(printf '%s\n' "${source_checks[@]}" |
		grep -vx binding)
	skipped_text=', 1 skipped'
fi
lock_directory "$build"
steps=2
step "fetching Debian's kernel 6.12-arm64" fetch_kernel 6.12-arm64
step "fetching the kernel's source" fetch_kernel_tree
lock_directory "$cache/$kernel_tree_name"

case ${1-} in
'')
	run_checks "${build_checks[@]}" "${source_checks[@]}"
	;;
--self-test)
	self_test "$results/proofs"
	;;
*)
	run_checks "$@"
	;;
esac
