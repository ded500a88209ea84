# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The boards that QEMU models. boards/NAME.sh says what is special about one:
#
#   machine		QEMU, with what the device tree depends on
#   drive, devices	how the guest's disk is connected, for -drive and more
#   command_line	of the kernel; guest/init knows the serial port for the
#			output of the task by "output", and the disk by "disk"
#   engine		the driver of its DMA engine, in drivers/dma
#   make_dtb FILE	makes its device tree
#
# boards/NAME.config is what it needs in a kernel.

# kernel_board TREE (see kernel.sh): the one to boot it on
kernel_board()
{
	case $(kernel_arch "$1") in
	arm64) echo versal ;;
	armhf) echo zynq ;;
	esac
}

# select_guest TREE: what is built and booted from now on
select_guest()
{
	guest_kernel=$1
	guest_arch=$(kernel_arch "$1")
	guest_board=$(kernel_board "$1")
	guest=$build/$1
	guest_userspace=$build/userspace-$guest_arch
	guest_dtb=$build/$guest_board.dtb
	# shellcheck source=SCRIPTDIR/boards/versal.sh
	. "$top/qemu/boards/$guest_board.sh"
}

# strict_dtc ARGUMENT...: a warning is an error
strict_dtc()
{
	dtc "$@" 2>&1 | tee "$build/dtc.log"
	[ ! -s "$build/dtc.log" ]
}
