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

run_tests text frames
