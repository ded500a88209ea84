# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU's xilinx-zynq-a9: 32 bits, one CPU, high memory, the PL330 engine, and
# caches that it does not see. The disk is an SD card.

machine=(qemu-system-arm -machine xilinx-zynq-a9 -m 1G)
drive=if=sd
devices=()
command_line='console=ttyPS0 output=ttyPS1 disk=mmcblk0 maxcpus=1'
engine=pl330

# Without the warning that kernels turn off for this device tree, too.
make_dtb()
{
	cpp -nostdinc -undef -x assembler-with-cpp -I "$kernel_tree/include" \
		-I "$kernel_tree/arch/arm/boot/dts/xilinx" \
		"$top/qemu/boards/zynq.dts" "$build/zynq.dts"
	strict_dtc -W no-interrupt_provider -I dts -O dtb -o "$1" \
		"$build/zynq.dts"
}
