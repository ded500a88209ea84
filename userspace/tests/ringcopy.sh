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

# Catches: output that is lost without an error.
test_full_disk()
{
	ringcopy /bin/busybox >/dev/full 2>err && fail "it succeeds"
	grep -q 'write: No space left' err || fail "no reason: $(cat err)"
}

run_tests file empty full_disk
