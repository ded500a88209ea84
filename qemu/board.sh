# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The boards that QEMU models. boards/NAME.sh says what is special about one:
#
#   machine		QEMU, with what the device tree depends on
#   drive, devices	how the guest's disk is connected, for -drive and more
#   command_line	of the kernel; guest/init knows the serial port for the
#			output of the task by "output", the disk by "disk",
#			and what ends QEMU by "end", reboot or poweroff,
#			or halt if boot.sh has to; "simulated=yes" if it has no
#			device but that of dmacpy_sim
#   untouched		addresses of pages that nothing may write to
#   boot_modules	the drivers of the disk and of the engine, in the order
#			of loading; a kernel has those that are missing built in
#   make_dtb FILE	makes its device tree, if it has one
#
# boards/NAME.config is what it needs in a kernel.

# select_guest BOARD/TREE: what is built and booted from now on, that kernel
# (see kernel.sh) on that board
select_guest()
{
	guest_board=${1%/*}
	guest_kernel=${1#*/}
	guest_arch=$(kernel_arch "$guest_kernel")
	guest=$build/$guest_kernel
	guest_userspace=$build/userspace-$guest_arch
	guest_dtb=$build/$guest_board.dtb
	# shellcheck source=SCRIPTDIR/boards/versal.sh
	. "$top/qemu/boards/$guest_board.sh"
}

# make_overlaid_dtb NAME BASE FILE: boards/NAME.dtso on what is there already
make_overlaid_dtb()
{
	local overlay=$build/$1.dtbo
	strict_dtc -@ -I dts -O dtb -o "$overlay" "$top/qemu/boards/$1.dtso"
	fdtoverlay -i "$2" -o "$3" "$overlay"
}

# Kernels do not want these warnings: their own device trees are full of them.
dtc_flags=(-W no-avoid_unnecessary_addr_size -W no-graph_child_address
	   -W no-interrupt_provider -W no-simple_bus_reg)

# preprocess_dts FILE: to stdout
preprocess_dts()
{
	cpp -nostdinc -undef -x assembler-with-cpp -I "$kernel_tree/include" \
		-I "$kernel_tree/arch/arm/boot/dts" "$1"
}

# make_preprocessed_dtb FILE: of the board's source
make_preprocessed_dtb()
{
	preprocess_dts "$top/qemu/boards/$guest_board.dts" |
		strict_dtc "${dtc_flags[@]}" -I dts -O dtb -o "$1" -
}

# strict_dtc ARGUMENT...: a warning is an error
strict_dtc()
{
	dtc "$@" 2>&1 | tee "$build/dtc.log"
	[ ! -s "$build/dtc.log" ]
}
