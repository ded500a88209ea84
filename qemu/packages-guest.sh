# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The packages for arm64 in a Debian of that architecture that QEMU boots from a
# disk: in the first boot apt installs them, in the second systemd and udev are to
# find the device. DKMS is not among them: its compiler would run for an hour in
# QEMU. What it would build is what "make modules_install" installs.

# make_root DIRECTORY: without systemd, which the host's own may not be able to
# configure: it and the packages are in /packages, for the first boot.
make_root()
{
	remove_chroot "$1"
	mkdir -p "$1"
	# shellcheck disable=SC2016 # mmdebstrap's shell expands it
	release_sources "$release" | head -n 1 | mmdebstrap --quiet \
		--mode=chrootless --variant=minbase --architectures=arm64 \
		--include=kmod,libdrm2,liburing2 --customize-hook='
			mkdir -p "$1/packages/partial"
			APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --yes -qq \
				-o Dir::Cache::Archives="$1/packages" \
				--no-install-recommends --download-only \
				install systemd-sysv udev' "$release" "$1" -
	mkdir "$1/packages/dmacpy"
	cp "$out"/{libdmacpy0,dmacpy,dmacpy-tests}_*_arm64.deb \
		"$1/packages/dmacpy"
	install "$top"/qemu/guest/packages-{install,check} "$1/packages"
}

# The engine's driver, which Debian's kernel lacks, and what depmod reads
install_modules()
{
	local modules args
	modules=$1/lib/modules/$(kernel_release "$guest_kernel")
	mkdir -p "$modules/extra"
	cp "$(dirname "$(kernel_module "$guest_kernel" virtio_blk |
		sed 's,/kernel/.*,/x,')")"/modules.{builtin*,order} "$modules"
	cp "$guest/modules/zynqmp_dma.ko" "$modules/extra"
	read -ra args < <(kernel_make_args "$guest_kernel")
	make -s -C "$top" modules_install "${args[@]}" \
		KDIR="$(kernel_build_dir "$guest_kernel")" \
		MODULES_OUT="$guest/dmacpy" INSTALL_MOD_PATH="$1"
}

# What mounts the disk. A module that the kernel lacks is built in.
disk_modules=(virtio_mmio virtio_blk crc16 crc32c_generic libcrc32c mbcache jbd2
	      ext4)

make_disk_initramfs()
{
	local root=$1 name file
	rm -rf "$root"
	mkdir -p "$root"/{bin,dev,disk,modules,proc}
	install -m 755 "$(busybox arm64)" "$root/bin/busybox"
	install -m 755 "$top/qemu/guest/packages-init" "$root/init"
	for name in "${disk_modules[@]}"; do
		file=$(kernel_module "$guest_kernel" "$name")
		case $file in
		*.xz) xz -dc "$file" >"$root/modules/$name.ko" ;;
		*.ko) cp "$file" "$root/modules" ;;
		*) continue ;;
		esac
		echo "$name.ko" >>"$root/modules/list"
	done
	pack "$root" >"$root.gz"
}

prepare_disk()
{
	make_root "$out/arm64"
	install_modules "$out/arm64"
	make_disk_initramfs "$out/initramfs"
	rm -f "$out/disk.img"
	mke2fs -q -t ext4 -d "$out/arm64" "$out/disk.img" 2G
	remove_chroot "$out/arm64"
}

# boot_disk NAME SECONDS OPTION...: of the kernel's command line; prints what the
# guest prints to its second serial port
boot_disk()
{
	local log=$out/$1.log seconds=$2 disk=$out/disk.img
	shift 2
	timeout --foreground "$seconds" "${machine[@]}" -display none \
		-monitor none -no-reboot -nic none \
		-serial file:"$log" -serial stdio \
		-kernel "$(kernel_image "$guest_kernel")" \
		-initrd "$out/initramfs.gz" -dtb "$guest_dtb" \
		-append "$command_line panic=-1 $*" \
		-drive file="$disk",format=raw,"$drive" \
		"${devices[@]}" </dev/null 2>"$out/qemu.log" ||
		{ tail -n 30 "$log"; return 1; }
}

# The guest prints the frame of judge.py itself.
guest_suites()
{
	boot_disk install 1800 init=/packages/packages-install
	boot_disk check 1800 systemd.run=/packages/packages-check \
		systemd.run_success_action=reboot \
		systemd.run_failure_action=reboot
}
