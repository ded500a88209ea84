# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All that a boot needs, from Debian's packages to the initramfs, of the guest
# that select_guest was called for.

. "$top/qemu/host-packages.sh"
. "$top/qemu/debs.sh"
. "$top/qemu/kernel.sh"
. "$top/qemu/board.sh"
. "$top/qemu/kernel-tree.sh"
. "$top/qemu/sysroot.sh"
. "$top/qemu/modules.sh"
. "$top/qemu/initramfs.sh"
. "$top/qemu/boot.sh"

# need_guest_packages TREE...: of the host, to build these guests
need_guest_packages()
{
	local tree packages=(build)
	for tree; do
		case $tree in
		*-arm | *-armmp) packages+=(arm) ;;
		esac
		case $tree in
		6.*) ;;
		*) packages+=(kernel) ;;
		esac
	done
	need_host_packages "${packages[@]}"
}

# build_userspace TARGET...: of its Makefile
build_userspace()
{
	local args
	read -ra args < <(kernel_make_args "$guest_kernel")
	args+=(PKG_CONFIG="$(sysroot_pkg_config "$guest_arch")")
	make -s -C "$top/userspace" O="$guest_userspace" STATIC=1 "${args[@]}" \
		KSELFTEST="$(kernel_source_dir)/tools/testing/selftests" "$@"
}

guest_prepare_steps=7	# in prepare_guest
guest_file_steps=9	# in make_guest_files

# Two steps, whichever it is. A kernel of ours comes with all of its modules.
prepare_kernel()
{
	case $guest_kernel in
	6.*)
		step "building zynqmp_dma and dmatest" build_dma
		step "building the fake DMA engine" build_fake_dma
		;;
	*)
		step "fetching the kernel's source" fetch_kernel_tree
		step "building $guest_kernel, some minutes the first time" \
			build_kernel "$guest_kernel" \
			"$(kernel_image_name "$guest_kernel")"
		;;
	esac
}

# prepare_guest TARGET...: all but the module and the initramfs
prepare_guest()
{
	step "fetching Debian's kernel 6.12-arm64" fetch_kernel 6.12-arm64
	step "fetching busybox for $guest_arch" fetch_busybox "$guest_arch"
	step "fetching libraries for $guest_arch" fetch_sysroot "$guest_arch"
	prepare_kernel
	step "building the user space for $guest_arch" build_userspace "$@"
	step "making the device tree of $guest_board" make_dtb "$guest_dtb"
}

make_guest_files()
{
	lock_directory "$build"
	prepare_guest "$@"
	step "building dmacpy" build_dmacpy "$guest_kernel"
	step "making the initramfs" make_initramfs
}
