# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The source of Linux 6.12 with dmacpy in it, as if it had been merged, in the
# cache. Kernels and checks build from it, with their objects beside it.

# By far not all that there is: what the debug kernel and the checks read.
kernel_tree_parts=(
	'*Kconfig*' '*Makefile*' Kbuild arch/arm64 arch/x86/entry/syscalls
	block certs crypto drivers/amba drivers/base drivers/block drivers/bus
	drivers/char drivers/clk drivers/clocksource drivers/dma
	drivers/dma-buf drivers/firmware 'drivers/gpu/drm/drm_*'
	drivers/gpu/drm/vgem drivers/i2c drivers/input drivers/irqchip
	drivers/misc drivers/net/loopback.c drivers/of drivers/pci
	drivers/power drivers/tty drivers/video drivers/virtio fs include init
	io_uring ipc kernel lib mm net scripts security tools/include usr virt
)

kernel_tree=$cache/linux-6.12/usr/src/linux-source-6.12

# make_kernel_tree DIRECTORY: with a place for the driver, drivers/misc/dmacpy,
# and for the modules that test it.
make_kernel_tree()
{
	local misc=$1/usr/src/linux-source-6.12/drivers/misc version
	version=$(deb_field "$host_arch" linux-source-6.12 Version) || exit
	unpack_source "$version" "$1" "${kernel_tree_parts[@]}"
	sed -i '/^endmenu/i source "drivers/misc/dmacpy/Kconfig"' \
		"$misc/Kconfig"
	echo "obj-\$(CONFIG_DMACPY) += dmacpy/ dmacpy/kunit/" \
		>>"$misc/Makefile"
	mkdir -p "$misc/dmacpy/kunit"
}

fetch_kernel_tree()
{
	fetch_once linux-6.12 make_kernel_tree
}

# What has not changed keeps its time, so that make leaves it alone.
place_in_kernel_tree()
{
	local place=$kernel_tree/drivers/misc/dmacpy file
	for file in "$place"/{,kunit/}*.[ch]; do
		[ -e "$top/driver/${file##*/}" ] ||
			[ -e "$top/kunit/${file##*/}" ] || rm -f "$file"
	done
	install -C -m 644 "$top"/driver/*.[ch] "$top/driver/Kbuild" \
		"$top/Kconfig" "$place"
	install -C -m 644 -t "$place/kunit" "$top"/kunit/{*.c,Kbuild}
	install -C -m 644 "$top/uapi/linux/dmacpy.h" \
		"$kernel_tree/include/uapi/linux"
}

# make_in_kernel_tree OBJECTS ARGUMENT...
make_in_kernel_tree()
{
	local objects=$1
	shift
	# shellcheck disable=SC2046 # two arguments
	make -s -C "$kernel_tree" O="$objects" \
		$(kernel_make_args 6.12-arm64) "$@"
}

# configure_kernel CONFIG OBJECTS: allnoconfig and CONFIG. Prints what Kconfig
# does not take of that, and fails then.
configure_kernel()
{
	mkdir -p "$2"
	make_in_kernel_tree "$2" KCONFIG_ALLCONFIG="$1" allnoconfig || return
	! grep '^CONFIG_' "$1" | grep -vxFf "$2/.config"
}

# build_debug_kernel TARGET...: the first time, Image takes some minutes. The
# tree is ours until the (sub)shell ends.
build_debug_kernel()
{
	local objects
	objects=$(kernel_build_dir debug-arm64)
	lock_directory "$cache/linux-6.12"
	place_in_kernel_tree
	configure_kernel "$top/qemu/debug.config" "$objects"
	make_in_kernel_tree "$objects" -j"$(nproc)" "$@"
}
