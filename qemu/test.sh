#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/test.sh [TREE]
#
# make test, make test-debug: all suites, on the host and in the guest, which
# boots the kernel TREE (see kernel.sh), 6.12-arm64 by default. Prints KTAP in
# short; everything is in build/test/ or, of another kernel, build/test-TREE/.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
guest_kernel=${1:-6.12-arm64}
. "$top/qemu/guest-files.sh"

# trees: the kernels to build for. instruments: the suite that only a debug
# kernel has. seconds: the guest may take.
case $guest_kernel in
debug-*)
	out=$build/test-$guest_kernel
	trees=("$guest_kernel")
	instruments=instruments
	seconds=2700
	;;
*)
	out=$build/test
	trees=(6.12-arm64 6.1-arm64 6.1-armmp)
	instruments=
	seconds=900
	;;
esac

# suite NAME COMMAND...: the frame that ktap.sh reads
suite()
{
	local status=0
	echo "#@ suite $1"
	shift
	"$@" || status=$?
	printf '\n#@ exit %d\n' "$status"
}

# Does dmacpy build without a warning for each of the kernels? There is no
# module for the guest if it does not for the first.
build_suite()
{
	local number=0 status=0 not tree
	echo "1..${#trees[@]}"
	for tree in "${trees[@]}"; do
		not=
		attempt build_dmacpy "$tree" 2>&1
		[ "$attempt_status" -eq 0 ] || not='not ' status=1
		echo "${not}ok $((number += 1)) $tree"
	done
	return "$status"
}

boot_tests()
{
	install "$top"/qemu/guest/{dmatest,load,unload} \
		${instruments:+"$top/qemu/guest/$instruments"} "$out/in"
	install "$top/qemu/guest/test" "$out/in/task"
	make_initramfs
	boot_guest "$out" "$seconds"
}

log_suite()
{
	"$top/qemu/kernel-log.sh" "$top/qemu/kernel-log-allowed" \
		<"$out/guest.log"
}

all_suites()
{
	printf '#@ suites harness build dmatest-before load %s\n' \
		"$(guest_tests | tr '\n' ' ')"
	echo "#@ suites unload dmatest-after $instruments kernel-log"
	suite harness "$top/qemu/ktap-selftest.sh"
	suite build build_suite
	[ -f "$build/$guest_kernel/dmacpy/driver/dmacpy.ko" ] || return 0
	attempt boot_tests
	suite kernel-log log_suite
}

steps=$((guest_prepare_steps + ${#trees[@]} - 1))
need_host_packages "${guest_packages[@]}" test
prepare_guest all tests
for tree in "${trees[@]:1}"; do
	step "fetching Debian's kernel $tree" fetch_kernel "$tree"
done
rm -rf "$out"
mkdir -p "$out/in"
all_suites | tee "$out/full.log" | "$top/qemu/ktap.sh" | tee "$out/ktap.log"
