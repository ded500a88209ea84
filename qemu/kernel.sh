# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's stock kernels, fetched into the cache when first asked for. After
# sourcing lib.sh, debs.sh and this file:
#
#   fetch_kernel TREE	download it unless it is there
#   kernel_build_dir TREE	prints the KDIR to build modules with
#   kernel_make_args TREE	prints ARCH=, CROSS_COMPILE= and CC= for it
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
# where TREE is a version and a flavour of Debian's, such as 6.12-rt-arm64. The
# version "newest" stands for the newest one that is served. The newest package
# at the time of the first use stays until "make distclean", or until
# source_parts changes. The functions also know the kernels that kernel-tree.sh
# builds.

source_parts=(
	Documentation/dev-tools Documentation/process
	Documentation/devicetree/bindings/vendor-prefixes.yaml
	drivers/dma include/uapi/linux LICENSES scripts
	tools/testing/selftests/dmabuf-heaps
	tools/testing/selftests/kselftest.h
	tools/testing/selftests/kselftest_harness.h
)

# Patterns of types that checkpatch takes for operands of a product
checkpatch_types='FIXTURE_DATA\(\w+\)\s\*'

# is_stock TREE: a kernel of Debian, not one that is built here?
is_stock()
{
	[[ $1 = [0-9]* || $1 = newest-* ]]
}

# kernel_releases TREE: the releases of Debian that may have it. The first of them
# that has it is taken, but for the newest one.
kernel_releases()
{
	case $1 in
	6.1-*) echo bookworm ;;
	*-riscv64) echo trixie ;;
	6.12-*) echo bookworm trixie ;;
	newest-*) echo trixie-backports sid ;;
	esac
}

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
	*-amd64) echo amd64 ;;
	*-arm64) echo arm64 ;;
	*-arm | *-armmp) echo armhf ;;
	*-riscv64) echo riscv64 ;;
	esac
}

# runs_32_bits TREE: 32-bit programs, too, as ours do not
runs_32_bits()
{
	is_stock "$1" && [ "$(kernel_arch "$1")" = arm64 ]
}

# cross_prefix ARCH: of the programs that build for Debian's architecture
cross_prefix()
{
	case $1 in
	amd64) echo x86_64-linux-gnu- ;;
	arm64) echo aarch64-linux-gnu- ;;
	armhf) echo arm-linux-gnueabihf- ;;
	riscv64) echo riscv64-linux-gnu- ;;
	esac
}

# The headers name the compiler that built the kernel. The host may have another
# version, which is as good if it is not older: see unpack_tools.
kernel_make_args()
{
	local arch=arm64 cross tools
	cross=$(cross_prefix "$(kernel_arch "$1")")
	case $1 in
	*-amd64) arch=x86 ;;
	*-arm | *-armmp | *-armv5) arch=arm cross=arm-linux-gnueabihf- ;;
	*-riscv64) arch=riscv ;;
	esac
	tools=$(kernel_dir "$1")/tools/usr/bin
	if [ -d "$tools" ]; then
		echo "ARCH=$arch CROSS_COMPILE=$cross PAHOLE=$tools/pahole" \
			"CC=$(compgen -G "$tools/${cross}gcc-[0-9]*")"
	else
		echo "ARCH=$arch CROSS_COMPILE=$cross CC=${cross}gcc"
	fi
}

kernel_build_dir()
{
	if is_stock "$1"; then
		echo "$(kernel_dir "$1")"/usr/src/linux-headers-*-"${1#*-}"
	else
		echo "$cache/$kernel_tree_name/objects-$1"
	fi
}

# Since 7.x all of a kernel is in its modules' directory.
kernel_image()
{
	if is_stock "$1"; then
		compgen -G "$(kernel_dir "$1")/boot/vmlinu?-*" ||
			compgen -G "$(kernel_dir "$1")/usr/lib/modules/*/vmlinu?"
	else
		echo "$build/$1/image"
	fi
}

