# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The example that reads a disk past the page cache.

# The guest's disk: the test overwrites leftovers of others at its end.
disk()
{
	sed 's/.*\<disk=\([^ ]*\).*/\/dev\/\1/' /proc/cmdline
}

# Catches: a block that the disk writes to while it is copied, or that is copied
# before it was read; a last block that is incomplete.
test_disk()
{
	local length
	dmacpy info --json >info.json
	dd if=/bin/busybox of="$(disk)" bs=64k count=4 conv=fsync 2>/dev/null
	for length in 512 65536 65537 131072 131073 200000 229376; do
		[ $length -le "$(json sram_total)" ] || break
		expect 0 directload "$(disk)" $length
		head -c $length /bin/busybox | cmp - out ||
			fail "wrong data in SRAM of $length bytes"
	done
}

# Catches: an error of the disk, or of SRAM, that is ignored; a length that is
# taken for another one.
test_failures()
{
	expect 2 directload "$(disk)"
	expect 2 directload "$(disk)" 64K
	expect 1 directload nothing 512
	grep -q 'nothing: No such file' err || fail "no reason is given"
	expect 1 directload "$(disk)" 0x40000000
	grep -q 'allocate SRAM: No space' err || fail "no reason for the size"
}

run_tests disk failures
