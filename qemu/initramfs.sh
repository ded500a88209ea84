# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's file system. The same input gives the same bytes.

install_stock_module()
{
	local file
	file=$(kernel_module "$1")
	xz -dc "$file" >"$2/lib/modules/$1.ko"
}

# The names of all tests that have been built.
guest_tests()
{
	local source name
	for source in "$top"/userspace/tests/*.{c,sh}; do
		name=${source##*/}
		name=${name%.*}
		[ ! -x "$build/userspace/tests/$name" ] || echo "$name"
	done
}

fill_root()
{
	local out=$build/6.12-arm64
	mkdir -p "$1"/{bin,dev,proc,sys,tmp,lib/modules,tests}
	install -m 755 "$top/qemu/guest/init" "$1/init"
	install -m 755 "$(guest_busybox)" "$1/bin/busybox"
	install_stock_module virtio_mmio "$1"
	install_stock_module virtio_blk "$1"
	install -m 644 "$out"/dma/*.ko "$out"/fake/*.ko \
		"$out"/dmacpy/driver/*.ko "$1/lib/modules"
	install -m 755 "$build/userspace/dmacpy" \
		"$build/userspace/examples/tilefilter" "$1/bin"
	guest_tests | xargs -I{} install -m 755 "$build/userspace/tests/{}" \
		"$1/tests"
}

make_initramfs()
{
	local root=$build/root
	rm -rf "$root"
	fill_root "$root"
	find "$root" -exec touch -h -d @0 {} +
	(cd "$root" && find . -print0 | LC_ALL=C sort -z |
		cpio --null --create --format=newc --reproducible \
		     --owner=+0:+0 --quiet | gzip -n -1) >"$build/initramfs.gz"
}
