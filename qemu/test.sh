#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/test.sh stock|boards|debug|long|kcsan|coverage
#
# make test, make test-boards, make test-debug, make test-long, make test-kcsan,
# make coverage: all suites, on the host and in the guests, one after the other.
# Prints KTAP in short; everything is in build/test-NAME/. The variables DMACPY_*
# of the environment, which say how long some tests take, get to the guests.
# make coverage then prints, and leaves in build/test-coverage/lines.txt, which lines
# of the driver have not run.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"

# guests: the boards and kernels to boot, see select_guest; host suites that boot
# one use the first. full: those that run all tests; the others run only those in
# short, if there are any. only: on all, and no unit tests. only_built: the kernels
# that nothing is booted on. host_suites: what is not run by a guest, or in one of
# its own. seconds: a guest may take; suite_seconds: one of its suites.
full=()
short=()
only=()
only_built=()
host_suites=(harness build)
suite_seconds=1800
case $1 in
stock)
	full=(versal/6.12-arm64 versal/newest-arm64)
	guests=("${full[@]}" versal-swiotlb/6.12-arm64 versal/6.12-rt-arm64
		versal/6.1-arm64 smdkc210/6.1-armmp)
	short=(abi async share sram unbind)
	host_suites+=(budgets latency shutdown bpftrace)
	seconds=2700
	;;
boards)
	guests=("${rows[@]}")
	only_built=(at91-armv5)
	[ -z "${GUEST:-}" ] || { guests=("$GUEST") only_built=(); }
	seconds=5400
	suite_seconds=3600
	;;
debug)
	guests=(versal/debug-arm64 versal/debug-rt-arm64 zynq/debug-arm
		versal-swiotlb/debug-heap-arm64)
	[ -z "${GUEST:-}" ] || guests=("$GUEST")
	seconds=5400
	;;
long)
	guests=(versal/debug-arm64 zynq/debug-arm)
	[ -z "${GUEST:-}" ] || guests=("$GUEST")
	only=(crossing fake fuzz storm)
	# More than the tests have together, by their own timeouts.
	seconds=21600
	suite_seconds=14400
	export DMACPY_CYCLES="${DMACPY_CYCLES:-1000}"
	export DMACPY_LOSSES="${DMACPY_LOSSES:-1000}"
	export DMACPY_SECONDS="${DMACPY_SECONDS:-60}"
	export DMACPY_FUZZ_SECONDS="${DMACPY_FUZZ_SECONDS:-1800}"
	;;
kcsan)
	guests=(versal/kcsan-arm64)
	seconds=3600
	# A race is met by chance.
	export DMACPY_SECONDS="${DMACPY_SECONDS:-60}"
	;;
coverage)
	guests=(versal/coverage-arm64)
	seconds=1800
	;;
esac
# Each once, whatever number of boards it is booted on.
mapfile -t trees < <(printf '%s\n' "${guests[@]#*/}" "${only_built[@]}" |
	awk 'NF && !seen[$0]++')
# Those of $trees that dmacpy was built for
built=()
out=$build/test-$1

# What the kernel has seen beside of its log, see guest/suites; a stock one looks for
# nothing.
case $1 in
debug | long) instruments=debug ;;
kcsan | coverage) instruments=$1 ;;
*) instruments= ;;
esac

# suite NAME COMMAND...: the frame that judge.py reads
suite()
{
	local status=0
	echo "#@ suite $1"
	shift
	"$@" || status=$?
	printf '\n#@ exit %d\n' "$status"
}

# Does dmacpy build without a warning for each of the kernels? Not by suite(): in
# what is followed by "||", no command that fails ends what it is part of.
build_suite()
{
	local number=0 status=0 not tree
	echo "#@ suite build"
	echo "1..${#trees[@]}"
	for tree in "${trees[@]}"; do
		not=
		attempt build_dmacpy "$tree" 2>&1
		[ "$attempt_status" -eq 0 ] || not='not ' status=1
		[ -n "$not" ] || built+=("$tree")
		echo "${not}ok $((number += 1)) $tree"
	done
	printf '\n#@ exit %d\n' "$status"
}

# Do copies cost more than they did?
budgets_suite()
{
	select_guest "${guests[0]}"
	echo '#@ suite budgets'
	make_initramfs
	attempt count figures "$out/budgets"
	attempt compare_to_budgets "$out/budgets/figures"
	printf '\n#@ exit %d\n' "$attempt_status"
}

