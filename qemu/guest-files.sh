# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All that a boot needs, from Debian's packages to the initramfs, of the guest
# that select_guest was called for.

. "$top/qemu/debs.sh"
. "$top/qemu/kernel.sh"
. "$top/qemu/boards.sh"
. "$top/qemu/kernel-tree.sh"
. "$top/qemu/sysroot.sh"
. "$top/qemu/modules.sh"
. "$top/qemu/boot.sh"

# need_guest_packages TREE...: of the host, to build for these kernels
need_guest_packages()
{
	local tree packages=(build)
	for tree; do
		case $tree in
		*-amd64) packages+=(modules pc) ;;
		*-arm | *-armmp | *-armv5) packages+=(arm) ;;
		*-riscv64) packages+=(riscv) ;;
		esac
		[ "$guest_purpose" = demo ] || ! runs_32_bits "$tree" ||
			packages+=(arm)
		is_stock "$tree" || packages+=(kernel)
	done
	need_host_packages "${packages[@]}"
}

# build_userspace TARGET...: of its Makefile. Libraries are those of the sysroot,
# if the guest needs any. They may want a newer C library than that of the
# cross-compiler: the guest has it. Debian's compiler for amd64 has no headers of
# DRM, which are the same for all architectures.
build_userspace()
{
	local pkg_config=false ldflags='' cppflags=''
	[ "$(arch_release "$guest_arch")" = "$host_release" ] ||
		ldflags=-Wl,--allow-shlib-undefined
	if [ "$guest_arch" = amd64 ]; then
		mkdir -p "$build/headers"
		ln -sfn /usr/aarch64-linux-gnu/include/drm "$build/headers/drm"
		cppflags="-idirafter $build/headers"
	fi
	[ "$guest_purpose" = demo ] ||
		pkg_config=$(sysroot_pkg_config "$guest_arch")
	make -s -C "$top/userspace" O="$guest_userspace" STATIC=1 WERROR=1 \
		CROSS_COMPILE="$(cross_prefix "$guest_arch")" \
		PKG_CONFIG="$pkg_config" LDFLAGS="$ldflags" \
		CPPFLAGS="$cppflags" \
		KSELFTEST="$(kernel_source_dir 6.12-arm64)/tools/testing/selftests" "$@"
}

# Tests that are run as 32-bit programs, too, where a 64-bit kernel can: abi32
# and fuzz32
tests_32=(abi fuzz)

# build_programs TARGET...: of the user space
build_programs()
{
	build_userspace "$@"
	[ "$guest_purpose" = tests ] && runs_32_bits "$guest_kernel" ||
		return 0
	local guest_arch=armhf guest_userspace=$build/userspace-armhf
	build_userspace "${tests_32[@]/#/$guest_userspace/tests/}"
}

# What the guest is for: "tests", with all programs and what they need, or "demo",
# with just what that needs.
guest_purpose=tests

# guest_prepare_steps: of prepare_guest. make_guest_files has two more.
guest_prepare_steps()
{
	[ "$guest_purpose" = demo ] && echo 5 || echo 6
}

# The harness of the tests is that of 6.12, whatever they run on.
fetch_kernels()
{
	fetch_kernel 6.12-arm64
	if is_stock "$guest_kernel"; then
		fetch_kernel "$guest_kernel"
	else
		fetch_kernel_tree
	fi
}

# A kernel of ours comes with all of its modules.
prepare_kernel()
{
	step "fetching the kernel for $guest_kernel" fetch_kernels
	if is_stock "$guest_kernel"; then
		step "building DMA engines for it" build_engines "$guest_kernel"
	else
		step "building $guest_kernel, some minutes the first time" \
			build_kernel "$guest_kernel" \
			"$(kernel_image_name "$guest_kernel")"
	fi
}

# The file system of the guest. The same input gives the same bytes.

# Other drivers, as modules, that the tests share buffers with, after those that they
# need, with their parameters
shared_modules=(drm drm_kms_helper drm_shmem_helper vgem vkms mc videodev
		v4l2-dv-timings v4l2-tpg rc-core cec videobuf2-common
		videobuf2-memops videobuf2-v4l2 videobuf2-vmalloc
		videobuf2-dma-contig
		'vivid n_devs=2 node_types=1,1 allocators=0,1')

