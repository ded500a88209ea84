# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All that a boot needs, from Debian's packages to the initramfs.

. "$top/qemu/host-packages.sh"
. "$top/qemu/debs.sh"
. "$top/qemu/kernel.sh"
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

# prepare_guest TARGET...: all but the module and the initramfs
prepare_guest()
{
	lock_directory "$build"
	step "fetching Debian's kernel 6.12-arm64" fetch_kernel 6.12-arm64
	step "building zynqmp_dma and dmatest" build_dma
	step "building the fake DMA engine" build_fake_dma
	step "building the user space" build_userspace "$@"
	step "making the device tree" make_dtb
}

make_guest_files()
{
	prepare_guest "$@"
	step "building dmacpy" build_dmacpy 6.12-arm64
	step "making the initramfs" make_initramfs
}
