# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kernel modules, cross-built against Debian's stock kernels.

# A remark about the compiler is none about the code: Debian's cross-compiler
# has another name than the one that built the kernel.
show_warnings()
{
	grep -i warning "$1" | grep -v 'warning: the compiler differs'
}

# build_dmacpy TREE: a warning is an error. What had one is built anew the
# next time, as it would not be seen again otherwise.
build_dmacpy()
{
	local out=$build/$1/dmacpy log=$build/$1/dmacpy.log status=0
	mkdir -p "$build/$1"
	# shellcheck disable=SC2046 # two arguments
	make -s -C "$top" modules KDIR="$(kernel_build_dir "$1")" \
		MODULES_OUT="$out" $(kernel_make_args "$1") \
		>"$log" 2>&1 || status=1
	cat "$log"
	! show_warnings "$log" >/dev/null || status=1
	[ "$status" -eq 0 ] || rm -rf "$out"
	return "$status"
}

# zynqmp_dma.c includes "../dmaengine.h"
build_dma()
{
	local from out=$build/6.12-arm64/dma
	from=$(kernel_source_dir)/drivers/dma
	mkdir -p "$out"
	install -p -m 644 "$from/dmatest.c" "$from/xilinx/zynqmp_dma.c" "$out"
	install -p -m 644 "$from/dmaengine.h" "$build/6.12-arm64"
	install -p -m 644 "$top/qemu/dma.Kbuild" "$out/Kbuild"
	# shellcheck disable=SC2046 # two arguments
	make -s -C "$(kernel_build_dir 6.12-arm64)" M="$out" \
		$(kernel_make_args 6.12-arm64) modules
}

# The engine that fails on command, for the tests.
build_fake_dma()
{
	local out=$build/6.12-arm64/fake
	mkdir -p "$out"
	install -p -m 644 "$top"/kunit/{Kbuild,dmacpy_fake_dma.c} "$out"
	# shellcheck disable=SC2046 # two arguments
	make -s -C "$(kernel_build_dir 6.12-arm64)" M="$out" \
		$(kernel_make_args 6.12-arm64) W=1 modules
}
