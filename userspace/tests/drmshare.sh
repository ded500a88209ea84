# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The example that shares buffers with a DRM driver.

# Catches: an example that does not work.
test_card()
{
	[ -c /dev/dri/card0 ] || skip "this kernel has no DRM driver"
	expect 0 drmshare
	grep -q "^SRAM is buffer" out || fail "SRAM was not shared"
	grep -q "^4096 pixels copied" out || fail "nothing was copied"
}

# Catches: an error that does not say what is wrong.
test_no_card()
{
	expect 1 drmshare /dev/null
	expect 1 drmshare /dev/dri/card99
	grep -q "card99: No such file" err || fail "no reason is given"
}

run_tests card no_card
