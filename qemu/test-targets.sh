#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/test-targets.sh [PATTERN], which names tests, by default all
#
# make test-targets: does each command of make help work as the first one of a
# fresh clone, and does each failure of the machine end with a clear message, and
# leave what the next run works with? Prints KTAP in short, with the commands
# that are left out, as skipped. The cache is what it is, but for what is
# downloaded on purpose.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"

out=$build/targets
number=0
failed=0

# Nobody listens there.
no_network=(env http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9)

# run LOG COMMAND...: its status is in $status, what it prints in the file.
run()
{
	local log=$1
	shift
	status=0
	"$@" >"$log" 2>&1 </dev/null || status=$?
}

# clone NAME: a copy of the tree without build/, in $tree
clone()
{
	tree=$out/$1
	(cd "$top" && copy_tree "$tree")
	log=$out/$1.log
}

# check NAME COMMAND...: a test of KTAP, which passes if the command succeeds
check()
{
	local name=$1
	shift
	attempt "$@"
	if [ "$attempt_status" -eq 0 ]; then
		echo "ok $((number += 1)) $name"
	else
		echo "not ok $((number += 1)) $name"
		failed=1
	fi
}

# suite NAME PATTERN: those of all functions NAME_TEST that it matches, each of
# which is a test
suite()
{
	local tests
	number=0 failed=0
	mapfile -t tests < <(compgen -A function "$1_" |
		grep -xE "$2")
	[ "${#tests[@]}" -gt 0 ] || return 0
	echo "#@ suite $1"
	echo "1..${#tests[@]}"
	for test in "${tests[@]}"; do
		check "$test" "$test"
	done
	echo "#@ exit $failed"
}

# Commands of make help in a copy of the tree without build/. Each checks what the
# command is for: target_NAME does so for make NAME, with _ for -.

# The other commands, each with the reason
declare -A left_out=(
	[test]='.ci/run runs it from an empty build/'
	[check]='.ci/run runs it from an empty build/'
	[test-boards]='runs for hours'
	[test-debug]='runs for hours, and builds kernels'
	[test-long]='runs for hours, and builds kernels'
	[test-kcsan]='runs for an hour, and builds a kernel'
	[coverage]='builds a kernel'
	[guest-debug]='builds a kernel'
	[stress-debug]='builds a kernel'
	[test-series]='builds kernels'
	[check-self-test]='works in copies of the tree anyway'
	[test-targets]='is this test'
	[test-fresh]='works in copies of the tree anyway, as the first command'
	[bench]='bench-check measures the same in less time'
	[packages]='makes a chroot as root, and takes long'
	[test-packages]='makes a chroot as root, and takes long'
	[modules_install]='target_modules runs it after make modules'
	[distclean]='target_clean runs it after make clean'
)

# left_out_suite: these as skipped tests
left_out_suite()
{
	local name
	number=0
	printf '#@ suite left-out\n1..%d\n' "${#left_out[@]}"
	for name in $(printf '%s\n' "${!left_out[@]}" | sort); do
		echo "ok $((number += 1)) make $name # SKIP ${left_out[$name]}"
	done
	echo '#@ exit 0'
}

# expect COMMAND...: it succeeds, or the end of the log is shown.
expect()
{
	"$@" && return
	tail -n 20 "$log" | sed 's/^/# /'
	echo "# status $status, and not: $*"
	return 1
}

# make_in_clone NAME ARGUMENT...
make_in_clone()
{
	clone "$1"
	run "$log" make -C "$tree" "${@:2}"
}

# said PATTERN: in what the command printed?
said()
{
	grep -Eq -- "$1" "$log"
}

# Catches: make run that needs what only make test makes.
target_run()
{
	make_in_clone run run
	expect [ "$status" -eq 0 ]
	expect grep -qx 'bit-exact: yes' "$tree/build/run/report.txt"
	expect [ -s "$tree/build/run/result.png" ]
}