# Do jobs hold up a thread with a real-time priority?
latency_suite()
{
	select_guest versal/6.12-rt-arm64
	echo '#@ suite latency'
	make_initramfs
	attempt count latency "$out/latency"
	cat "$out/latency/figures"
	[ "$attempt_status" -ne 0 ] ||
		attempt_status=$(cat "$out/latency/out/status")
	printf '\n#@ exit %d\n' "$attempt_status"
}

# log_suite LOG: has the kernel complained?
log_suite()
{
	"$top/qemu/judge.py" kernel-log "$top/qemu/kernel-log-allowed" <"$1"
}

# make_task DIRECTORY NAME: of a guest, that function of guest/suites
make_task()
{
	mkdir -p "$1/in/tmp"
	install "$top/qemu/guest/suites" "$1/in/tmp"
	printf '#!/bin/sh\nexec ./suites %s\n' "$2" >"$1/in/tmp/task"
	chmod +x "$1/in/tmp/task"
}

# go_down DIRECTORY KNOB VALUE: of the engine, which has copies in flight then.
# Tracepoints get into the log.
go_down()
{
	make_task "$1" shutdown
	echo "$2 $3" >"$1/in/tmp/engine"
	kernel_options+=' tp_printk'
	boot_guest "$1" 120
}

# test_shutdown NUMBER DIRECTORY LOST KNOB VALUE
test_shutdown()
{
	local log=$2/guest.log not=
	attempt go_down "$2" "$4" "$5" 2>&1
	[ "$attempt_status" -eq 0 ] &&
		"$top/qemu/judge.py" shutdown "$3" <"$log" &&
		log_suite "$log" | sed 's/^/# /' || not='not '
	echo "${not}ok $1 ${2##*/}"
}

# test_shutdowns DIRECTORY: prints KTAP
test_shutdowns()
{
	echo 1..2
	test_shutdown 1 "$1/slow-engine" 0 delay_us 20000
	test_shutdown 2 "$1/hung-engine" 1 hang 1
}

# Does the driver end what is in flight when the guest goes down?
shutdown_suite()
{
	select_guest "${guests[0]}"
	echo '#@ suite shutdown'
	make_initramfs
	attempt test_shutdowns "$out/shutdown"
	printf '\n#@ exit %d\n' "$attempt_status"
}

run_recipes()
{
	make_task "$1" bpftrace
	install_program "$1/in" bpftrace
	boot_guest "$1" 600
	log_suite "$1/guest.log" | sed 's/^/# /'
	return "$(cat "$1/out/status")"
}

# Do the recipes for bpftrace show what jobs do? In a guest for themselves, as
# bpftrace and LLVM take a quarter of its memory.
bpftrace_suite()
{
	select_guest "${guests[0]}"
	echo '#@ suite bpftrace'
	make_initramfs
	attempt run_recipes "$out/bpftrace"
	printf '\n#@ exit %d\n' "$attempt_status"
}

# The suites in the module, each in a file of its name, if they are there.
unit_test_suites()
{
	local file
	[ "${#only[@]}" -eq 0 ] || return 0
	grep -qx CONFIG_DMACPY_KUNIT_TEST=y \
		"$(kernel_build_dir "$guest_kernel")/.config" || return 0
	for file in "$top"/kunit/dmacpy_*_test.c; do
		basename "$file" _test.c
	done
}

# What needs dmacpy in the kernel, or bounce buffers, has guests for itself. So
# has what needs a clock that counts instructions, or bpftrace.
heap_tests=(heap selftest swiotlb)
other_tests=(bpftrace latency)

selected_tests()
{
	if [[ $guest_kernel = *-heap-* ]]; then
		printf '%s\n' "${heap_tests[@]}"
	elif [[ $guest_board = *-swiotlb ]]; then
		echo swiotlb
	elif [ "${#only[@]}" -gt 0 ]; then
		printf '%s\n' "${only[@]}"
	elif [ "${#short[@]}" -gt 0 ] &&
			[[ " ${full[*]} " != *" $guest_board/$guest_kernel "* ]]
	then
		printf '%s\n' "${short[@]}"
	else
		{ guest_tests; guest_tests_32; } | grep -vxF \
			"$(printf '%s\n' "${heap_tests[@]}" "${other_tests[@]}"
			   is_simulated || echo personalities)"
	fi
}

# The engine is not free before dmacpy is loaded if there is nothing to load. One
# that is simulated is there only with the device.
other_suites()
{
	[ ! -f "$guest/modules/dmacpy.ko" ] || is_simulated ||
		echo dmatest-before
	printf '%s\n' load unload
	is_simulated && echo without-board || echo dmatest-after
	[ "${#untouched[@]}" -eq 0 ] ||
		printf '%s\n' untouched-before untouched-after
	[ -z "$instruments" ] || echo instruments
	echo kernel-log
}