# What the guest boots with, and for the tests other drivers. A module that a kernel
# lacks is built in, or not there at all.
install_stock_modules()
{
	local name file names=("${boot_modules[@]}")
	[ "$guest_purpose" = demo ] || names+=("${shared_modules[@]%% *}")
	for name in "${names[@]}"; do
		file=$(kernel_module "$guest_kernel" "$name")
		case $file in
		*.xz) xz -dc "$file" >"$1/lib/modules/$name.ko" ;;
		*.ko) cp "$file" "$1/lib/modules" ;;
		esac
	done
}

# The names of all tests that have been built.
guest_tests()
{
	local source name
	for source in "$top"/userspace/tests/*.{c,sh}; do
		name=${source##*/}
		name=${name%.*}
		[ ! -x "$guest_userspace/tests/$name" ] || echo "$name"
	done
}

# The same for those of 32 bits
guest_tests_32()
{
	! runs_32_bits "$guest_kernel" || printf '%s32\n' "${tests_32[@]}"
}

# install_tests DIRECTORY: with all programs, and what these need
install_tests()
{
	local name
	mkdir "$1/tests"
	printf '%s\n' "${shared_modules[@]}" >"$1/lib/modules/shared"
	install -m 755 "$guest_userspace/dmacpy" \
		"$guest_userspace"/examples/{directload,drmshare,hello,ioctls} \
		"$guest_userspace"/examples/{ringcopy,tilefilter} \
		"$guest_userspace/tests/bin/untouched" "$1/bin"
	guest_tests | xargs -I{} install -m 755 "$guest_userspace/tests/{}" \
		"$1/tests"
	for name in $(guest_tests_32); do
		install -m 755 "$build/userspace-armhf/tests/${name%32}" \
			"$1/tests/$name"
	done
	[ ! -d "$guest_userspace/selftests" ] ||
		install -m 755 -t "$1/bin" "$guest_userspace"/selftests/*
	install -m 755 "$(sysroot_file "$guest_arch" v4l2-ctl)" "$1/bin"
	install -m 644 "$guest_userspace/tests/lib/expbuf.so" "$1/lib"
	install_libraries "$(sysroot "$guest_arch")" "$1/lib" \
		"$1"/bin/{drmshare,v4l2-ctl} "$1"/tests/*
}

populate_root()
{
	mkdir -p "$1"/{bin,dev,proc,sys,tmp,lib/modules}
	ln -s lib "$1/lib64"
	install -m 755 "$top/qemu/guest/init" "$1/init"
	install -m 755 "$(busybox "$guest_arch")" "$1/bin/busybox"
	! is_stock "$guest_kernel" || install_stock_modules "$1"
	install -m 644 "$guest"/modules/*.ko "$1/lib/modules"
	if [ "$guest_purpose" = demo ]; then
		install -m 755 "$guest_userspace/examples/tilefilter" "$1/bin"
	else
		install_tests "$1"
	fi
}

# pack DIRECTORY: prints a cpio
pack()
(
	cd "$1"
	find . -exec touch -h -d @0 {} +
	find . -print0 | LC_ALL=C sort -z |
		cpio --null --create --format=newc --reproducible \
		     --owner=+0:+0 --quiet
)

make_initramfs()
{
	local root=$guest/root
	rm -rf "$root"
	populate_root "$root"
	pack "$root" | gzip -n -1 >"$guest/initramfs.gz"
}

# fetch_libraries ARCH: and programs, but for bpftrace, which few tests need
fetch_libraries()
{
	fetch_sysroot "$1"
	! runs_32_bits "$guest_kernel" || fetch_sysroot armhf
	fetch_program python "$1"
	! is_simulated || fetch_program kmod "$1"
}

# prepare_guest: all but the module and the initramfs
prepare_guest()
{
	local programs=(all tests)
	prepare_kernel
	step "fetching busybox for $guest_arch" fetch_busybox "$guest_arch"
	if [ "$guest_purpose" = demo ]; then
		programs=("$guest_userspace/examples/tilefilter")
	else
		step "fetching libraries for $guest_arch" \
			fetch_libraries "$guest_arch"
	fi
	step "building the user space for $guest_arch" \
		build_programs "${programs[@]}"
	step "making the device tree of $guest_board" make_dtb "$guest_dtb"
}

make_guest_files()
{
	lock_build
	prepare_guest
	step "building dmacpy" build_dmacpy "$guest_kernel"
	step "making the initramfs" make_initramfs
}
