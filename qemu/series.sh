#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/series.sh make|test [VERSION...], by default 6.12 and newest
#
# make series: dmacpy as patches for the source of Linux that Debian has of these
# versions, in build/series/VERSION; upstream/series.py makes them.
# make test-series: these apply, each passes checkpatch and compiles, KUnit's own
# kunit.py runs the unit tests, on the machine "virt" of QEMU, dmacpy compiles beside
# the drivers of all engines, the selftests build, and kselftest's own script runs
# some of them in a guest. Prints KTAP in short.
set -eu -o pipefail

. "$(dirname "$0")/lib.sh"
. "$top/qemu/guest-files.sh"

mode=$1
shift
versions=(6.12 newest)
[ "$#" -eq 0 ] || versions=("$@")
out=$build/series
cross=$(cross_prefix arm64)
# The guest has no more than a kernel of Debian and the modules.
guest_purpose=demo
# Those that run there: they take a minute.
selftests=(abi library prepared share)

# What a kernel of kunit.py for arm64 is built from, and all that has a hook
series_parts=(
	"${kernel_tree_parts[@]}" arch/riscv
	MAINTAINERS Documentation/misc-devices
	Documentation/devicetree/bindings/vendor-prefixes.yaml
	Documentation/userspace-api/ioctl 'drivers/[!gmnsi]*'
	drivers/{gpio,interconnect,iommu,mailbox,memory,nvmem,scsi}
	rust tools/testing/kunit tools/testing/selftests/lib.mk
	'tools/testing/selftests/kselftest*'
)
series_key=$(list_key "${series_parts[@]}")

# series_tree VERSION: prints where the source is
series_tree()
{
	compgen -G "$cache/linux-series-$1-$series_key/usr/src/linux-source-*"
}

# unpack_series_tree VERSION DIRECTORY
unpack_series_tree()
{
	local found release package version
	found=$(kernel_package "$1-arm64")
	read -r release package version <<<"$found"
	unpack_source "$release" "$(grep -Eo '[0-9]+\.[0-9]+' <<<"$package" |
		head -n 1)" "$version" "$2" "${series_parts[@]}"
}

fetch_series_tree()
{
	fetch_once "linux-series-$1-$series_key" unpack_series_tree "$1"
}

# make_series VERSION
make_series()
{
	local tree
	tree=$(series_tree "$1")
	rm -rf "${out:?}/$1"
	mkdir -p "$out/$1"
	gcc -o "$out/unifdef" "$tree/scripts/unifdef.c"
	python3 "$top/upstream/series.py" "$tree" "$out/unifdef" "$out/$1"
}

