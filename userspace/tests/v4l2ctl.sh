# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# A camera program without support for dmacpy: its frames are copied through
# SRAM, or captured into it, as in camera.c. The program accepts dma-bufs only
# from another camera, so expbuf.c presents SRAM as memory of one.

count=4
size=$((320 * 180))

# set_up CAMERA: configure it
set_up()
{
	[ -c "$1" ] || skip "this kernel has no vivid"
	expect 0 v4l2-ctl -d "$1" -i 0 --set-fmt-video \
		width=320,height=180,pixelformat=GREY
	expect 0 v4l2-ctl -d "$1" --set-ctrl osd_text_mode=2
}

# capture PATTERN COMMAND...: add frames to "captured", messages to "said"
capture()
{
	local pattern=$1
	shift
	expect 0 "$@" --set-ctrl "test_pattern=$pattern" \
		--stream-count=$count --stream-to=frames
	cat frames >>captured
	cat err >>said
}

# plain BYTE: add frames of this byte to "wanted"
plain()
{
	head -c $((count * size)) /dev/zero | tr '\0' "$1" >>wanted
}

# capture_both COMMAND...: capture white, then black
capture_both()
{
	capture 6 "$@"
	capture 5 "$@"
	plain '\376'
	plain '\0'
	cmp captured wanted || fail "the frames are wrong"
}

# Catches: frames of an unmodified program that are copied wrongly.
test_frames_are_copied()
{
	set_up /dev/video0
	capture_both v4l2-ctl -d /dev/video0 --stream-mmap=3
	expect 0 dmacpy copy --via-sram captured copy
	cmp copy wanted || fail "the copy differs"
}

# capture_into_sram CAMERA EXPORTER
capture_into_sram()
{
	local in_sram
	set_up "$1"
	set_up "$2"
	capture_both env LD_PRELOAD=/lib/expbuf.so v4l2-ctl -d "$1" \
		--stream-dmabuf --export-device "$2"
	in_sram=$(grep -c 'a frame in SRAM' said)
	[ "$in_sram" -eq $((2 * count)) ] ||
		fail "$in_sram of $((2 * count)) frames were in SRAM"
}

# Catches: SRAM that an unmodified program cannot capture frames into.
test_frames_into_sram_vmalloc()
{
	capture_into_sram /dev/video0 /dev/video1
}

# Catches: the same, with the other one of vivid's allocators.
test_frames_into_sram_dma_contig()
{
	capture_into_sram /dev/video1 /dev/video0
}

run_tests frames_are_copied frames_into_sram_vmalloc \
	frames_into_sram_dma_contig
