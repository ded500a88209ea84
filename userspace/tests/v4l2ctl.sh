# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# A camera program that knows nothing of dmacpy: its frames go through SRAM.

camera=/dev/video0

# Catches: frames of somebody else's program that are not copied right.
test_frames_are_copied()
{
	[ -c $camera ] || skip "this kernel has no vivid"
	expect 0 v4l2-ctl -d $camera -i 0 --set-fmt-video \
		width=320,height=180,pixelformat=GREY
	expect 0 v4l2-ctl -d $camera --stream-mmap=3 --stream-count=8 \
		--stream-to=frames
	[ "$(wc -c <frames)" -eq $((8 * 320 * 180)) ] || fail "frames are short"
	expect 0 dmacpy copy --via-sram frames copy
	cmp frames copy || fail "the copy differs"
}

run_tests frames_are_copied
