# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What copies cost, in instructions of the guest, against qemu/budgets.

# measure DIRECTORY: leaves DIRECTORY/figures. The guest has been made.
measure()
(
	mkdir -p "$1/in/tmp"
	install "$top/qemu/guest/figures" "$1/in/tmp/task"
	count_instructions
	boot_guest "$1" 600 >"$1/figures"
)

# compare_to_budgets FIGURES: prints KTAP
compare_to_budgets()
{
	awk -f "$top/qemu/budgets.awk" "$1" "$top/qemu/budgets"
}
