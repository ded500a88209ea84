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

# need_guest_packages TREE...: of the host, to build for these kernels
need_guest_packages()
{
	local tree packages=(build)
	for tree; do
		case $tree in
		*-arm | *-armmp | *-armv5) packages+=(arm) ;;
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
		KSELFTEST="$(kernel_source_dir 6.12-arm64)/tools/testing/selftests" "$@"
}

guest_prepare_steps=6	# in prepare_guest
guest_file_steps=8	# in make_guest_files

# The harness of the tests is that of 6.12, whatever they run on.
fetch_kernels()
{
	fetch_kernel 6.12-arm64
	case $guest_kernel in
	6.*) fetch_kernel "$guest_kernel" ;;
	*) fetch_kernel_tree ;;
	esac
}

# A kernel of ours comes with all of its modules.
prepare_kernel()
{
	step "fetching the kernel for $guest_kernel" fetch_kernels
	case $guest_kernel in
	6.*)
		step "building DMA engines for it" build_engines "$guest_kernel"
		;;
	*)
		step "building $guest_kernel, some minutes the first time" \
			build_kernel "$guest_kernel" \
			"$(kernel_image_name "$guest_kernel")"
		;;
	esac
}

# prepare_guest TARGET...: all but the module and the initramfs
prepare_guest()
{
	prepare_kernel
	step "fetching busybox for $guest_arch" fetch_busybox "$guest_arch"
	step "fetching libraries for $guest_arch" fetch_sysroot "$guest_arch"
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
