# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's stock kernels, fetched into the cache when first asked for. After
# sourcing lib.sh, debs.sh and this file:
#
#   fetch_kernel TREE	download it unless it is there
#   kernel_build_dir TREE	prints the KDIR to build modules with
#   kernel_make_args TREE	prints ARCH= and CROSS_COMPILE= for it
#   kernel_image TREE	prints the image to boot
#   kernel_module TREE NAME	prints the path of a stock module, if there
#			is one
#   kernel_dtb TREE NAME	prints the path of a device tree of 32 bits
#   kernel_source_dir TREE	prints a directory with the part of its source
#			that is named in source_parts
#   fetch_busybox ARCH	download a static busybox of Debian's architecture
#   busybox ARCH		prints its path
#   unpack_source ...	other parts of the source, see there
#
# where TREE is one of 6.12-arm64, 6.1-arm64 and 6.1-armmp. The newest one at
# the time of the first use stays until "make distclean", or until source_parts
# changes. The functions also know the kernels that kernel-tree.sh builds.

source_parts=(
	Documentation/dev-tools Documentation/process
	Documentation/devicetree/bindings/vendor-prefixes.yaml
	drivers/dma include/uapi/linux LICENSES scripts
	tools/testing/selftests/dmabuf-heaps
	tools/testing/selftests/kselftest.h
	tools/testing/selftests/kselftest_harness.h
)

# kernel_name TREE: of its directory in the cache
kernel_name()
{
	echo "debian-$1-$(list_key "${source_parts[@]}")"
}

kernel_dir()
{
	echo "$cache/$(kernel_name "$1")"
}

kernel_arch()
{
	case $1 in
	*-arm64) echo arm64 ;;
	*-arm | *-armmp) echo armhf ;;
	esac
}

kernel_make_args()
{
	case $1 in
	*-arm64) echo ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- ;;
	*-arm | *-armmp | *-armv5)
		echo ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf-
		;;
	esac
}

# In Debian 12 the packages of 6.1 have no version in their name.
kernel_headers_package()
{
	case $1 in
	6.1-*) echo "linux-headers-${1#*-}" ;;
	*) echo "linux-headers-$1" ;;
	esac
}

kernel_build_dir()
{
	case $1 in
	6.*) echo "$(kernel_dir "$1")"/usr/src/linux-headers-*-"${1#*-}" ;;
	*) echo "$cache/$kernel_tree_name/objects-$1" ;;
	esac
}

kernel_image()
{
	case $1 in
	6.*) echo "$(kernel_dir "$1")"/boot/vmlinuz-* ;;
	*) echo "$build/$1/image" ;;
	esac
}

kernel_module()
{
	find "$(kernel_dir "$1")/lib/modules" -name "$2.ko*"
}

kernel_dtb()
{
	echo "$(kernel_dir "$1")"/usr/lib/linux-image-*/"$2.dtb"
}

kernel_source_dir()
{
	echo "$(kernel_dir "$1")/usr/src/linux-source-${1%%-*}"
}

busybox()
{
	echo "$cache/busybox-$1/bin/busybox"
}

# unpack_source RELEASE VERSION DIRECTORY PART...: the parts may have wildcards.
# The tar ball in the package has a name of its own, and is not needed on the
# disk.
unpack_source()
{
	local package=linux-source-$1 version=$2 to=$3/usr/src file
	shift 3
	file=$(download_deb "$host_arch" "$package" "$version") || exit
	mkdir -p "$to"
	dpkg-deb --fsys-tarfile "$file" |
		tar -xO "./usr/src/$package.tar.xz" | xz -dc |
		tar -x -C "$to" --wildcards "${@/#/$package/}" || exit
	rm "$file"
}

# unpack_headers TREE PACKAGE VERSION DIRECTORY: kbuild's programs run on the
# host, and the headers find the common ones by an absolute path.
unpack_headers()
{
	local arch depends common kbuild
	arch=$(kernel_arch "$1")
	depends=$(deb_field "$arch" "$2" Depends) || exit
	common=$(grep -o 'linux-headers-[^ ]*-common' <<<"$depends")
	kbuild=$(grep -o 'linux-kbuild-[^ ,]*' <<<"$depends")
	unpack_deb "$arch" "$2" "$4" "$3"
	unpack_deb "$arch" "$common" "$4" "$3"
	unpack_deb "$host_arch" "$kbuild" "$4"
	sed -i "s|/usr/src/|$(kernel_dir "$1")&|" "$4/usr/src/$2/Makefile"
	[ "$arch" = arm64 ] || install "$top/qemu/modpost-32.sh" \
		"$4/usr/lib/$kbuild/scripts/mod/modpost"
}

unpack_kernel()
{
	local arch depends package version
	arch=$(kernel_arch "$1")
	update_debs_patiently "$arch"
	[ "$arch" = "$host_arch" ] || update_debs_patiently "$host_arch"
	depends=$(deb_field "$arch" "$(kernel_headers_package "$1")" \
		  Depends) || exit
	package=${depends%% *}
	version=${depends##*(= }
	version=${version%)}
	unpack_headers "$1" "$package" "$version" "$2"
	unpack_deb "$arch" "${package/headers/image}" "$2" "$version"
	unpack_source "${1%%-*}" "$version" "$2" "${source_parts[@]}"
}

fetch_kernel()
{
	fetch_once "$(kernel_name "$1")" unpack_kernel "$1"
}

unpack_busybox()
{
	update_debs_patiently "$1"
	unpack_deb "$1" busybox-static "$2"
}

fetch_busybox()
{
	fetch_once "busybox-$1" unpack_busybox "$1"
}
