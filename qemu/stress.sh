#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/stress.sh BOARD/TREE SECONDS [SEED]
#
# make stress, make stress-debug: the suite "stress" for so long, on that board and
# kernel (see boards.sh). The seed that it prints repeats what its threads do. A
# debug kernel is asked what it has seen.
set -eu

. "$(dirname "$0")/lib.sh"

export CMD="echo suite stress >/dev/kmsg; DMACPY_SECONDS=$2 DMACPY_SEED=${3:-} /tests/stress"
# shellcheck disable=SC2016 # the guest expands it
[[ $1 != */debug-* ]] || CMD+='
status=$?
./suites unload && ./suites instruments_debug && [ $status -eq 0 ]'
export GUEST_SECONDS=$(($2 + 600))
attempt "$top/qemu/guest.sh" "$1"
"$top/qemu/judge.py" kernel-log "$top/qemu/kernel-log-allowed" \
	<"$build/guest/guest.log"
exit "$attempt_status"