# page_commands: prints those of the page "Without a board" that follow "make
# modules_install"
page_commands()
{
	local page=$top/Documentation/without-board.rst
	sed -n 's/^\t\(sudo .*[^ ]\)  *# [45]$/\1/p' "$page"
	# shellcheck disable=SC2016 # nothing to expand
	grep -o '``sudo [^`]*``' "$page" | tr -d '`'
}

# install_page DIRECTORY: these, with modprobe, and modules where it finds them
install_page()
{
	install_program "$1" kmod
	mkdir -p "$1/usr/sbin"
	ln -sf /bin/kmod "$1/usr/sbin/modprobe"
	install_modules "$1" >"${1%/in}/modules_install.log" 2>&1
	page_commands >"$1/tmp/commands"
}

boot_tests()
{
	local to=$1/in/tmp
	mkdir -p "$to"
	install "$top/qemu/guest/suites" "$to"
	install "$top/qemu/guest/test" "$to/task"
	{
		echo "suite_seconds=$suite_seconds"
		echo "instruments=$instruments"
		[ -z "$(unit_test_suites)" ] || echo unit_tests=yes
		env | grep '^DMACPY_' || true
	} >"$to/settings"
	selected_tests >"$to/selected"
	! grep -qx python "$to/selected" || install_python "$1/in"
	! is_simulated || install_page "$1/in"
	make_initramfs
	boot_guest "$1" "$seconds"
}

# guest_suites BOARD/TREE: nothing is booted that dmacpy was not built for.
guest_suites()
{
	select_guest "$1"
	{
		selected_tests
		unit_test_suites
		other_suites
	} | sed 's/^/#@ suites /'
	[[ " ${built[*]} " = *" $guest_kernel "* ]] || return 0
	attempt boot_tests "$out/$1"
	suite kernel-log log_suite "$out/$1/guest.log"
}

# With several guests, suites have the name of theirs before their own.
all_suites()
{
	local guest
	echo "#@ suites ${host_suites[*]}"
	suite harness "$top/qemu/judge-test.py"
	build_suite
	[[ " ${host_suites[*]} " != *' budgets '* ]] || budgets_suite
	[[ " ${host_suites[*]} " != *' latency '* ]] || latency_suite
	[[ " ${host_suites[*]} " != *' shutdown '* ]] || shutdown_suite
	[[ " ${host_suites[*]} " != *' bpftrace '* ]] || bpftrace_suite
	for guest in "${guests[@]}"; do
		guest_suites "$guest" | if [ "${#guests[@]}" -gt 1 ]; then
			sed -u "s,^#@ suites\? ,&$guest/,"
		else
			cat
		fi
	done
}

run_suites()
{
	all_suites | tee "$out/full.log" | "$top/qemu/judge.py" suites |
		tee "$out/ktap.log"
}

# Which lines of the driver have run? What the compiler notes and what the kernel
# counts belong together by name.
count_lines()
{
	local objects
	objects=$(kernel_build_dir coverage-arm64)/drivers/misc/dmacpy
	cp "$out"/versal/coverage-arm64/out/gcov/*.gcda "$objects"
	(
		cd "$objects"
		aarch64-linux-gnu-gcov --json-format --stdout -- *.gcda
		rm -- *.gcda
	) >"$out/lines.json"
	"$top/qemu/coverage.py" "$top" <"$out/lines.json"
}

has_bpftrace=0
[[ " ${host_suites[*]} " != *' bpftrace '* ]] || has_bpftrace=1
steps=$(($(guest_prepare_steps) * ${#guests[@]} + ${#only_built[@]} +
	 has_bpftrace))
need_guest_packages "${trees[@]}"
lock_build
for guest_name in "${guests[@]}"; do
	select_guest "$guest_name"
	prepare_guest
done
for tree in "${only_built[@]}"; do
	step "fetching the source for $tree" fetch_kernel_tree
done
[ "$has_bpftrace" -eq 0 ] ||
	step "fetching bpftrace" \
		fetch_program bpftrace "$(kernel_arch "${guests[0]#*/}")"
rm -rf "$out"
mkdir -p "$out"
attempt run_suites
[ "$1" != coverage ] || count_lines | tee "$out/lines.txt"
[ "$attempt_status" -eq 0 ]