# kernel_release TREE: what uname -r says
kernel_release()
{
	local headers
	headers=$(kernel_build_dir "$1")
	echo "${headers##*/linux-headers-}"
}

kernel_module()
{
	local modules
	for modules in "$(kernel_dir "$1")"/{,usr/}lib/modules; do
		[ ! -d "$modules" ] || find "$modules" -name "$2.ko*"
	done
}

kernel_dtb()
{
	find "$(kernel_dir "$1")/usr/lib" -name "$2.dtb" -print -quit
}

kernel_source_dir()
{
	echo "$(kernel_dir "$1")"/usr/src/linux-source-*
}

busybox()
{
	find "$cache/busybox-$1-$(arch_release "$1")" -path '*/bin/busybox' \
		-print -quit
}

# unpack_source DEBIAN-RELEASE LINUX-RELEASE VERSION DIRECTORY PART...: the parts
# may have wildcards. The tar ball in the package has a name of its own, and is
# not needed on the disk.
unpack_source()
{
	local package=linux-source-$2 to=$4/usr/src file
	file=$(download_deb "$1" "$host_arch" "$package" "$3") || exit
	shift 4
	mkdir -p "$to"
	dpkg-deb --fsys-tarfile "$file" |
		tar -xO "./usr/src/$package.tar.xz" | xz -dc |
		tar -x -C "$to" --wildcards "${@/#/$package/}" || exit
	rm "$file"
}

# kernel_compiler DIRECTORY HEADERS: prints the one that built a kernel, without the
# prefix, such as gcc-14
kernel_compiler()
{
	sed -n 's/^CC = .*(CROSS_COMPILE)//p' "$1/usr/src/$2/.kernelvariables"
}

# programs_in PATH...: prints the programs that ask for a dynamic loader
programs_in()
{
	find "$@" -type f -perm -u+x -exec sh -c \
		'readelf --program-headers "$1" 2>/dev/null |
			grep -q "program interpreter"' sh {} \; -print
}

# unpack_tools DEBIAN-RELEASE TREE DIRECTORY HEADERS: the compiler and pahole of the
# kernel's release, where the host's are older and lack what the kernel has been
# configured for. They and the programs of kbuild get the C library of their
# release. The directory becomes that of the kernel when it is complete.
unpack_tools()
{
	local compiler cross libraries loader programs
	compiler=$(kernel_compiler "$3" "$4")
	cross=$(cross_prefix "$(kernel_arch "$2")")
	[ "$("${cross}gcc" -dumpversion)" -lt "${compiler#gcc-}" ] || return 0
	unpack_with_depends "${1%-backports}" "$host_arch" "$3/tools" \
		"$compiler-$(tr _ - <<<"${cross%-}")" pahole
	libraries=tools/usr/lib/$(gcc -print-multiarch)
	mapfile -t programs < <(programs_in "$3/tools/usr" \
		"$3"/usr/lib/linux-kbuild-*/)
	loader=$(cd "$3" && compgen -G "$libraries/ld-linux*.so.*")
	patchelf --force-rpath \
		--set-interpreter "$(kernel_dir "$2")/$loader" \
		--set-rpath "$(kernel_dir "$2")/$libraries" "${programs[@]}"
}

# modpost_32: prints the modpost of a 64-bit host, for a 32-bit kernel: it does all of
# its checks but cannot read tables of device IDs, as it takes a pointer in them to be
# 64 bits long. They are hidden from it; the module has no alias then.
modpost_32()
{
	cat <<-'EOT'
		#!/bin/sh
		objects=$(cat)
		for object in $objects; do
			arm-linux-gnueabihf-objcopy --wildcard \
				--strip-symbol='__mod_*_device_table' "$object" || exit
		done
		echo "$objects" | "$0.real-lsb-32" "$@"
	EOT
}

