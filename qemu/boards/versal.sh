# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU's xlnx-versal-virt: 64 bits, two CPUs, ZynqMP's engine, without caches
# to look after. QEMU describes the board, versal.dtso what it leaves out.

machine=(qemu-system-aarch64 -machine xlnx-versal-virt -m 1G)
drive='if=none,id=disk'
devices=(-device 'virtio-blk-device,drive=disk')
command_line='console=ttyAMA0 output=ttyAMA1 disk=vda end=reboot'
untouched=()
boot_modules=(virtio_mmio virtio_blk zynqmp_dma)

# Without seeds, so that two boots do the same.
make_dtb()
{
	local seed qemu=$build/versal-qemu.dtb
	"${machine[@]}" -display none -machine dumpdtb="$qemu"
	for seed in $(fdtget -p "$qemu" /chosen | grep 'seed$'); do
		fdtput -d "$qemu" /chosen "$seed"
	done
	make_overlaid_dtb versal "$qemu" "$1"
}
