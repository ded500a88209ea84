#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/test-targets.sh [PATTERN], which names tests, by default all
#
# make test-targets: does each command of make help work as the first one of a
# fresh clone, and does each failure of the machine end with a clear message, and
# leave what the next run works with? Prints KTAP in short. The cache is what it
# is, but for what is downloaded on purpose. "make run" and "make test" themselves
# are run by .ci/run from an empty build/, and all else that make help names takes
# a kernel of ours, or is "make check", which writes nothing there.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"
. "$top/qemu/targets.sh"
. "$top/qemu/failures.sh"

out=$build/targets
number=0
failed=0

# Nobody listens there.
no_network=(env http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9)

# run LOG COMMAND...: its status is in $status, what it prints in the file.
run()
{
	local log=$1
	shift
	status=0
	"$@" >"$log" 2>&1 </dev/null || status=$?
}

# clone NAME: a copy of the tree without build/, in $tree
clone()
{
	tree=$out/$1
	(cd "$top" && copy_tree "$tree")
	log=$out/$1.log
}

# check NAME COMMAND...: a test of KTAP, which passes if the command succeeds
check()
{
	local name=$1
	shift
	attempt "$@"
	if [ "$attempt_status" -eq 0 ]; then
		echo "ok $((number += 1)) $name"
	else
		echo "not ok $((number += 1)) $name"
		failed=1
	fi
}

# suite NAME PATTERN: those of all functions NAME_TEST that it matches, each of
# which is a test
suite()
{
	local tests
	number=0 failed=0
	mapfile -t tests < <(compgen -A function "$1_" |
		grep -xE "$2")
	[ "${#tests[@]}" -gt 0 ] || return 0
	echo "#@ suite $1"
	echo "1..${#tests[@]}"
	for test in "${tests[@]}"; do
		check "$test" "$test"
	done
	echo "#@ exit $failed"
}

need_guest_packages 6.12-arm64
lock_directory "$out"
fetch_kernel 6.12-arm64
{
	suite target "${1:-.*}"
	suite failure "${1:-.*}"
} | tee "$out/full.log" | "$top/qemu/judge.py" suites
