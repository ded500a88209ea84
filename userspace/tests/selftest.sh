# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own test of heaps, unmodified. It takes each in the directory,
# and needs more than on-chip SRAM has: it gets to see the one that is as large.
# Prints its KTAP.
#
# Catches: what programs expect of any heap, and ours does not do; no heap, as
# this is only run where there has to be one.

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
