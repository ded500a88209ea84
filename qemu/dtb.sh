# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The board's device tree: what QEMU describes plus board.dtso.

machine=(-machine xlnx-versal-virt -m 1G)

# Without seeds, so that two boots do the same.
make_dtb()
{
	local seed log=$build/overlay.log
	qemu-system-aarch64 "${machine[@]}" -display none \
		-machine dumpdtb="$build/qemu.dtb"
	for seed in $(fdtget -p "$build/qemu.dtb" /chosen | grep 'seed$'); do
		fdtput -d "$build/qemu.dtb" /chosen "$seed"
	done
	dtc -@ -I dts -O dtb -o "$build/board.dtbo" "$top/qemu/board.dtso" \
		2>&1 | tee "$log"
	[ ! -s "$log" ]
	fdtoverlay -i "$build/qemu.dtb" -o "$build/board.dtb" \
		"$build/board.dtbo"
}
