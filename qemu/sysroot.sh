# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's libraries and programs for the guest, as other programs and other
# drivers are used by those; and other programs of Debian that some tests need,
# Python with the package dmacpy for it.

sysroot_programs=(libdrm2 liburing2 v4l-utils)
# Without what these depend on: the headers of libc come with the cross compiler.
sysroot_headers=(libdrm-dev liburing-dev linux-libc-dev)
sysroot_key=$(list_key "${sysroot_programs[@]}" "${sysroot_headers[@]}")

# unpack_sysroot ARCH DIRECTORY
unpack_sysroot()
{
	local release package
	release=$(arch_release "$1")
	unpack_with_depends "$release" "$1" "$2" "${sysroot_programs[@]}"
	for package in "${sysroot_headers[@]}"; do
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

# unpacked_file DIRECTORY NAME: prints the path of a program or a library in
# packages that are unpacked there
unpacked_file()
{
	find "$1" \( -path '*/bin/*' -o -path '*/lib/*' \) -name "$2" \
		-print -quit
}

# sysroot_file ARCH NAME: the same in the sysroot
sysroot_file()
{
	unpacked_file "$(sysroot "$1")" "$2"
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

# install_libraries FROM TO FILE...: all that the programs need, from packages that
# are unpacked there
install_libraries()
{
	local from=$1 to=$2 file name
	shift 2
	for file; do
		for name in $(needed_files "$file"); do
			[ ! -e "$to/$name" ] || continue
			cp -L "$(unpacked_file "$from" "$name")" "$to/$name"
			install_libraries "$from" "$to" "$to/$name"
		done
	done
}

# By the names of the programs; all that they depend on comes with them.
declare -A program_packages=(
	[bpftrace]=bpftrace
	[kmod]=kmod
	[python]='libpython3-stdlib python3-minimal python3-numpy'
)

# program_dir NAME ARCH: prints where it is in the cache
program_dir()
{
	# shellcheck disable=SC2086 # several
	echo "$cache/$1-$2-$(arch_release "$2")-$(list_key ${program_packages[$1]})"
}

# unpack_program NAME ARCH DIRECTORY
unpack_program()
{
	# shellcheck disable=SC2086 # several
	unpack_with_depends "$(arch_release "$2")" "$2" "$3" \
		${program_packages[$1]}
}

# fetch_program NAME ARCH
fetch_program()
{
	local directory
	directory=$(program_dir "$1" "$2")
	fetch_once "${directory##*/}" unpack_program "$1" "$2"
}

# install_program DIRECTORY NAME: for the guest that is selected
install_program()
{
	local program
	program=$(program_dir "$2" "$guest_arch")
	mkdir -p "$1"/{bin,lib}
	cp "$(unpacked_file "$program" "$2")" "$1/bin"
	install_libraries "$program" "$1/lib" "$1/bin/$2"
}

# install_python DIRECTORY: for the guest that is selected, without what no test
# needs
install_python()
{
	local python extensions to=$1
	python=$(program_dir python "$guest_arch")
	mkdir -p "$to"/{lib,tmp,usr/bin,usr/lib/python3/dist-packages}
	cp "$python"/usr/bin/python3.*[0-9] "$to/usr/bin/python3"
	cp -r "$python"/usr/lib/python3.*[0-9] "$to/usr/lib"
	(
		cd "$to"/usr/lib/python3.*[0-9] || exit
		rm -rf config-* distutils ensurepip idlelib lib2to3 pydoc* \
			sqlite3 test tkinter turtle* xml*
	)
	cp -r "$python/usr/lib/python3/dist-packages/numpy" \
		"$to/usr/lib/python3/dist-packages"
	find "$to/usr/lib/python3" \( -name tests -o -name include \) -prune \
		-exec rm -r {} +
	mapfile -t extensions < <(find "$to"/usr/lib/python3* -name '*.so')
	install_libraries "$python" "$to/lib" "$to/usr/bin/python3" \
		"${extensions[@]}"
	cp -L "$guest_userspace/libdmacpy.so.0" "$to/lib"
	cp -r "$top/userspace/python/dmacpy" \
		"$to/usr/lib/python3/dist-packages"
	cp "$top/userspace/python/tests/test_dmacpy.py" \
		"$top/userspace/examples/hello.py" "$to/tmp"
}
