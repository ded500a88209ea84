# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU's xlnx-zcu102: a ZynqMP, 64 bits, two CPUs, its general-purpose engine.
# The disk is an SD card.

machine=(qemu-system-aarch64 -machine xlnx-zcu102 -smp 2 -m 1G)
drive=if=sd
devices=()
command_line='console=ttyPS0 output=ttyPS1 disk=mmcblk0 end=reboot'
untouched=()
boot_modules=(cqhci sdhci sdhci-pltfm sdhci-of-arasan zynqmp_dma)

make_dtb()
{
	make_preprocessed_dtb "$1"
}