# patches_of VERSION: prints them, without the cover letter
patches_of()
{
	printf '%s\n' "$out/$1"/*.patch | grep -v /0000-
}

# apply DIRECTORY PATCH [OPTION...]: outside of this repository, for git
apply()
{
	GIT_CEILING_DIRECTORIES=$out git -C "$1" apply --whitespace=error \
		"${@:3}" "$2"
}

# apply_all VERSION: to a copy of the source, where the checks look for files. git
# writes files anew, so links will do.
apply_all()
{
	local patch
	rm -rf "${out:?}/$1-tree"
	cp -al "$(series_tree "$1")" "$out/$1-tree" 2>/dev/null ||
		cp -a "$(series_tree "$1")" "$out/$1-tree"
	for patch in $(patches_of "$1"); do
		apply "$out/$1-tree" "$patch"
	done
}

# Catches: what checkpatch finds in one patch and not in the files.
checkpatch_passes()
{
	local options
	read -ra options <"${1%.patch}.rules"
	(cd "$out/$version-tree" && scripts/checkpatch.pl --root=. --strict \
		--terse --show-types --no-summary \
		--typedefsfile <(echo "$checkpatch_types") "${options[@]}" "$1")
}

# Catches: a patch that needs what a later one adds of the driver. The configuration,
# and the header of the interface, are those of the last one.
objects_compile()
{
	local steps=$out/$version-steps place=drivers/misc/dmacpy
	mkdir -p "$steps"
	apply "$steps" "$1" --include="$place/*"
	[ -e "$steps/$place/Makefile" ] || return 0
	rm -rf "$out/$version-tree/$place"
	cp -a "$steps/$place" "$out/$version-tree/$place"
	cp -p "$out/$version-Kconfig" "$out/$version-tree/$place/Kconfig"
	make_kernel CONFIG_DMACPY_SIM=y W=1 "$place/" >"$steps.log" 2>&1 || {
		cat "$steps.log"
		return 1
	}
	# The vDSO is built each time, and has a warning of its own.
	! grep -i warning: "$steps.log" | grep -v kernel/vdso
}

# make_kernel ARGUMENT...
make_kernel()
{
	make -s -C "$out/$version-tree" O="$out/$version-kunit" ARCH=arm64 \
		CROSS_COMPILE="$cross" -j"$(nproc)" "$@"
}

# Catches: what KUnit's users see, and a driver that cannot be built in.
kunit_passes()
{
	cd "$out/$version-tree"
	tools/testing/kunit/kunit.py run --kunitconfig=drivers/misc/dmacpy \
		--arch=arm64 --cross_compile="$cross" --timeout=1200 \
		--build_dir="$out/$version-kunit" --jobs="$(nproc)" \
		>"$out/$version-kunit.log" 2>&1 || {
		tail -n 40 "$out/$version-kunit.log"
		return 1
	}
	grep 'Testing complete' "$out/$version-kunit.log"
}

# Linux's names of the architectures, and Debian's
declare -A provider_archs=([arm64]=arm64 [arm]=armhf [riscv]=riscv64)

# providers_built DIRECTORY: prints the drivers of the table in engines.rst that
# have been compiled there
providers_built()
{
	local file
	sed -n 's/^   \([a-z0-9/_-]*\)\.c, .*, [A-Z0-9_]*, .*/\1/p' \
		"$top/Documentation/engines.rst" | while read -r file; do
		[ ! -e "$1/drivers/dma/$file.o" ] || echo "$file"
	done
}

# Catches: a configuration with the engines' drivers that does not exist, or in which
# dmacpy does not compile. Drivers for x86, PowerPC and MIPS are not among them.
providers_compile()
{
	local objects=$out/$version-$1 log=$out/$version-$1.log status=0
	local arguments=(-s -C "$out/$version-tree" "O=$objects" "ARCH=$1"
			 "CROSS_COMPILE=$(cross_prefix "${provider_archs[$1]}")"
			 "-j$(nproc)")
	{
		make "${arguments[@]}" allmodconfig &&
			make "${arguments[@]}" W=1 drivers/misc/dmacpy/ &&
			make "${arguments[@]}" drivers/dma/
	} >"$log" 2>&1 || status=1
	grep -q '^CONFIG_DMACPY=m' "$objects/.config" || status=1
	providers_built "$objects" >"$objects/providers"
	echo "$(wc -l <"$objects/providers") drivers of engines"
	[ "$(wc -l <"$objects/providers")" -ge 30 ] || status=1
	! grep -E 'recursive dependency|unmet direct|drivers/misc/dmacpy.*warning:' \
		"$log" || status=1
	[ "$status" -eq 0 ] || tail -n 20 "$log"
	return "$status"
}

# Catches: a test that the kernel's frame does not build.
selftests_build()
{
	local log=$out/$version-selftests.log programs
	make_kernel headers >"$log" 2>&1
	make -C "$out/$version-tree/tools/testing/selftests" TARGETS=dmacpy \
		ARCH=arm64 CROSS_COMPILE="$cross" \
		KHDR_INCLUDES="-isystem $out/$version-kunit/usr/include" \
		USERLDFLAGS=-static O="$out/$version-selftests" \
		-j"$(nproc)" >>"$log" 2>&1 || {
		tail -n 20 "$log"
		return 1
	}
	programs=$(find "$out/$version-selftests" -type f -perm -u+x | wc -l)
	[ "$programs" -gt 20 ] || { cat "$log"; return 1; }
	! grep warning: "$log"
}

