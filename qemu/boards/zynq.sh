# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU's xilinx-zynq-a9: 32 bits, one CPU, high memory, and the PL330 engine, not
# coherent with the caches, so that all of the syncing is run. QEMU models no
# caches: whether it is right does not show. The disk is an SD card.

machine=(qemu-system-arm -machine xilinx-zynq-a9 -m 1G)
drive=if=sd
devices=()
command_line='console=ttyPS0 output=ttyPS1 disk=mmcblk0 maxcpus=1 end=reboot'
untouched=()
boot_modules=(pl330)

make_dtb()
{
	make_preprocessed_dtb "$1"
}
