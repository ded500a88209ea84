# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernel modules, cross-built against Debian's stock kernels or with a kernel of
# ours. Those for the guest are collected in build/TREE/modules.

# A remark about the tools is none about the code: the host has others than those
# that built the kernel.
show_warnings()
{
	grep -i warning "$1" |
		grep -Ev 'warning: (the compiler|pahole version) differs'
}

# add_modules TREE FILE...: to those that the guest gets
add_modules()
{
	local to=$build/$1/modules
	shift
	mkdir -p "$to"
	install -m 644 -t "$to" "$@"
}

# With the kernel and all of its modules.
make_dmacpy_in_tree()
{
	local objects image modules
	objects=$(kernel_build_dir "$1")
	image=$(kernel_image_name "$1")
	build_kernel "$1" "$image" modules
	install -m 644 "$objects"/arch/*/boot/"$image" "$build/$1/image"
	mapfile -t modules < <(sed "s,.*,$objects/&,; s/o$/ko/" \
		"$objects/modules.order")
	add_modules "$1" "${modules[@]}"
}

# lacking_symbols MODULE: what compilers call, and 32-bit Arm does not have. All
# else that a module asks of a kernel is declared in its headers.
lacking_symbols()
{
	arm-linux-gnueabihf-nm --undefined-only --format=just-symbols "$1" |
		grep -E '^__(aeabi_.*|.*[sd]i[23])$' | sort |
		comm -23 - <(sed -n 's/^EXPORT_SYMBOL(\(.*\));/\1/p' \
			"$kernel_tree"/arch/arm/kernel/*.c | sort)
}

# The data cache of that CPU has aliases: REGISTER has to be refused, so nothing
# is left in the module that could pin memory of a program.
aliased_pins()
{
	arm-linux-gnueabihf-nm --undefined-only --format=just-symbols "$1" |
		grep '^pin_user_pages' || true
}

# The module for at91-armv5: an ARMv5 alone, of the AT91 that it is for. Its
# kernel is not built, so what it asks of that is not known to kbuild.
make_dmacpy_alone()
{
	local objects module=drivers/misc/dmacpy/dmacpy.ko
	objects=$(kernel_build_dir "$1")
	lock_directory "$cache/$kernel_tree_name"
	place_in_kernel_tree
	mkdir -p "$objects"
	sed '/ARCH_MULTI_V4T/d; $a CONFIG_DMACPY=m' \
		"$kernel_tree/arch/arm/configs/at91_dt_defconfig" \
		>"$objects/wanted.config"
	make_in_kernel_tree "$1" KCONFIG_ALLCONFIG="$objects/wanted.config" \
		alldefconfig
	make_in_kernel_tree "$1" -j"$(nproc)" modules_prepare
	make_in_kernel_tree "$1" W=1 KBUILD_MODPOST_WARN=1 "$module" 2>&1 | sed \
		-e '/vmlinux.o is missing/,/your own risk/d' \
		-e '/modpost: .* undefined!$/d' \
		-e '/modpost: suppressed .* unresolved symbol/d'
	lacking_symbols "$objects/$module" | sed 's/^/warning: undefined: /'
	aliased_pins "$objects/$module" | sed 's/^/warning: aliased memory: /'
	add_modules "$1" "$objects/$module"
}

make_dmacpy()
{
	local out=$build/$1/dmacpy
	# shellcheck disable=SC2046 # several arguments
	make -s -C "$top" modules KDIR="$(kernel_build_dir "$1")" \
		MODULES_OUT="$out" $(kernel_make_args "$1")
	add_modules "$1" "$out/driver/dmacpy.ko"
}

# remove_dmacpy TREE: what was built of it
remove_dmacpy()
{
	rm -rf "$build/$1"/{dmacpy,modules/dmacpy.ko}
	is_stock "$1" ||
		rm -rf "$(kernel_build_dir "$1")/drivers/misc/dmacpy"
}

# build_dmacpy TREE: a warning is an error. What had one is built anew the
# next time, as it would not be seen again otherwise.
build_dmacpy()
{
	local log=$build/$1/dmacpy.log make=make_dmacpy_in_tree
	mkdir -p "$build/$1"
	case $1 in
	[0-9]* | newest-*) make=make_dmacpy ;;
	at91-*) make=make_dmacpy_alone ;;
	esac
	attempt "$make" "$1" >"$log" 2>&1
	cat "$log"
	[ "$attempt_status" -eq 0 ] && ! show_warnings "$log" >/dev/null &&
		return
	remove_dmacpy "$1"
	return 1
}

# dma_kbuild: prints the Kbuild of what Debian's kernels leave out: dmaengine's own
# test, and the drivers of the engines of the 64-bit boards, out of tree; one of them
# also with interrupts that come late.
dma_kbuild()
{
	cat <<-'EOT'
		obj-m := dmatest.o
		obj-m += $(if $(CONFIG_ARM64),zynqmp_dma.o zynqmp_dma_late.o)
		obj-m += $(if $(CONFIG_RISCV),sf-pdma.o)
	EOT
}

# build_dma TREE. The engines' drivers include headers of the directory above.
build_dma()
{
	local from out=$build/$1/dma
	from=$(kernel_source_dir "$1")/drivers/dma
	mkdir -p "$out"
	install -p -m 644 "$from/dmatest.c" "$from/xilinx/zynqmp_dma.c" \
		"$from"/sf-pdma/sf-pdma.[ch] "$out"
	install -p -m 644 "$from"/{dmaengine,virt-dma}.h "$build/$1"
	install -p -m 644 "$top/kunit/zynqmp_dma_late.c" \
		"$top/driver/dmacpy_compat.h" "$out"
	dma_kbuild >"$out/Kbuild"
	# shellcheck disable=SC2046 # several arguments
	make -s -C "$(kernel_build_dir "$1")" M="$out" \
		$(kernel_make_args "$1") modules
	add_modules "$1" "$out"/*.ko
}

# build_test_modules TREE: the engine that fails on command, a device without
# hardware, and the least that copies cost
build_test_modules()
{
	local out=$build/$1/kunit
	mkdir -p "$out"
	install -p -m 644 "$top"/kunit/{Kbuild,dmacpy_fake_dma.[ch]} \
		"$top"/kunit/dmacpy_{floor,sim}.c \
		"$top/driver/dmacpy_compat.h" "$out"
	# shellcheck disable=SC2046 # several arguments
	make -s -C "$(kernel_build_dir "$1")" M="$out" \
		$(kernel_make_args "$1") W=1 modules
	add_modules "$1" "$out"/*.ko
}

# build_engines TREE: what a stock kernel lacks for the tests
build_engines()
{
	build_dma "$1"
	build_test_modules "$1"
}

# install_modules DIRECTORY FILE...: dmacpy, as its users install it, for the guest
# that is selected; before it, the lists of the kernel that depmod reads, and these
# modules, which Debian's kernel lacks
install_modules()
{
	local to=$1 modules args
	shift
	modules=$to/lib/modules/$(kernel_release "$guest_kernel")
	mkdir -p "$modules/extra"
	cp "$(kernel_module "$guest_kernel" virtio_blk |
		sed 's,/kernel/.*,,')"/modules.{builtin*,order} "$modules"
	[ "$#" -eq 0 ] || cp "$@" "$modules/extra"
	read -ra args < <(kernel_make_args "$guest_kernel")
	make -s -C "$top" modules_install "${args[@]}" \
		KDIR="$(kernel_build_dir "$guest_kernel")" \
		MODULES_OUT="$guest/dmacpy" INSTALL_MOD_PATH="$to"
}
