# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The example that shares buffers with a DRM driver.

# device_of DRIVER: the card of this platform device, if there is one
device_of()
{
	local card
	for card in /sys/class/drm/card[0-9]; do
		[ "$(basename "$(readlink "$card/device")")" != "$1" ] ||
			echo "/dev/dri/${card##*/}"
	done
}

# share_with DRIVER: run the example
share_with()
{
	local card
	card=$(device_of "$1")
	[ -c "$card" ] || skip "this kernel has no $1"
	expect 0 drmshare "$card"
	grep -q "^SRAM is buffer [1-9]" out || fail "SRAM was not shared"
	grep -q "^4096 pixels copied" out || fail "nothing was copied"
}

# Catches: an example that fails, or claims a display without having one.
test_without_display()
{
	share_with vgem
	! grep "framebuffer" out || fail "vgem has no display"
}

# Catches: SRAM that cannot be used for a framebuffer.
test_with_display()
{
	share_with vkms
	grep -q "^and framebuffer [1-9]" out || fail "it is no framebuffer"
}

# Catches: an error that does not name the problem.
test_no_card()
{
	expect 1 drmshare /dev/null
	grep -q "share SRAM: Inappropriate ioctl" err ||
		fail "the wrong reason: $(cat err)"
	expect 1 drmshare /dev/dri/card99
	grep -q "card99: No such file" err || fail "no reason is given"
}

run_tests without_display with_display no_card
