# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Guests that go down while copies are in flight.

# go_down DIRECTORY KNOB VALUE: of the engine. Tracepoints get into the log.
go_down()
{
	mkdir -p "$1/in/tmp"
	install "$top/qemu/guest/shutdown" "$1/in/tmp/task"
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
		awk -v lost="$3" -f "$top/qemu/shutdown.awk" "$log" &&
		"$top/qemu/kernel-log.sh" "$top/qemu/kernel-log-allowed" \
			<"$log" | sed 's/^/# /' || not='not '
	echo "${not}ok $1 ${2##*/}"
}

# test_shutdowns DIRECTORY: prints KTAP
test_shutdowns()
{
	echo 1..2
	test_shutdown 1 "$1/slow-engine" 0 delay_us 20000
	test_shutdown 2 "$1/hung-engine" 1 hang 1
}
