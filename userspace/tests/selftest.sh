# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own test of heaps, unmodified. It tests each heap in the
# directory, and needs more memory than on-chip SRAM has: only the large heap is
# visible to it. Prints its KTAP.
#
# Catches: properties that programs expect of any heap, and dmacpy's lacks; a
# missing heap, as this test only runs where there has to be one.

heaps=/dev/dma_heap
large=sram-3c000000.dmacpy-large

if [ ! -c $heaps/$large ]; then
	echo 1..1
	echo "not ok 1 $heaps/$large"
	exit 1
fi
cp -a $heaps/$large "$work"
mount -t tmpfs none $heaps
cp -a "$work/$large" $heaps
dmabuf-heap
status=$?
umount $heaps
exit $status