# Catches: the exit status or the output of the guest's command that is lost.
target_guest()
{
	make_in_clone guest guest CMD='dmacpy info; exit 3'
	expect [ "$status" -ne 0 ]
	expect said '^SRAM'
	expect said '^exit status 3,'
}

target_bench_check()
{
	make_in_clone bench-check bench-check
	expect [ "$status" -eq 0 ]
	expect said '^ok 1 wait '
}

target_stress()
{
	make_in_clone stress stress SECONDS=5 SEED=1
	expect [ "$status" -eq 0 ]
	expect said '^ok 1 '
}

# Catches: modules that modprobe does not find, as nothing ran depmod.
target_modules()
{
	local args installed
	read -ra args < <(kernel_make_args 6.12-arm64)
	make_in_clone modules modules \
		KDIR="$(kernel_build_dir 6.12-arm64)" "${args[@]}"
	expect [ "$status" -eq 0 ]
	expect grep -q dmacpy "$tree/build/modules/driver/dmacpy.ko"
	installed=$tree/root/lib/modules/$(kernel_release 6.12-arm64)
	mkdir -p "$installed"
	touch "$installed"/modules.{builtin,builtin.modinfo,order}
	run "$log" make -C "$tree" modules_install "${args[@]}" \
		KDIR="$(kernel_build_dir 6.12-arm64)" INSTALL_MOD_PATH="$tree/root"
	expect [ "$status" -eq 0 ]
	expect [ -n "$(find "$installed" -name 'dmacpy.ko*')" ]
	expect [ -n "$(find "$installed" -name 'dmacpy_sim.ko*')" ]
	expect grep -q dmacpy_sim.ko "$installed/modules.dep"
}

# Catches: a cross-build that takes what a native one has left for up to date.
target_userspace()
{
	make_in_clone userspace userspace
	expect [ "$status" -eq 0 ]
	expect [ -s "$tree/build/native/libdmacpy.a" ]
	expect [ -x "$tree/build/native/examples/hello" ]
	run "$log" "$tree/build/native/dmacpy" --version
	expect [ "$status" -eq 0 ]
	run "$log" make -C "$tree" userspace CROSS_COMPILE=aarch64-linux-gnu-
	expect [ "$status" -eq 0 ]
	run "$log" file "$tree/build/aarch64-linux-gnu/dmacpy"
	expect said aarch64
}

target_docs()
{
	make_in_clone docs docs
	expect [ "$status" -eq 0 ]
	expect said "^read $tree/build/docs/html/index.html"
	expect grep -q dmacpy_job_submit "$tree/build/docs/html/library.html"
}

# Catches: an ABI that is not written. The text depends on the version of abidw.
target_abi()
{
	local stored=userspace/lib/libdmacpy.abi
	clone abi
	echo >"$tree/$stored"
	run "$log" make -C "$tree" abi
	expect [ "$status" -eq 0 ]
	expect abidiff --no-show-locs "$top/$stored" "$tree/$stored"
}

