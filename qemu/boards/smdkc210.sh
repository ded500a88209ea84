# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU's smdkc210: an Exynos4210, 32 bits, two CPUs, three PL330 engines. The
# device tree is Debian's own, smdkc210.dtso adds dmacpy. The first and the last
# page of the SRAM belong to the boot of the second CPU. The disk is an SD card
# in the third slot, the one that the device tree has.

machine=(qemu-system-arm -machine smdkc210 -smp 2 -m 1G)
drive=if=sd,index=2
devices=()
command_line='console=ttySAC0,115200 output=ttySAC1 disk=mmcblk0'
command_line+=' end=poweroff'
untouched=(0x02020000 0x0203f000)
boot_modules=(sdhci sdhci-s3c)

make_dtb()
{
	make_overlaid_dtb smdkc210 \
		"$(kernel_dtb "$guest_kernel" exynos4210-smdkv310)" "$1"
}
