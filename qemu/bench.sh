#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/bench.sh check|report
#
# make bench-check: are copies as cheap as they were?
# make bench: what they cost, in build/bench/report.md.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"

check()
{
	step 'counting instructions' count figures "$out"
	compare_to_budgets "$out/figures"
}

# run COUNT-OR-MEASURE TASK DIRECTORY: what fails says why in its figures.
run()
{
	"$1" "$2" "$3"
	[ "$(cat "$3/out/status")" = 0 ] && return
	tail -n 5 "$3/figures" >&2
	return 1
}

# The README shows the plot.
make_report()
{
	python3 "$top/qemu/report.py" "$out" "$guest_board" \
		"$("${machine[0]}" --version | head -n 1)" \
		"$(kernel_release "$guest_kernel")"
	sed '1a <!-- SPDX-License-Identifier: GPL-2.0-only -->
		s/[[:space:]]*$//' "$out/sram.svg" \
		>"$top/Documentation/images/bench.svg"
}

# Without the allocator's checks, which cost time.
by_wall_time()
(
	kernel_options=
	run measure wall_time "$out/wall-time"
)

report()
{
	step 'counting instructions of each path' \
		run count figures "$out/paths"
	step 'counting instructions' run count sweep "$out/counted"
	step 'comparing to dmatest by wall time' by_wall_time
	step 'writing the report' make_report
	printf 'what copies cost: %s\n' "${out#"$top"/}/report.md"
}

select_guest versal/6.12-arm64
case $1 in
check)
	out=$build/bench-check
	steps=$(($(guest_prepare_steps) + 3))
	;;
report)
	out=$build/bench
	steps=$(($(guest_prepare_steps) + 6))
	need_host_packages bench
	;;
esac
need_guest_packages "$guest_kernel"
make_guest_files
rm -rf "$out"
"$1"
