#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/packages.sh build|test
#
# make packages: Debian packages of $DEB_ARCH, by default of all three architectures,
# built in a chroot of Debian 13 and passed by lintian, in build/packages.
# make test-packages: these, built if there are none, are installed, tried and purged in another chroot; and
# those for arm64 in a Debian that QEMU boots before and after. Prints KTAP in
# short. A chroot that something failed in stays in build/packages.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"

release=trixie
out=$build/packages
read -ra archs <<<"${DEB_ARCH:-amd64 arm64 armhf}"

# What debian/control asks for, with its libraries for each architecture
builder_packages=(build-essential debhelper dh-dkms dh-python linux-source
		  lintian python3)
for arch in "${archs[@]}"; do
	builder_packages+=({libdrm-dev,liburing-dev,pkgconf}:"$arch")
	[ "$arch" = amd64 ] || builder_packages+=("crossbuild-essential-$arch")
done

# What the packages recommend or depend on, so that removing them has to leave what
# was there before. The module is built for the release's own kernel.
machine_packages=(autopkgtest dkms dpkg-dev gcc libc6-dev libdrm2 liburing2
		  linux-headers-amd64 pkgconf python3 systemd-standalone-sysusers)

# make_chroot DIRECTORY ARCHITECTURES PACKAGE...: without the updates of the release,
# whose index may be in the middle of a sync
make_chroot()
{
	local to=$1 arch_list=$2 packages
	shift 2
	packages=$(IFS=, && echo "$*")
	remove_chroot "$to"
	mkdir -p "$to"
	release_sources "$release" | sed -n 1p | mmdebstrap --quiet \
		--variant=minbase --architectures="$arch_list" \
		--include="$packages" "$release" "$to" -
	cp /etc/resolv.conf /etc/hosts "$to/etc"
}

# in_chroot DIRECTORY COMMAND...: the mounts and all processes end with it.
in_chroot()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount --pid --fork --kill-child bash -eu -c '
		mount -t proc proc "$1/proc"
		mount -t sysfs sysfs "$1/sys"
		mount --rbind /dev "$1/dev"
		exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			sh -eu -c "$2"
	' bash "$1" "$2" </dev/null
}

remove_chroot()
{
	rm -rf --one-file-system "${1:?}"
}

# build_arch ARCH: all that is for it; with the first one also what is for all, and
# the source. lintian reads the .changes of each.
build_arch()
{
	local what=--build=any
	[ "$1" != "${archs[0]}" ] || what=--build=full
	copy_tree "$out/builder/build/$1/dmacpy"
	in_chroot "$out/builder" "cd /build/$1/dmacpy &&
		DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage --host-arch $1 \
			-us -uc $what"
}

lint_arch()
{
	in_chroot "$out/builder" "cd /build/$1 && lintian --allow-root --info \
		--fail-on error,warning --display-level '>=warning' ./*.changes"
}

build_packages()
{
	local arch
	mkdir -p "$out"
	step "making a chroot of $release to build in" make_chroot \
		"$out/builder" "$(IFS=, && echo "amd64,${archs[*]}")" \
		"${builder_packages[@]}"
	for arch in "${archs[@]}"; do
		step "building for $arch" build_arch "$arch"
		step "lintian for $arch" lint_arch "$arch"
	done
	rm -f "$out"/*.{deb,dsc,changes,buildinfo,tar.xz}
	cp "$out"/builder/build/*/*.* "$out"
	remove_chroot "$out/builder"
}

# suite NAME TEST...: the functions, each in its turn
suite()
{
	local name=$1 number=0 failed=0 test
	shift
	printf '#@ suite %s\n1..%d\n' "$name" $#
	for test; do
		attempt "$test" >"$out/$test.log" 2>&1
		if [ "$attempt_status" -ne 0 ]; then
			tail -n 30 "$out/$test.log" | sed 's/^/# /'
			printf 'not '
			failed=1
		fi
		echo "ok $((number += 1)) $test"
	done
	echo "#@ exit $failed"
}

# Logs are not compared, nor the key that DKMS makes before it first signs a module.
list_files()
{
	in_chroot "$out/machine" 'find / -xdev \( -path /proc -o -path /sys -o \
		-path /dev -o -path /packages -o -path /tmp -o -path /var/log -o \
		-path /var/cache -o -path /var/lib/apt -o \
		-path "/var/lib/dkms/mok.*" \) -prune -o -print' | sort
}

