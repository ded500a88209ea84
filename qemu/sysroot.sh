# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's libraries and programs for the guest, as other programs and other
# drivers are used by those.

sysroot_packages=(
	libc6 libdrm2 libdrm-dev libgcc-s1 libjpeg62-turbo libstdc++6 libudev1
	liburing-dev liburing2 libv4l-0 libv4lconvert0 linux-libc-dev v4l-utils
)
sysroot_key=$(list_key "${sysroot_packages[@]}")

unpack_sysroot()
{
	local release package
	release=$(arch_release "$1")
	update_debs "$release" "$1"
	for package in "${sysroot_packages[@]}"; do
		# Since Debian 13 some names tell that time_t has 64 bits.
		[ -n "$(apt_for "$release" "$1" apt-cache show "$package" \
			2>/dev/null)" ] || package+=t64
		unpack_deb "$release" "$1" "$package" "$2"
	done
}

# sysroot ARCH: prints its directory
sysroot()
{
	echo "$cache/sysroot-$1-$(arch_release "$1")-$sysroot_key"
}

fetch_sysroot()
{
	local directory
	directory=$(sysroot "$1")
	fetch_once "${directory##*/}" unpack_sysroot "$1"
}

# sysroot_file ARCH NAME: prints the path of a program or a library
sysroot_file()
{
	find "$(sysroot "$1")" \( -path '*/bin/*' -o -path '*/lib/*' \) \
		-name "$2" -print -quit
}

# sysroot_pkg_config ARCH: prints a pkg-config for it
sysroot_pkg_config()
{
	local pc
	pc=$(sysroot_file "$1" libdrm.pc)
	echo "env PKG_CONFIG_LIBDIR=${pc%/*}" \
		"PKG_CONFIG_SYSROOT_DIR=$(sysroot "$1") pkg-config"
}

# needed_files FILE: the libraries that a program or a library asks for; a
# script, at which readelf says that it is no such file, asks for none
needed_files()
{
	readelf --dynamic --program-headers "$1" 2>/dev/null | sed -n \
		-e 's/.*(NEEDED).*\[\(.*\)\]/\1/p' \
		-e 's,.*program interpreter: .*/\(.*\)\],\1,p'
}

# install_libraries ARCH DIRECTORY FILE...: all that the programs need
install_libraries()
{
	local arch=$1 to=$2 file name
	shift 2
	for file; do
		for name in $(needed_files "$file"); do
			[ ! -e "$to/$name" ] || continue
			cp -L "$(sysroot_file "$arch" "$name")" "$to/$name"
			install_libraries "$arch" "$to" "$to/$name"
		done
	done
}
