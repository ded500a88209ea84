#!/bin/sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The common code of each test in shell: KTAP, one function per test.

set -u
work=$(mktemp -d)

# fail WORD...: print the reason and end the test, which runs in a subshell
fail()
{
	echo "# $*"
	exit 1
}

# skip WORD...: print why the test cannot run, and end it
skip()
{
	echo "$*" >"$work/skipped"
	exit 0
}

# expect STATUS COMMAND...: run it, store its output in "out" and "err"
expect()
{
	local wanted=$1 status=0
	shift
	"$@" >out 2>err </dev/null || status=$?
	[ "$status" -eq "$wanted" ] && return
	sed 's/^/# /' err
	fail "status $status instead of $wanted: $*"
}

# eventually COMMAND...: repeat it until it succeeds, for up to 10 s
eventually()
{
	local tries=0
	until "$@"; do
		[ $((tries += 1)) -lt 100 ] || return 1
		sleep 0.1
	done
}

# has_copied PID: a stream of the process has completed a job
has_copied()
{
	grep -qs 'dmacpy-ended:[[:space:]]*[1-9]' "/proc/$1"/fdinfo/*
}

# catches_signals PID: the process has a handler for SIGTERM, which is bit 14
catches_signals()
{
	grep -q '^SigCgt:.*[4-7c-f]...$' "/proc/$1/status"
}

# The platform device of /dev/dmacpy0, and "bind" or "unbind" of one
first_device()
{
	basename "$(readlink -f /sys/class/misc/dmacpy0/device)"
}

tell_driver()
{
	echo "$2" >"/sys/bus/platform/drivers/dmacpy/$1"
}

# with_limits NAME=VALUE...: load the module with these parameters, until the test
# ends
with_limits()
{
	[ -f /lib/modules/dmacpy.ko ] || skip "dmacpy is built in"
	trap 'eventually rmmod dmacpy 2>/dev/null
	      insmod /lib/modules/dmacpy.ko' EXIT
	eventually rmmod dmacpy 2>err || fail "not removed: $(cat err)"
	expect 0 insmod /lib/modules/dmacpy.ko "$@"
}

# The fake DMA engine: set a knob; print its device; print the device that uses
# it, and that device's file
knob()
{
	echo "$2" >"/sys/kernel/debug/dmacpy_fake_dma/$1"
}

fake_engine()
{
	local engine=dma-fake
	[ -d /sys/bus/platform/devices/$engine ] || engine=dmacpy-fake-dma
	echo $engine
}

fake_device()
{
	local device
	for device in /sys/bus/platform/devices/*.dmacpy-fake \
		      /sys/bus/platform/devices/dmacpy.0; do
		[ ! -d "$device" ] || break
	done
	basename "$device"
}

fake_node()
{
	basename "/sys/bus/platform/devices/$(fake_device)"/misc/dmacpy*
}

nothing_allocated()
{
	local node
	for node in /dev/dmacpy[0-9]*; do
		[ -e "$node" ] || continue
		dmacpy -d "$node" info --json >info.json 2>/dev/null ||
			return 1
		[ "$(json sram_free)" = "$(json sram_total)" ] || return 1
	done
}

# json KEY: print the value of a key in info.json
json()
{
	sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" info.json
}

run_test()
(
	mkdir "$work/$1"
	cd "$work/$1" || exit 1
	"test_$1" || exit 1
	eventually nothing_allocated || fail "SRAM is still in use"
)

# run_tests NAME...: run each test_NAME in a directory of its own, and check
# that all SRAM is free afterwards
run_tests()
{
	local number=0 failures=0 name not
	echo "TAP version 13"
	echo "1..$#"
	for name; do
		not=
		rm -f "$work/skipped"
		run_test "$name" || not='not ' failures=$((failures + 1))
		printf '%sok %d %s' "$not" $((number += 1)) "$name"
		[ ! -f "$work/skipped" ] ||
			printf ' # SKIP %s' "$(cat "$work/skipped")"
		echo
	done
	rm -rf "$work"
	exit $((failures > 0))
}
