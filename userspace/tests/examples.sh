# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The examples that copy a text into SRAM and print it from there, and the filter.

# Catches: a first program that fails, with or without the library.
test_text()
{
	local program
	for program in hello ioctls; do
		expect 0 "$program"
		[ "$(cat out)" = 'Hello from on-chip SRAM' ] ||
			fail "$program prints something else"
	done
}

# Catches: prepared copies that differ in the second frame.
test_frames()
{
	{
		printf 'P5\n300 200\n255\n'
		head -c 60000 /dev/urandom
	} >in.pgm
	expect 0 tilefilter --frames 3 --sram 8192 in.pgm out.pgm
	grep -qx 'frames: 3' out || fail "not three frames"
	grep -qx 'bit-exact: yes' out || fail "the picture differs"
	expect 2 tilefilter --frames 0 in.pgm out.pgm
}

# Catches: an output that was no file, and is gone when it cannot be written; half
# a picture that remains.
test_full_disk()
{
	{
		printf 'P5\n300 200\n255\n'
		head -c 60000 /dev/urandom
	} >in.pgm
	mknod node c 1 7
	ln -s /dev/full link
	for to in node link; do
		expect 1 tilefilter in.pgm $to
		grep -q "$to: No space left" err || fail "no reason: $(cat err)"
		[ -c $to ] || fail "the $to is gone"
	done
	mkdir disk
	mount -t tmpfs -o size=16k none disk
	trap 'umount disk' EXIT
	expect 1 tilefilter in.pgm disk/out.pgm
	[ ! -e disk/out.pgm ] || fail "half a picture remains"
}

# Catches: the quota of SRAM, reported as the limit of locked memory.
test_quota()
{
	quota=/sys/module/dmacpy/parameters/sram_quota_kib
	unshare -U true || skip "this kernel has no user namespaces"
	printf 'P5\n1 1\n255\nx' >in.pgm
	trap 'echo 0 >$quota' EXIT
	echo 1 >$quota
	# Root of another user namespace has no privileges here.
	expect 1 unshare -U tilefilter in.pgm out.pgm
	grep -q 'sram_quota_kib for SRAM' err || fail "no hint: $(cat err)"
}

run_tests text frames full_disk quota
