# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The boards that QEMU models. boards/ has the device trees of those that have one.

# The boards and kernels that make test-boards runs, see kernel.sh for the latter
rows=(
	versal/6.12-arm64
	versal-swiotlb/6.12-arm64
	versal/6.1-arm64
	versal/6.12-rt-arm64
	versal/newest-arm64
	versal/newest-rt-arm64
	zcu102/6.12-arm64
	smdkc210/6.1-armmp
	sifive-u/6.12-riscv64
	icicle-kit/6.12-riscv64
	pc/6.12-amd64
	pc/6.1-amd64
	zynq/debug-arm
)

# select_board NAME: sets what is special about it
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
select_board()
{
	devices=()
	untouched=()
	case $1 in
	versal | versal-swiotlb)
		# xlnx-versal-virt: 64 bits, two CPUs, ZynqMP's engine, without
		# caches to look after.
		machine=(qemu-system-aarch64 -machine xlnx-versal-virt -m 1G)
		drive='if=none,id=disk'
		devices=(-device 'virtio-blk-device,drive=disk')
		command_line='console=ttyAMA0 output=ttyAMA1 disk=vda end=reboot'
		boot_modules=(virtio_mmio virtio_blk zynqmp_dma)
		# The engine gets bounce buffers for all memory but SRAM: then it
		# shows which syncs are missing. 8 MiB of them: the default of 1 MiB
		# is too little for memory that is synced in steps.
		[ "$1" = versal ] || command_line+=' swiotlb=4096,force'
		;;
	zcu102)
		# xlnx-zcu102: a ZynqMP, 64 bits, two CPUs, its general-purpose
		# engine. The disk is an SD card.
		machine=(qemu-system-aarch64 -machine xlnx-zcu102 -smp 2 -m 1G)
		drive=if=sd
		command_line='console=ttyPS0 output=ttyPS1 disk=mmcblk0 end=reboot'
		boot_modules=(cqhci sdhci sdhci-pltfm sdhci-of-arasan zynqmp_dma)
		;;
	zynq)
		# xilinx-zynq-a9: 32 bits, one CPU, high memory, and the PL330
		# engine, not coherent with the caches, so that all of the syncing
		# is run. QEMU models no caches: whether it is right does not show.
		# The disk is an SD card.
		machine=(qemu-system-arm -machine xilinx-zynq-a9 -m 1G)
		drive=if=sd
		command_line='console=ttyPS0 output=ttyPS1 disk=mmcblk0 maxcpus=1'
		command_line+=' end=reboot'
		boot_modules=(pl330)
		;;
	smdkc210)
		# smdkc210: an Exynos4210, 32 bits, two CPUs, three PL330 engines.
		# The first and the last page of the SRAM belong to the boot of the
		# second CPU. The disk is an SD card in the third slot, the one that
		# the device tree has.
		machine=(qemu-system-arm -machine smdkc210 -smp 2 -m 1G)
		drive=if=sd,index=2
		command_line='console=ttySAC0,115200 output=ttySAC1 disk=mmcblk0'
		command_line+=' end=poweroff'
		untouched=(0x02020000 0x0203f000)
		boot_modules=(sdhci sdhci-s3c)
		;;
	sifive-u)
		# sifive_u: the HiFive Unleashed with an FU540, 64-bit RISC-V, a
		# management core and two for Linux, and SiFive's platform DMA
		# engine. The SRAM is the loosely integrated memory of the L2 cache.
		# The firmware is OpenSBI. The disk is an SD card behind SPI.
		machine=(qemu-system-riscv64 -machine sifive_u -smp 3 -m 1G)
		drive=if=sd
		command_line='console=ttySIF0 output=ttySIF1 disk=mmcblk0 end=reboot'
		boot_modules=(mmc_core mmc_block crc7 crc-itu-t of_mmc_spi mmc_spi
			      spi-sifive virt-dma sf-pdma)
		;;
	icicle-kit)
		# microchip-icicle-kit: a PolarFire SoC, 64-bit RISC-V, a management
		# core and two of the four for Linux, and SiFive's platform DMA
		# engine. The SRAM is the loosely integrated memory of the L2 cache.
		# The firmware is OpenSBI, which cannot end QEMU here. The disk is
		# an SD card.
		machine=(qemu-system-riscv64 -machine microchip-icicle-kit -smp 3
			 -m 2G)
		drive=if=sd
		command_line='console=ttyS0 output=ttyS1 disk=mmcblk0 end=halt'
		boot_modules=(mmc_core mmc_block sdhci sdhci-pltfm sdhci-cadence
			      virt-dma sf-pdma)
		;;
	pc)
		# A PC: 64-bit x86, two CPUs. It has no device tree, no SRAM and no
		# engine: the device is that of dmacpy_sim. Linux leaves some memory
		# alone, for the parameter "sram" of dmacpy.
		machine=(qemu-system-x86_64 -machine pc -cpu max -smp 2 -m 1G)
		drive=if=virtio
		command_line='console=ttyS0 output=ttyS1 disk=vda end=poweroff'
		# shellcheck disable=SC2016 # Linux knows what the $ is
		command_line+=' simulated=yes memmap=256K$0x3f000000'
		boot_modules=(virtio virtio_ring virtio_pci_legacy_dev
			      virtio_pci_modern_dev virtio_pci virtio_blk)
		;;
	*)
		die "there is no board $1"
		;;
	esac
}

# Has the board no device but that of dmacpy_sim?
is_simulated()
{
	[[ $command_line = *simulated=yes* ]]
}

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
	select_board "$guest_board"
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

# make_preprocessed_dtb NAME FILE: of boards/NAME.dts
make_preprocessed_dtb()
{
	preprocess_dts "$top/qemu/boards/$1.dts" |
		strict_dtc "${dtc_flags[@]}" -I dts -O dtb -o "$2" -
}

# strict_dtc ARGUMENT...: a warning is an error
strict_dtc()
{
	dtc "$@" 2>&1 | tee "$build/dtc.log"
	[ ! -s "$build/dtc.log" ]
}

# make_dtb FILE: the device tree of the selected board, if it has one. That of QEMU
# for versal has seeds: without them, two boots do the same.
make_dtb()
{
	local base=$build/$guest_board-qemu.dtb seed
	case $guest_board in
	versal*)
		"${machine[@]}" -display none -machine dumpdtb="$base"
		for seed in $(fdtget -p "$base" /chosen | grep 'seed$'); do
			fdtput -d "$base" /chosen "$seed"
		done
		make_overlaid_dtb versal "$base" "$1"
		;;
	sifive-u)
		"${machine[@]}" -display none -machine dumpdtb="$base"
		make_overlaid_dtb sifive-u "$base" "$1"
		;;
	icicle-kit)
		base=$(kernel_dtb "$guest_kernel" mpfs-icicle-kit)
		make_overlaid_dtb icicle-kit "$base" "$1"
		;;
	smdkc210)
		base=$(kernel_dtb "$guest_kernel" exynos4210-smdkv310)
		make_overlaid_dtb smdkc210 "$base" "$1"
		;;
	zcu102 | zynq)
		make_preprocessed_dtb "$guest_board" "$1"
		;;
	*)
		rm -f "$1"
		;;
	esac
}