make_machine()
{
	make_chroot "$out/machine" amd64 "${machine_packages[@]}"
	mkdir "$out/machine/packages"
	cp "$out"/*.{dsc,tar.xz} "$out"/*_{amd64,all}.deb \
		"$out/machine/packages"
	list_files >"$out/before"
}

# Catches: a dependency that is missing, a file of two packages.
install_them()
{
	in_chroot "$out/machine" 'apt-get install --yes --no-install-recommends \
		/packages/*.deb'
}

# Catches: a source that DKMS cannot build, or a module that depmod does not know.
dkms_builds()
{
	# shellcheck disable=SC2016 # the shell in the chroot expands it
	in_chroot "$out/machine" '
		dkms status
		dkms status dmacpy | grep installed
		modinfo -k "$(basename /lib/modules/*)" dmacpy_fake_dma
		modinfo -k "$(basename /lib/modules/*)" -F softdep dmacpy-sim |
			grep dmacpy_fake_dma
		modinfo -k "$(basename /lib/modules/*)" -F alias dmacpy |
			grep linux,sram-dmacpy'
}

# Catches: a group that is not made, a tool that does not run.
tool_runs()
{
	in_chroot "$out/machine" '
		getent group dmacpy
		dmacpy list && exit 1
		dmacpy list 2>&1 | grep "module"'
}

# Catches: a library or a program that can be attacked more easily than Debian's.
binaries_are_hardened()
{
	local file
	for file in "$out"/machine/usr/bin/dmacpy \
		    "$out"/machine/usr/lib/*/libdmacpy.so.0; do
		readelf --dynamic "$file" | grep BIND_NOW
		readelf --program-headers "$file" | grep GNU_RELRO
		readelf --wide --symbols "$file" | grep __stack_chk_fail
	done
	# The library has no call that could be checked.
	readelf --wide --symbols "$out/machine/usr/bin/dmacpy" | grep _chk@
	readelf --dynamic "$out/machine/usr/bin/dmacpy" | grep libdmacpy.so.0
}

purge_them()
{
	in_chroot "$out/machine" 'dpkg --purge dmacpy-dkms dmacpy-tests dmacpy \
		python3-dmacpy libdmacpy-dev libdmacpy0'
}

nothing_is_left()
{
	list_files | diff "$out/before" -
}

# Catches: what debian/tests finds. That of DKMS wants a machine to itself, and has
# nothing that was not tried before.
autopkgtests_pass()
{
	in_chroot "$out/machine" 'apt-get update
		autopkgtest --no-built-binaries --test-name=program \
			--test-name=python \
			/packages/*.deb /packages/dmacpy_*.dsc -- null'
}

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
	release_sources "$release" | sed -n 1p | mmdebstrap --quiet \
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
	pack "$root" | gzip -n -1 >"$root.gz"
}

prepare_disk()
{
	make_root "$out/arm64"
	install_modules "$out/arm64" "$guest/modules/zynqmp_dma.ko"
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

test_packages()
{
	suite machine make_machine install_them dkms_builds tool_runs \
		binaries_are_hardened purge_them nothing_is_left \
		autopkgtests_pass
	prepare_disk >"$out/disk.log" 2>&1
	guest_suites
}

[ "$(id -u)" -eq 0 ] || die "this makes and enters chroots: run it as root"
need_host_packages fresh
lock_directory "$out"
build_steps=$((1 + 2 * ${#archs[@]}))
case $1 in
build)
	steps=$build_steps
	build_packages
	printf 'packages are in %s\n' "${out#"$PWD"/}"
	;;
test)
	select_guest versal/6.12-arm64
	need_guest_packages "$guest_kernel"
	steps=$(($(guest_prepare_steps) + 1))
	lock_build
	if ! compgen -G "$out/dmacpy_*.dsc" >/dev/null; then
		: $((steps += build_steps))
		build_packages
	fi
	prepare_guest
	step "building dmacpy" build_dmacpy "$guest_kernel"
	{
		echo '#@ suites machine install check'
		test_packages
	} | tee "$out/full.log" | "$top/qemu/judge.py" suites
	remove_chroot "$out/machine"
	rm "$out/disk.img"
	;;
esac
