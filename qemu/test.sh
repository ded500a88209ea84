#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/test.sh stock|debug|kcsan|coverage
#
# make test, make test-debug, make test-kcsan, make coverage: all suites, on the
# host and in the guests, one after the other. Prints KTAP in short; everything
# is in build/test-NAME/. The variables DMACPY_* of the environment, which say
# how long some tests take, get to the guests.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"

# guests: the kernels (TREEs) to boot. trees: those to build dmacpy for.
# seconds: a guest may take.
case $1 in
stock)
	guests=(6.12-arm64)
	trees=(6.12-arm64 6.1-arm64 6.1-armmp)
	seconds=900
	;;
debug)
	guests=(debug-arm64 debug-arm)
	trees=("${guests[@]}")
	seconds=3600
	;;
kcsan)
	guests=(kcsan-arm64)
	trees=("${guests[@]}")
	seconds=3600
	# A race is met by chance.
	export DMACPY_SECONDS="${DMACPY_SECONDS:-60}"
	;;
coverage)
	guests=(coverage-arm64)
	trees=("${guests[@]}")
	seconds=1800
	;;
esac
out=$build/test-$1

# What the kernel has seen beside of its log; a stock one looks for nothing.
instruments=$top/qemu/guest/instruments-$1
[ -f "$instruments" ] || instruments=

# suite NAME COMMAND...: the frame that ktap.sh reads
suite()
{
	local status=0
	echo "#@ suite $1"
	shift
	"$@" || status=$?
	printf '\n#@ exit %d\n' "$status"
}

# Does dmacpy build without a warning for each of the kernels?
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

# The suites in the module, each in a file of its name, if they are there.
unit_test_suites()
{
	local file
	grep -qx CONFIG_DMACPY_KUNIT_TEST=y \
		"$(kernel_build_dir "$guest_kernel")/.config" || return 0
	for file in "$top"/kunit/dmacpy_*_test.c; do
		basename "$file" _test.c
	done
}

boot_tests()
{
	local to=$1/in/tmp
	mkdir -p "$to"
	install "$top"/qemu/guest/{dmatest,load,unload} "$to"
	[ -z "$instruments" ] || install "$instruments" "$to/instruments"
	[ -z "$(unit_test_suites)" ] || install "$top/qemu/guest/kunit" "$to"
	install "$top/qemu/guest/test" "$to/task"
	install -m 644 "$top/qemu/guest/modules" "$to"
	env | grep '^DMACPY_' >"$to/lengths" || true
	make_initramfs
	boot_guest "$1" "$seconds"
}

log_suite()
{
	"$top/qemu/kernel-log.sh" "$top/qemu/kernel-log-allowed" <"$1"
}

# guest_suites TREE: there is no module for the guest if it was not built.
guest_suites()
{
	select_guest "$1"
	printf '#@ suites %s\n' "$(guest_tests | tr '\n' ' ')" \
		"$(unit_test_suites | tr '\n' ' ')" \
		dmatest-before load unload dmatest-after \
		${instruments:+instruments} kernel-log
	[ -f "$guest/modules/dmacpy.ko" ] || return 0
	attempt boot_tests "$out/$1"
	suite kernel-log log_suite "$out/$1/guest.log"
}

# With several guests, suites have the name of theirs before their own.
all_suites()
{
	local tree
	echo "#@ suites harness build"
	suite harness "$top/qemu/ktap-selftest.sh"
	suite build build_suite
	for tree in "${guests[@]}"; do
		guest_suites "$tree" | if [ "${#guests[@]}" -gt 1 ]; then
			sed -u "s,^#@ suites\? ,&$tree/,"
		else
			cat
		fi
	done
}

fetch_other_kernels()
{
	local tree
	for tree in "${trees[@]}"; do
		case $tree in
		6.12-arm64) ;;
		6.*) fetch_kernel "$tree" ;;
		esac
	done
}

steps=$((guest_prepare_steps * ${#guests[@]} + 1))
need_guest_packages "${trees[@]}"
lock_directory "$build"
for tree in "${guests[@]}"; do
	select_guest "$tree"
	prepare_guest all tests
done
step "fetching other kernels" fetch_other_kernels
rm -rf "$out"
mkdir -p "$out"
all_suites | tee "$out/full.log" | "$top/qemu/ktap.sh" | tee "$out/ktap.log"
