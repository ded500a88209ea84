# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU's sifive_u: the HiFive Unleashed with an FU540, 64-bit RISC-V, a
# management core and two for Linux, and SiFive's platform DMA engine. The SRAM
# is the loosely integrated memory of the L2 cache. QEMU describes the board,
# sifive-u.dtso what it leaves out. The firmware is OpenSBI. The disk is an SD
# card behind SPI.

machine=(qemu-system-riscv64 -machine sifive_u -smp 3 -m 1G)
drive=if=sd
devices=()
command_line='console=ttySIF0 output=ttySIF1 disk=mmcblk0 end=reboot'
untouched=()
boot_modules=(mmc_core mmc_block crc7 crc-itu-t of_mmc_spi mmc_spi spi-sifive
	      virt-dma sf-pdma)

make_dtb()
{
	local qemu=$build/sifive-u-qemu.dtb
	"${machine[@]}" -display none -machine dumpdtb="$qemu"
	make_overlaid_dtb sifive-u "$qemu" "$1"
}
