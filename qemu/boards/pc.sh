# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU's PC: 64-bit x86, two CPUs. It has no device tree, no SRAM and no engine:
# the device is that of dmacpy_sim.

machine=(qemu-system-x86_64 -machine pc -cpu max -smp 2 -m 1G)
drive=if=virtio
devices=()
command_line='console=ttyS0 output=ttyS1 disk=vda end=poweroff simulated=yes'
untouched=()
boot_modules=(virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev
	      virtio_pci virtio_blk)

make_dtb()
{
	rm -f "$1"
}
