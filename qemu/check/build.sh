# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Checks that build something and read what the compilers say: the status of a
# kernel build stays 0 when sparse has warnings.

# The parts of the kernel's source that a build of one driver needs.
kernel_tree_parts=(
	'*Kconfig*' '*Makefile*' Kbuild arch/arm64
	arch/x86/entry/syscalls drivers/misc include kernel/bounds.c
	kernel/time lib/vdso scripts security/selinux/include tools/include
)

kernel_tree=$cache/kernel-tree/usr/src/linux-source-6.12

# make_kernel_tree DIRECTORY: with a place for the driver, drivers/misc/dmacpy.
make_kernel_tree()
{
	local misc=$1/usr/src/linux-source-6.12/drivers/misc version
	version=$(deb_field "$host_arch" linux-source-6.12 Version) || exit
	unpack_source "$version" "$1" "${kernel_tree_parts[@]}"
	sed -i '/^endmenu/i source "drivers/misc/dmacpy/Kconfig"' \
		"$misc/Kconfig"
	echo "obj-\$(CONFIG_DMACPY) += dmacpy/" >>"$misc/Makefile"
}

# warnings_of COMMAND...: all that it says if it fails.
warnings_of()
{
	if "$@" >"$work/log" 2>&1; then
		sort -u "$work/log" | awk 'tolower($0) ~ /warning|error/'
	else
		echo "failed: $*"
		cat "$work/log"
	fi
}

check_sparse()
{
	local args
	read -ra args < <(kernel_make_args 6.12-arm64)
	warnings_of make -s modules "${args[@]}" MODULES_OUT="$work/module" \
		KDIR="$(kernel_build_dir 6.12-arm64)" C=2 W=1
	cp -r kunit "$work"
	warnings_of make -s -C "$(kernel_build_dir 6.12-arm64)" "${args[@]}" \
		M="$work/kunit" C=2 W=1 modules
}

place_in_kernel_tree()
{
	local place=$kernel_tree/drivers/misc/dmacpy
	rm -rf "$place"
	mkdir "$place"
	cp driver/*.[ch] driver/Kbuild Kconfig "$place"
	cp uapi/linux/dmacpy.h "$kernel_tree/include/uapi/linux"
}

# build_in_kernel_tree y|m OUTPUT: the driver's objects are always new, or warnings
# would be seen only once.
build_in_kernel_tree()
{
	local objects=$cache/kernel-tree/objects-$1 make
	make=(make -s -C "$kernel_tree" O="$objects" ARCH=arm64
	      CROSS_COMPILE=aarch64-linux-gnu-)
	mkdir -p "$objects"
	rm -rf "$objects/drivers/misc/dmacpy"
	printf '%s\n' CONFIG_OF=y CONFIG_MODULES=y CONFIG_DMADEVICES=y \
		"CONFIG_DMACPY=$1" >"$objects/all.config"
	warnings_of "${make[@]}" KCONFIG_ALLCONFIG="$objects/all.config" \
		allnoconfig
	grep -qx "CONFIG_DMACPY=$1" "$objects/.config" ||
		echo "Kconfig does not take CONFIG_DMACPY=$1"
	warnings_of "${make[@]}" W=1 drivers/misc/dmacpy/
	grep -q dmacpy_drv "$objects/drivers/misc/dmacpy/$2" ||
		echo "CONFIG_DMACPY=$1 did not put the driver into $2"
}

check_in_tree()
{
	place_in_kernel_tree
	build_in_kernel_tree y built-in.a
	build_in_kernel_tree m dmacpy.o
}

check_symbols()
{
	warnings_of make -s -C userspace O="$work" check-symbols
}

check_device_tree()
{
	local file
	for file in $(tree_files \( -name '*.dts' -o -name '*.dtso' \)); do
		cpp -nostdinc -undef -x assembler-with-cpp "$file" |
			dtc -@ -I dts -O dtb -o /dev/null -
	done
}

# The binding keeps to the rules for bindings, and its examples to it.
check_binding()
{
	local bindings=$top/Documentation/devicetree/bindings file
	file=$bindings/misc/linux,sram-dmacpy.yaml
	dt-doc-validate -u "$bindings" "$file"
	dt-extract-example "$file" >"$work/example.dts"
	dtc -q -O dtb -o "$work/example.dtb" "$work/example.dts"
	dt-mk-schema -j "$file" qemu/check/stub.yaml >"$work/schema.json"
	dt-validate -l dmacpy -s "$work/schema.json" "$work/example.dtb"
}
