# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's file system. The same input gives the same bytes.

# What the guest boots with, and for the tests other drivers that they share
# buffers with. A module that a kernel lacks is built in, or not there at all.
install_stock_modules()
{
	local name file names=("${boot_modules[@]}")
	[ "$guest_purpose" = demo ] || mapfile -t -O "${#names[@]}" names \
		< <(sed '/^#/d; s/ .*//' "$top/qemu/guest/modules")
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

# install_tests DIRECTORY: with all programs, and what these need
install_tests()
{
	mkdir "$1/tests"
	install -m 755 "$guest_userspace/dmacpy" \
		"$guest_userspace"/examples/{directload,drmshare,hello,ioctls} \
		"$guest_userspace"/examples/{ringcopy,tilefilter} \
		"$guest_userspace/tests/bin/untouched" "$1/bin"
	guest_tests | xargs -I{} install -m 755 "$guest_userspace/tests/{}" \
		"$1/tests"
	[ ! -d "$guest_userspace/selftests" ] ||
		install -m 755 -t "$1/bin" "$guest_userspace"/selftests/*
	install -m 755 "$(sysroot_file "$guest_arch" v4l2-ctl)" "$1/bin"
	install -m 644 "$guest_userspace/tests/lib/expbuf.so" "$1/lib"
	install_libraries "$guest_arch" "$1/lib" \
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
	populate_root "$root"
	pack "$root" >"$guest/initramfs.gz"
}
