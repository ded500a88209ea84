# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# A camera program that knows nothing of dmacpy: its frames go through SRAM. It
# cannot capture into SRAM, as camera.c does: with --stream-dmabuf it takes
# dma-bufs only from another V4L2 queue.

camera=/dev/video0
count=4
size=$((320 * 180))

# capture PATTERN: add frames to "captured"
capture()
{
	expect 0 v4l2-ctl -d $camera --set-ctrl "test_pattern=$1" \
		--stream-mmap=3 --stream-count=$count --stream-to=frames
	cat frames >>captured
}

# plain BYTE: add frames of nothing else to "wanted"
plain()
{
	head -c $((count * size)) /dev/zero | tr '\0' "$1" >>wanted
}

# Catches: frames of somebody else's program that are not copied right.
test_frames_are_copied()
{
	[ -c $camera ] || skip "this kernel has no vivid"
	expect 0 v4l2-ctl -d $camera -i 0 --set-fmt-video \
		width=320,height=180,pixelformat=GREY
	expect 0 v4l2-ctl -d $camera --set-ctrl osd_text_mode=2
	# White, then black
	capture 6
	capture 5
	plain '\376'
	plain '\0'
	cmp captured wanted || fail "the frames are not what the camera sees"
	expect 0 dmacpy copy --via-sram captured copy
	cmp copy wanted || fail "the copy differs"
}

run_tests frames_are_copied
