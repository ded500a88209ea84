# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All that a boot needs, from Debian's packages to the initramfs. Before
# sourcing, guest_kernel has the TREE (see kernel.sh) of the kernel to boot.

. "$top/qemu/host-packages.sh"
. "$top/qemu/debs.sh"
. "$top/qemu/kernel.sh"
. "$top/qemu/kernel-tree.sh"
. "$top/qemu/modules.sh"
. "$top/qemu/dtb.sh"
. "$top/qemu/initramfs.sh"
. "$top/qemu/boot.sh"

# build_userspace TARGET...: of its Makefile
build_userspace()
{
	make -s -C "$top/userspace" O="$build/userspace" STATIC=1 \
		CROSS_COMPILE=aarch64-linux-gnu- \
		KSELFTEST="$(kernel_source_dir)/tools/testing/selftests" "$@"
}

guest_prepare_steps=5	# in prepare_guest
guest_file_steps=7	# in make_guest_files

guest_packages=(build)	# for need_host_packages
case $guest_kernel in
debug-*) guest_packages+=(kernel) ;;
esac

# Three steps, whichever it is. The debug kernel comes with all of its modules.
prepare_kernel()
{
	step "fetching Debian's kernel 6.12-arm64" fetch_kernel 6.12-arm64
	case $guest_kernel in
	debug-*)
		step "fetching the kernel's source" fetch_kernel_tree
		step "building the debug kernel, some minutes the first time" \
			build_debug_kernel Image
		;;
	*)
		step "building zynqmp_dma and dmatest" build_dma
		step "building the fake DMA engine" build_fake_dma
		;;
	esac
}

# prepare_guest TARGET...: all but the module and the initramfs
prepare_guest()
{
	lock_directory "$build"
	prepare_kernel
	step "building the user space" build_userspace "$@"
	step "making the device tree" make_dtb
}

make_guest_files()
{
	prepare_guest "$@"
	step "building dmacpy" build_dmacpy "$guest_kernel"
	step "making the initramfs" make_initramfs
}