# unpack_headers DEBIAN-RELEASE TREE PACKAGE VERSION DIRECTORY: kbuild's programs
# run on the host, and the headers find the common ones by an absolute path.
unpack_headers()
{
	local release=$1 to=$5 arch depends common kbuild
	arch=$(kernel_arch "$2")
	depends=$(deb_field "$release" "$arch" "$3" Depends) || exit
	common=$(grep -o 'linux-headers-[^ ]*-common[^ ,]*' <<<"$depends")
	kbuild=$(grep -o 'linux-kbuild-[^ ,]*' <<<"$depends")
	unpack_deb "$release" "$arch" "$3" "$to" "$4"
	unpack_deb "$release" "$arch" "$common" "$to" "$4"
	unpack_deb "$release" "$host_arch" "$kbuild" "$to"
	sed -i "s|/usr/src/|$(kernel_dir "$2")&|" "$to/usr/src/$3/Makefile"
	kbuild=$to/usr/lib/$kbuild/scripts/mod
	[ "$arch" != armhf ] || [ ! -x "$kbuild/modpost.real-lsb-32" ] ||
		install <(modpost_32) "$kbuild/modpost"
	unpack_tools "$release" "$2" "$to" "$3"
}

# kernel_packages TREE RELEASE...: prints for each of these releases of Debian that
# has the kernel the release, the package of its headers, and the package's
# version. What depends on these is named after the version, unless it is the
# release's only kernel.
kernel_packages()
{
	local tree=$1 arch release name depends version=${1%%-*}
	arch=$(kernel_arch "$1")
	shift
	[[ $version = [0-9]* ]] || version='[0-9]+\.[0-9]+'
	version="(linux-headers-${version/6./6\\.}[.-][^ ]+) \(= ([^)]+)\)"
	for release; do
		update_debs "$release" "$arch" >&2
		for name in "linux-headers-$tree" "linux-headers-${tree#*-}"; do
			depends=$(apt_for "$release" "$arch" apt-cache show \
				--no-all-versions "$name" 2>/dev/null |
				sed -n 's/^Depends: //p') || continue
			[[ ! $depends =~ $version ]] ||
				echo "$release ${BASH_REMATCH[*]:1}"
		done
	done
}

# kernel_package TREE: prints the first one of these, or the newest
kernel_package()
{
	local release found=()
	for release in $(kernel_releases "$1"); do
		mapfile -t -O "${#found[@]}" found \
			< <(kernel_packages "$1" "$release")
		[ "${#found[@]}" -eq 0 ] || [[ $1 = newest-* ]] || break
	done
	printf '%s\n' "${found[@]}" | sort -k 3,3Vr | grep -m 1 . ||
		die "no kernel ${1%%-*} for ${1#*-} in Debian's" \
		    "$(kernel_releases "$1"): is the network up? If it is," \
		    "try again later: the mirror may be just being updated"
}

# unpack_parts RELEASE ARCH HEADERS VERSION DIRECTORY: the image and the modules,
# which since 7.x are in two packages.
unpack_parts()
{
	local part parts=(image)
	[ -z "$(apt_for "$1" "$2" apt-cache show "${3/headers/binary}" \
		2>/dev/null)" ] || parts=(binary modules)
	for part in "${parts[@]}"; do
		unpack_deb "$1" "$2" "${3/headers/$part}" "$5" "$4"
	done
}

unpack_kernel()
{
	local found release package version
	found=$(kernel_package "$1")
	read -r release package version <<<"$found"
	unpack_headers "$release" "$1" "$package" "$version" "$2"
	unpack_parts "$release" "$(kernel_arch "$1")" "$package" "$version" "$2"
	unpack_source "$release" "$(grep -Eo '[0-9]+\.[0-9]+' <<<"$package" |
		head -n 1)" "$version" "$2" "${source_parts[@]}"
}

fetch_kernel()
{
	fetch_once "$(kernel_name "$1")" unpack_kernel "$1"
}

unpack_busybox()
{
	unpack_deb "$(arch_release "$1")" "$1" busybox-static "$2"
}

fetch_busybox()
{
	fetch_once "busybox-$1-$(arch_release "$1")" unpack_busybox "$1"
}