selftests_task()
{
	cat <<-'EOT'
		#!/bin/sh
		insmod /lib/modules/dmacpy_fake_dma.ko &&
			insmod /lib/modules/dmacpy.ko || exit
		BASE_DIR=$PWD/selftests
		cd selftests/dmacpy
		. ../kselftest/runner.sh
	EOT
	echo "run_many ${selftests[*]}"
}

# Catches: a selftest that needs more than kselftest installs.
selftests_run()
{
	local directory=$out/$version-guest to programs
	programs=$out/$version-selftests/kselftest/dmacpy
	to=$directory/in/tmp/selftests
	rm -rf "$directory"
	mkdir -p "$to/dmacpy"
	cp -r "$out/$version-tree/tools/testing/selftests/kselftest" "$to"
	install "${selftests[@]/#/$programs/}" \
		"$top/upstream/kernel/tools/testing/selftests/dmacpy/settings" \
		"$to/dmacpy"
	install <(selftests_task) "$directory/in/tmp/task"
	boot_guest "$directory" 900 >"$directory/log"
	grep -E '^(not )?ok' "$directory/log"
	[ "$(grep '^ok' "$directory/log" | grep -vc '# SKIP')" -eq \
		"${#selftests[@]}" ] && return
	grep '^# not ok' "$directory/log"
	return 1
}

# suite NAME COMMAND [PATCH...]: once for each patch
suite()
{
	local name=$1 command=$2 number=0 failed=0 argument
	shift 2
	printf '#@ suite %s/%s\n1..%d\n' "$version" "$name" $#
	for argument; do
		attempt "$command" "$argument" >"$out/test.log" 2>&1
		sed 's/^/# /' "$out/test.log"
		if [ "$attempt_status" -ne 0 ]; then
			printf 'not '
			failed=1
		fi
		echo "ok $((number += 1)) $(basename "$argument" .patch)"
	done
	echo "#@ exit $failed"
}

test_series()
{
	local patches
	mapfile -t patches < <(patches_of "$version")
	select_guest "versal/$version-arm64"
	echo '#@ suites' "$version"/{apply,checkpatch,kunit,compile,providers} \
		"$version"/{selftests,run}
	suite apply apply_all "$version"
	suite checkpatch checkpatch_passes "${patches[@]}"
	suite kunit kunit_passes kunit.py
	rm -rf "$out/$version"{-steps,-kunit/drivers/misc/dmacpy}
	cp -p "$out/$version-tree/drivers/misc/dmacpy/Kconfig" \
		"$out/$version-Kconfig"
	suite compile objects_compile "${patches[@]}"
	suite providers providers_compile "${!provider_archs[@]}"
	suite selftests selftests_build selftests
	suite run selftests_run run
}

need_host_packages build kernel arm riscv series
lock_directory "$out"
steps=$((2 * ${#versions[@]}))
[ "$mode" = make ] || steps=$(((4 + $(guest_prepare_steps)) * ${#versions[@]}))
for version in "${versions[@]}"; do
	step "fetching the source of $version" fetch_series_tree "$version"
	step "making the patches for $version" make_series "$version"
done
if [ "$mode" = make ]; then
	printf 'patches are in %s\n' "${out#"$PWD"/}"
	exit
fi
lock_build
for version in "${versions[@]}"; do
	select_guest "versal/$version-arm64"
	prepare_guest
	step "building dmacpy" build_dmacpy "$guest_kernel"
	step "making the initramfs" make_initramfs
done
for version in "${versions[@]}"; do
	test_series
done | tee "$out/full.log" | "$top/qemu/judge.py" suites
