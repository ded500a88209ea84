# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The source of Linux 6.12 with dmacpy in it, as if it had been merged, in the
# cache. Checks build from it, and the kernels of make test-debug, test-kcsan and
# coverage. TREE is debug-arm64, debug-rt-arm64, debug-arm, debug-heap-arm64,
# kcsan-arm64 or coverage-arm64, see kernel.config. For at91-armv5 there is only a
# module, see modules.sh.

# By far not all that there is: what the kernels and the checks read.
kernel_tree_parts=(
	'*Kconfig*' '*Makefile*' Kbuild arch/arm arch/arm64
	arch/x86/entry/syscalls block certs crypto drivers/amba drivers/base
	drivers/block drivers/bus drivers/char drivers/clk drivers/clocksource
	drivers/dma drivers/dma-buf drivers/firmware
	drivers/gpu/drm/bridge/panel.c 'drivers/gpu/drm/drm_*'
	drivers/gpu/drm/vgem drivers/gpu/drm/vkms drivers/i2c drivers/input
	drivers/irqchip drivers/mfd drivers/misc drivers/mmc
	drivers/net/loopback.c drivers/of drivers/pci drivers/pinctrl
	drivers/power drivers/reset drivers/rtc drivers/soc drivers/tty
	drivers/video drivers/virtio fs include init
	io_uring ipc kernel lib mm net scripts security tools/include usr virt
)

kernel_tree_name=linux-6.12-$(list_key "${kernel_tree_parts[@]}")
kernel_tree=$cache/$kernel_tree_name/usr/src/linux-source-6.12

# make_kernel_tree DIRECTORY: with a place for the driver, drivers/misc/dmacpy,
# and for the modules that test it.
make_kernel_tree()
{
	local misc=$1/usr/src/linux-source-6.12/drivers/misc found release version
	found=$(kernel_package 6.12-arm64)
	read -r release _ version <<<"$found"
	unpack_source "$release" 6.12 "$version" "$1" "${kernel_tree_parts[@]}"
	sed -i '/^endmenu/i source "drivers/misc/dmacpy/Kconfig"' \
		"$misc/Kconfig"
	echo "obj-\$(CONFIG_DMACPY) += dmacpy/ dmacpy/kunit/" \
		>>"$misc/Makefile"
	mkdir -p "$misc/dmacpy/kunit"
}

fetch_kernel_tree()
{
	fetch_once "$kernel_tree_name" make_kernel_tree
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
	install -C -m 644 -t "$place/kunit" "$top"/kunit/{*.[ch],Kbuild}
	install -C -m 644 "$top/uapi/linux/dmacpy.h" \
		"$kernel_tree/include/uapi/linux"
}

# Not of the whole kernel, as CONFIG_GCOV_PROFILE_ALL does.
count_lines_of_driver()
{
	echo 'GCOV_PROFILE := y' >>"$kernel_tree/drivers/misc/dmacpy/Kbuild"
}

# make_in_kernel_tree TREE ARGUMENT...
make_in_kernel_tree()
{
	local tree=$1
	shift
	# shellcheck disable=SC2046 # several arguments
	make -s -C "$kernel_tree" O="$(kernel_build_dir "$tree")" \
		$(kernel_make_args "$tree") "$@"
}

# kernel_board TREE: the one that it is configured for
kernel_board()
{
	case $(kernel_arch "$1") in
	arm64) echo versal ;;
	armhf) echo zynq ;;
	esac
}

# kernel_config TREE: prints what it is configured by
kernel_config()
{
	local name names file=$top/qemu/kernel.config
	IFS=- read -ra names <<<"${1%-*}"
	for name in guest "$(kernel_board "$1")" "${names[@]}"; do
		grep -qxF "[$name]" "$file" ||
			die "no kernel $1: kernel.config has no [$name]"
		sed -n "/^\[$name\]\$/,/^\[/p" "$file"
	done
}

# configure_kernel TREE: allnoconfig and what is on stdin, where later lines
# prevail. Prints what Kconfig does not take of it, and fails then.
configure_kernel()
{
	local tree=$1 objects config
	objects=$(kernel_build_dir "$1")
	config=$objects/wanted.config
	mkdir -p "$objects"
	awk -F '[ =]' '/^CONFIG_/ { lines[$1] = $0 }
		/^# CONFIG_.* is not set$/ { lines[$2] = $0 }
		END { for (name in lines) print lines[name] }' >"$config"
	make_in_kernel_tree "$tree" KCONFIG_ALLCONFIG="$config" allnoconfig ||
		return
	! grep '^CONFIG_' "$config" | grep -vxFf "$objects/.config"
}

# The one to boot, as make and as the file in arch/*/boot
kernel_image_name()
{
	case $(kernel_arch "$1") in
	arm64) echo Image ;;
	armhf) echo zImage ;;
	esac
}

# KCSAN watches one access of thousands: let it be one of dmacpy. The rest of the
# kernel has data races of its own. And KCOV is to tell what dmacpy runs.
# shellcheck disable=SC2016 # make expands it
dmacpy_only='$(if $(filter drivers/misc/dmacpy%,$(obj)),y,n)'

# build_kernel TREE TARGET...: the first time, it takes some minutes. The source
# is ours until the (sub)shell ends.
build_kernel()
{
	local tree=$1
	shift
	lock_directory "$cache/$kernel_tree_name"
	place_in_kernel_tree
	[ "${tree%%-*}" != coverage ] || count_lines_of_driver
	kernel_config "$tree" | configure_kernel "$tree"
	make_in_kernel_tree "$tree" -j"$(nproc)" KCSAN_SANITIZE="$dmacpy_only" \
		KCOV_INSTRUMENT="$dmacpy_only" "$@"
}
