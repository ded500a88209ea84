# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's file system. The same input gives the same bytes.

# The disk of the guest needs the first two; other drivers, that the tests share
# buffers with, the rest. Our kernels have them built in, or not at all.
install_stock_modules()
{
	local name file
	for name in virtio_mmio virtio_blk \
			$(sed '/^#/d; s/ .*//' "$top/qemu/guest/modules"); do
		file=$(kernel_module "$name")
		xz -dc "$file" >"$1/lib/modules/$name.ko"
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

fill_root()
{
	mkdir -p "$1"/{bin,dev,proc,sys,tmp,lib/modules,tests}
	install -m 755 "$top/qemu/guest/init" "$1/init"
	install -m 755 "$(busybox "$guest_arch")" "$1/bin/busybox"
	[ "$guest_kernel" != 6.12-arm64 ] || install_stock_modules "$1"
	install -m 644 "$guest"/modules/*.ko "$1/lib/modules"
	install -m 755 "$guest_userspace/dmacpy" \
		"$guest_userspace"/examples/{drmshare,ringcopy,tilefilter} \
		"$1/bin"
	guest_tests | xargs -I{} install -m 755 "$guest_userspace/tests/{}" \
		"$1/tests"
	install -m 755 "$(sysroot_file "$guest_arch" v4l2-ctl)" "$1/bin"
	install_libraries "$guest_arch" "$1/lib" \
		"$1"/bin/{drmshare,v4l2-ctl} "$1"/tests/*
}

# pack DIRECTORY
pack()
(
	cd "$1"
	find . -exec touch -h -d @0 {} +
	find . -print0 | LC_ALL=C sort -z |
		cpio --null --create --format=newc --reproducible \
		     --owner=+0:+0 --quiet | gzip -n -1
)

make_initramfs()
{
	local root=$guest/root
	rm -rf "$root"
	fill_root "$root"
	pack "$root" >"$guest/initramfs.gz"
}
