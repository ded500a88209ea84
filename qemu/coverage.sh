#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make coverage: all suites in the guest, on a kernel that counts how often each
# line of the driver runs. Prints, and leaves in build/test-coverage/lines.txt,
# which lines never did.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"

out=$build/test-coverage

# What the compiler notes and what the kernel counts belong together by name.
count_lines()
{
	local objects
	objects=$(kernel_build_dir coverage-arm64)/drivers/misc/dmacpy
	cp "$out"/versal/coverage-arm64/out/gcov/*.gcda "$objects"
	(
		cd "$objects"
		aarch64-linux-gnu-gcov --json-format --stdout -- *.gcda
		rm -- *.gcda
	) >"$out/lines.json"
	"$top/qemu/coverage.py" "$top" <"$out/lines.json"
}

attempt "$top/qemu/test.sh" coverage
suites_status=$attempt_status
count_lines | tee "$out/lines.txt"
exit "$suites_status"
