#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make bench-check: are copies as cheap as they were?
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"
. "$top/qemu/count.sh"

out=$build/bench-check

select_guest versal/6.12-arm64
steps=$((guest_file_steps + 1))
need_guest_packages "$guest_kernel"
make_guest_files all tests
rm -rf "$out"
mkdir -p "$out"
step 'counting instructions' measure "$out"
compare_to_budgets "$out/figures"
