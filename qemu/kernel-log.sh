#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints, as KTAP, whether a kernel log (on stdin) is free of complaints. What
# else may be in it stands in kernel-log-allowed, which is $1.
set -eu -o pipefail

complaints=(
	'WARNING:' 'BUG:' 'BUG at' 'BUG k' 'Oops' 'Kernel panic' 'Call trace:'
	'Unable to handle kernel' 'Internal error' 'KASAN' 'KCSAN' 'UBSAN'
	'possible circular locking' 'possible recursive locking'
	'inconsistent lock state' 'suspicious RCU usage' 'lock held when'
	'DMA-API: .*:' 'kmemleak: ([0-9]+ new|.*unknown)' 'refcount_t:'
	'list_add corruption' 'list_del corruption' 'INFO: task'
	'self-detected stall' 'detected stalls' 'soft lockup'
	'scheduling while atomic' 'sleeping function called' 'ODEBUG'
	'Bad page state' 'nobody cared' 'usage count underflow'
	'dmacpy [^ ]+: (channel [^ ]+:|[0-9]+ failures) '
)

log=$(tr -d '\r' | sed -E 's/^\[ *[0-9]+\.[0-9]+\] //')
pattern=$(IFS='|' && echo "${complaints[*]}")
unknown=$(awk -v allowed="$1" -f "$(dirname "$0")/kernel-log.awk" <<<"$log")
found=$(grep -E "$pattern" <<<"$unknown") || true
grep -q '^Linux version' <<<"$log" || found="no boot in the log"$'\n'$found

echo 1..1
if [ -n "$found" ]; then
	mapfile -t lines <<<"$found"
	printf '# %s\n' "${lines[@]}"
	echo 'not ok 1 kernel log'
	exit 1
fi
echo 'ok 1 kernel log'
