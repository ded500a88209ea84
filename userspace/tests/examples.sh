# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The examples that copy a text into SRAM and print it from there.

# Catches: a first program that does not work, with or without the library.
test_text()
{
	local program
	for program in hello ioctls; do
		expect 0 "$program"
		[ "$(cat out)" = 'Hello from on-chip SRAM' ] ||
			fail "$program prints something else"
	done
}

run_tests text
