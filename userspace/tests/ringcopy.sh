# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The example that uses io_uring.

# Catches: a block that is copied before it was read, or not at all.
test_file()
{
	head -c 50001 /bin/busybox >file
	expect 0 ringcopy file
	cmp file out || fail "wrong data in SRAM"
}

# Catches: a file without a block.
test_empty()
{
	: >file
	expect 1 ringcopy file
	grep -q "must not be empty" err || fail "no reason is given"
}

run_tests file empty