target_series()
{
	make_in_clone series series KERNEL=6.12
	expect [ "$status" -eq 0 ]
	expect said '^patches are in build/series$'
	expect grep -q '^+++ b/drivers/misc/dmacpy/' \
		"$tree"/build/series/6.12/*.patch
}

# A kernel that has come since README was written is no fault of the command.
target_check_kernels()
{
	make_in_clone check-kernels check-kernels
	[ "$status" -eq 0 ] || says 'Debian serves Linux'
	expect said '^arm64 +6\.12 +versal/6\.12-arm64'
	expect said '^amd64 +6\.12 +pc/6\.12-amd64'
}

# Catches: a cache that is removed beside the one that is meant.
target_clean()
{
	clone clean
	empty_cache clean
	mkdir "$tree/build" "$other_cache/other"
	run "$log" make -C "$tree" clean
	expect [ "$status" -eq 0 ]
	expect [ ! -e "$tree/build" ]
	run "$log" env XDG_CACHE_HOME="$other_cache" make -C "$tree" distclean
	expect [ "$status" -eq 0 ]
	expect [ ! -e "$other_cache/dmacpy" ]
	expect [ -d "$other_cache/other" ]
}

# has_place NAME: does a test run this command, or has it a reason for none?
has_place()
{
	declare -F "target_${1//-/_}" >/dev/null || [ -n "${left_out[$1]:-}" ]
}

# Catches: a command of make help that is none, and one without a test.
target_help()
{
	local targets name
	make_in_clone help help
	expect [ "$status" -eq 0 ]
	mapfile -t targets < <(sed -n 's/^make \([a-z_-]*\).*/\1/p' "$log")
	expect [ "${#targets[@]}" -gt 15 ]
	for name in "${targets[@]}" "${!left_out[@]}"; do
		expect grep -q "^$name:" "$tree/Makefile"
		expect has_place "$name"
	done
}

# The machine fails: each run must say why in one line, exit with a status that is not
# 0, and leave what the next run works with.

# says PATTERN: the run failed, for a reason that it gives in a line of its own, and
# no shell or interpreter has complained.
says()
{
	expect [ "$status" -ne 0 ]
	expect said "^error: .*$1"
	! said 'unbound variable|syntax error|line [0-9]+: .*(not found|: No such)|Traceback' ||
		expect false
}

# works COMMAND...: so does make run, in $tree.
works()
{
	run "$log" "$@" make -C "$tree" run
	expect [ "$status" -eq 0 ]
	expect grep -qx 'bit-exact: yes' "$tree/build/run/report.txt"
}

# empty_cache NAME: makes XDG_CACHE_HOME for one
empty_cache()
{
	other_cache=$out/$1-cache
	rm -rf "$other_cache"
	mkdir -p "$other_cache/dmacpy"
}

# thin_cache NAME: the same, in which only something small is missing
thin_cache()
{
	empty_cache "$1"
	ln -s "$cache"/{"$(kernel_name 6.12-arm64)",photo} "$other_cache/dmacpy"
}

# in_namespace COMMAND...: with mounts of its own
in_namespace()
{
	if [ "$(id -u)" -eq 0 ]; then
		unshare --mount "$@"
	else
		unshare --map-root-user --mount "$@"
	fi
}

# Catches: an error that names nothing but a package.
failure_no_network()
{
	clone no-network
	empty_cache no-network
	run "$log" "${no_network[@]}" XDG_CACHE_HOME="$other_cache" \
		make -C "$tree" run
	says 'is the network up'
	thin_cache no-network
	run "$log" "${no_network[@]}" XDG_CACHE_HOME="$other_cache" \
		make -C "$tree" run
	says 'is the network up'
	works env XDG_CACHE_HOME="$other_cache"
}

# Catches: a run that asks the network for what it has.
failure_no_network_needed()
{
	clone offline
	works
	rm -rf "$tree/build"
	works "${no_network[@]}"
}

# download_busybox CACHE: prints the name of the file
download_busybox()
{
	local cache=$1 release version
	release=$(arch_release arm64)
	version=$(deb_field "$release" arm64 busybox-static Version)
	download_deb "$release" arm64 busybox-static "$version"
}

