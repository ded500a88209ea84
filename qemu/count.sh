# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What copies cost, in instructions of the guest, against qemu/budgets.

# measure TASK DIRECTORY: that of qemu/guest; leaves DIRECTORY/figures. The guest
# has been made.
measure()
{
	mkdir -p "$2/in/tmp"
	install "$top/qemu/guest/$1" "$2/in/tmp/task"
	install -m 644 "$top/qemu/guest/measure" "$2/in/tmp"
	boot_guest "$2" 600 >"$2/figures"
}

# count TASK DIRECTORY: the same, in instructions
count()
(
	count_instructions
	measure "$@"
)

# compare_to_budgets FIGURES: prints KTAP
compare_to_budgets()
{
	python3 "$top/qemu/report.py" budgets "$1" "$top/qemu/budgets" \
		"$(aarch64-linux-gnu-gcc -dumpversion)"
}
