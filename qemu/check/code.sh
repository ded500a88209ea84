# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Checks of C without building it: style, documentation, architecture.

# checkpatch_in DIRECTORY: all files in it, with its .checkpatch.conf. It leaves
# files behind where it runs.
checkpatch_in()
{
	local files
	cd "$1"
	mapfile -t files < <(find -L -- * -name '*.[ch]' -o -name Kbuild \
		-o -name Kconfig)
	"$(kernel_source_dir 6.12-arm64)/scripts/checkpatch.pl" --root=. --strict \
		--terse --show-types --no-summary \
		--typedefsfile "$top/qemu/check/typedefs" -f "${files[@]}" |
		sed 's,^include/uapi/,uapi/,'
}

# The driver's part is shown as in a kernel tree: there are rules for
# include/uapi and for what has to be in a binding.
check_checkpatch()
{
	local bindings=Documentation/devicetree/bindings
	mkdir -p "$work"/{kernel,user}/include "$work/test" \
		"$work/kernel/$bindings"
	cp -r "$top/$bindings/misc" "$work/kernel/$bindings"
	ln -s "$(kernel_source_dir 6.12-arm64)/$bindings/vendor-prefixes.yaml" \
		"$work/kernel/$bindings"
	ln -s "$top/uapi" "$work/kernel/include"
	ln -s "$top"/{driver,Kconfig,.checkpatch.conf} "$work/kernel"
	ln -s "$top"/{kunit,kunit/.checkpatch.conf} \
		"$work/kernel/Documentation" "$work/test"
	ln -s "$top"/{userspace,userspace/.checkpatch.conf} "$work/user"
	(checkpatch_in "$work/kernel") || true
	(checkpatch_in "$work/test") || true
	(checkpatch_in "$work/user") || true
}

check_kernel_doc()
{
	"$(kernel_source_dir 6.12-arm64)/scripts/kernel-doc" -none -Wall -Werror \
		driver/*.[ch] kunit/*.[ch] uapi/linux/*.h \
		userspace/lib/*.[ch] userspace/include/*.h
}

# The blocks of C in the documents compile.
check_snippets()
{
	python3 qemu/check/snippets.py "$work" cc -fsyntax-only -Wall -Wextra \
		-Werror -Wno-unused -D_GNU_SOURCE -Iuapi -Iuserspace/include \
		-Iqemu/check -- README.md Documentation/*.rst userspace/man/*.3
}

check_documented()
{
	python3 qemu/check/functions.py documented driver/*.c kunit/*.c
}

check_lengths()
{
	local files
	python3 qemu/check/functions.py lengths driver/*.c
	python3 qemu/check/functions.py lengths kunit/*.c
	mapfile -t files < <(tree_files -path './userspace/*.c')
	python3 qemu/check/functions.py lengths "${files[@]}"
}

# wall PATTERN FILE...: the pattern is in these files of the driver, or none.
wall()
{
	local pattern=$1 files
	shift
	mapfile -t files < <(printf 'driver/%s\n' "$@" |
		grep -vxFf - <(tree_files -path './driver/*.[ch]'))
	pattern_in "$pattern" "${files[@]}"
}

check_walls()
{
	wall '\<__user\>' dmacpy_ioctl.c dmacpy_ioctl.h dmacpy_uring.c \
		dmacpy_cdev.c
	wall '<linux/dmaengine\.h>' dmacpy_engine.c
	wall '\<dma_fence_signal' dmacpy_fence.c
	wall '<linux/genalloc\.h>' dmacpy_pool.c
}

# syzkaller calls what the header says.
check_syzkaller()
{
	python3 qemu/check/syzkaller.py uapi/linux/dmacpy.h \
		userspace/tests/syzkaller/dmacpy.txt
}

# make series has a place for each file.
check_series()
{
	python3 upstream/series.py --check 2>&1
}

# The page on engines has what the kernel, the driver and the tests have.
check_engines()
{
	python3 qemu/check/engines.py "$(kernel_source_dir 6.12-arm64)"
}

# Data flows one way: a file includes headers to its right, or shared ones.
check_includes()
{
	grep -H '^#include "dmacpy_' driver/*.[ch] | awk -F '[/:".]' \
		-v flow='drv node heap board debugfs device cdev sysfs uring ioctl submit
			stream queue event handle job plan sync buf export recovery chan testcopy token engine map pool
			fence account report' \
		-v shared='device stream compat fifo turns trace param power' \
		-f qemu/check/includes.awk
}