# Catches: old lists of packages that are taken for what Debian serves now.
failure_old_lists()
{
	clone old-lists
	empty_cache old-lists
	cp -al "$cache/apt" "$other_cache/dmacpy" 2>/dev/null ||
		cp -a "$cache/apt" "$other_cache/dmacpy"
	# These are written in place.
	rm -f "$other_cache"/dmacpy/apt/*/{sources.list,updated,outdated}
	run "$log" "${no_network[@]}" XDG_CACHE_HOME="$other_cache" \
		"$tree/qemu/check-kernels.sh" arm64
	says 'is the network up'
}

# Catches: a part of a package that is taken for all of it.
failure_half_a_download()
{
	local file
	clone half
	thin_cache half
	file=$(download_busybox "$other_cache/dmacpy" 2>/dev/null)
	truncate --size=-1000 "$file"
	touch "${file/_arm64/_armhf}"
	mkdir "$other_cache/dmacpy/busybox-arm64-$(arch_release arm64).partial"
	works env XDG_CACHE_HOME="$other_cache"
}

# full_disk DIRECTORY: one there; prints what make run says, and then what it
# says when there is room.
full_disk()
{
	mount -t tmpfs -o size=6m none "$1"
	! make -C "$tree" run || return
	mount -o remount,size=4g "$1"
	make -C "$tree" run
}

# on_full_disk DIRECTORY
on_full_disk()
{
	export -f full_disk
	export tree
	# shellcheck disable=SC2016 # the inner shell expands it
	run "$log" in_namespace env XDG_CACHE_HOME="$other_cache" bash -c \
		'full_disk "$1"' bash "$1"
	expect [ "$status" -eq 0 ]
	expect said '^error: .*no room left in'
	expect said '^filtered .* bit-exactly'
}

# Catches: apt-get update, which hangs when it cannot write.
failure_full_cache()
{
	clone full-cache
	empty_cache full-cache
	on_full_disk "$other_cache"
}

failure_full_build()
{
	clone full-build
	mkdir "$tree/build"
	other_cache=${cache%/dmacpy}
	on_full_disk "$tree/build"
}

# interrupt SIGNAL SECONDS COMMAND...: it and all that it has started
interrupt()
{
	local pid
	setsid "${@:3}" >"$log" 2>&1 </dev/null &
	pid=$!
	sleep "$2"
	kill "-$1" -- "-$pid" 2>/dev/null || true
	status=0
	wait "$pid" 2>/dev/null || status=$?
}

# interrupted_at_random CACHE MOST-SECONDS: some times; then it works.
interrupted_at_random()
{
	local round signal
	for round in 1 2 3 4 5 6; do
		signal=$((round % 2)) && [ "$signal" = 1 ] && signal=INT ||
			signal=KILL
		interrupt "$signal" "$((RANDOM % $2)).$((RANDOM % 10))" \
			env XDG_CACHE_HOME="$1" make -C "$tree" run
		echo "# $signal, status $status: $(tail -n 1 "$log")"
		[ "$status" -ne 0 ] || expect said '^filtered '
		[ "$signal" = KILL ] || [ "$status" -eq 0 ] ||
			expect said '^error: interrupted'
	done
	works env XDG_CACHE_HOME="$1"
}

failure_interrupted_download()
{
	clone interrupted-download
	empty_cache interrupted-download
	interrupted_at_random "$other_cache" 20
}

failure_interrupted_build()
{
	clone interrupted-build
	interrupted_at_random "${cache%/dmacpy}" 60
}

# Catches: what make takes for complete since it is newer than its source.
failure_cut_off_by_a_kill()
{
	clone cut-off
	works
	touch "$tree/build/.unfinished"
	sleep 0.1
	mkdir "$tree/build/packages"
	touch "$tree/build/packages/of-another-command"
	find "$tree/build" -name '*.o' -exec truncate --size=100 {} +
	truncate --size=100 "$tree"/build/*/modules/*.ko
	works
	expect said '^the last run was killed'
	expect [ -e "$tree/build/packages/of-another-command" ]
}

# Catches: two runs that write to one file.
failure_two_in_one_checkout()
{
	local pid first=0
	clone two-in-one
	make -C "$tree" run >"$log.first" 2>&1 </dev/null &
	pid=$!
	works
	wait "$pid" || first=$?
	expect [ "$first" -eq 0 ]
	cat "$log.first" >>"$log"
	expect said 'waiting for another make'
}

failure_two_checkouts()
{
	local pid other first=0
	thin_cache two
	clone two-other
	other=$tree
	clone two
	XDG_CACHE_HOME=$other_cache make -C "$other" run >"$log.first" 2>&1 \
		</dev/null &
	pid=$!
	works env XDG_CACHE_HOME="$other_cache"
	wait "$pid" || first=$?
	expect [ "$first" -eq 0 ]
}

# Catches: a path that a shell or make takes for two.
failure_space_in_path()
{
	local target
	clone 'a b'
	for target in run test modules userspace; do
		run "$log" make -C "$tree" "$target"
		says 'has a space'
	done
	clone space
	run "$log" env XDG_CACHE_HOME="$out/a b" make -C "$tree" run
	says 'has a space'
	works
}

failure_no_headers()
{
	clone no-headers
	run "$log" make -C "$tree" modules KDIR=/nowhere
	says 'install linux-headers-'
}

# Catches: a newer kernel's API that looks like a fault of the user's machine.
failure_newer_kernel()
{
	clone newer-kernel
	mkdir "$tree/kernel"
	printf '%s:\n\t%s\n' kernelversion '@echo 9.9.1' modules \
		'@echo "error: too few arguments" >&2; exit 2' \
		>"$tree/kernel/Makefile"
	run "$log" make -C "$tree" modules KDIR="$tree/kernel"
	says 'has not built for Linux 9\.9\.1: .* 6\.1, 6\.12 and 7\.3$'
}

failure_no_abidw()
{
	clone no-abidw
	mkdir "$tree/bin"
	ln -s /usr/bin/{make,sh} "$tree/bin"
	run "$log" env PATH="$tree/bin" make -C "$tree" abi
	says 'install abigail-tools'
}

failure_no_compiler()
{
	clone no-compiler
	run "$log" make -C "$tree" userspace CROSS_COMPILE=nowhere-
	says 'install gcc and libc6-dev'
}

# on_other_system OS-RELEASE
on_other_system()
{
	printf '%s\n' "$@" >"$out/os-release"
	# shellcheck disable=SC2016 # the inner shell expands it
	run "$log" in_namespace bash -c 'mount --bind "$1" /etc/os-release &&
		make -C "$2" run' bash "$out/os-release" "$tree"
}

failure_not_debian()
{
	clone other-system
	on_other_system ID=fedora 'PRETTY_NAME="Fedora Linux 42"'
	says 'needs Debian 12 or 13, but the host is Fedora Linux 42'
	on_other_system ID=debian VERSION_ID=11 'PRETTY_NAME="Debian 11"'
	says 'the host is older: Debian 11'
}

# not_ours DIRECTORY: one there that belongs to another user
not_ours()
{
	mkdir -m 555 "$1"
	[ "$(id -u)" -ne 0 ] || chown nobody "$1"
	run "$log" setpriv --bounding-set -dac_override \
		--inh-caps -dac_override make -C "$tree" run
	says "cannot write to $1"
}

# Catches: a run after one as root, which owns what that made.
failure_not_our_build()
{
	clone not-ours
	not_ours "$tree/build"
}

# Catches: the same after another command, which made a part of it.
failure_not_our_log()
{
	clone not-our-log
	mkdir "$tree/build"
	not_ours "$tree/build/log"
}

# Catches: a guest whose users cannot read it; a picture that is lost.
failure_umask()
{
	clone umask
	(
		umask 077
		works
		works env IMAGE="$tree/build/run/filtered.png"
		expect said '^filtered filtered.png bit-exactly'
	)
}

need_guest_packages 6.12-arm64
need_host_packages modules check
lock_directory "$out"
fetch_kernel 6.12-arm64
{
	suite target "${1:-.*}"
	suite failure "${1:-.*}"
	[ -n "${1:-}" ] || left_out_suite
} | tee "$out/full.log" | "$top/qemu/judge.py" suites
