# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU's microchip-icicle-kit: a PolarFire SoC, 64-bit RISC-V, a management core
# and two of the four for Linux, and SiFive's platform DMA engine. The SRAM is the
# loosely integrated memory of the L2 cache. The device tree is the kernel's, with
# icicle-kit.dtso. The firmware is OpenSBI, which cannot end QEMU here. The disk is
# an SD card.

machine=(qemu-system-riscv64 -machine microchip-icicle-kit -smp 3 -m 2G)
drive=if=sd
devices=()
command_line='console=ttyS0 output=ttyS1 disk=mmcblk0 end=halt'
untouched=()
boot_modules=(mmc_core mmc_block sdhci sdhci-pltfm sdhci-cadence virt-dma sf-pdma)

make_dtb()
{
	make_overlaid_dtb icicle-kit \
		"$(kernel_dtb "$guest_kernel" mpfs-icicle-kit)" "$1"
}
