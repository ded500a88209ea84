# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The device without hardware, kunit/dmacpy_sim.c, beside those of the board if
# there are any. A device of another driver is bound in the same way.

module=/lib/modules/dmacpy_sim.ko
device=/sys/bus/platform/devices/dmacpy.0

# If it was loaded before, load it again at the end.
loaded=
[ ! -d "$device" ] || loaded=yes

sim_node()
{
	echo "/dev/$(basename "$device"/misc/dmacpy*)"
}

unload()
{
	[ ! -d "$device" ] || eventually rmmod dmacpy_sim 2>err ||
		fail "not removed: $(cat err)"
}

load()
{
	unload
	expect 0 insmod $module "$@"
	[ -c "$(sim_node)" ] || fail "no device: $(dmesg | tail -n 3)"
}

restore()
{
	unload
	[ -z "$loaded" ] || insmod $module
}

# Catches: a parameter that is ignored; a channel of another engine.
test_parameters()
{
	trap restore EXIT
	load channels=3 sram_kib=100 bytes_per_us=77
	expect 0 dmacpy -d "$(sim_node)" info --json
	cp out info.json
	[ "$(json channels) $(json sram_total)" = '3 102400' ] ||
		fail "wrong properties: $(cat out)"
	grep -q '"driver": "dmacpy-fake-dma"' out || fail "the wrong engine"
	[ "$(cat /sys/kernel/debug/dmacpy_fake_dma/bytes_per_us)" = 77 ] ||
		fail "bytes_per_us"
	knob bytes_per_us 0
	expect 0 dmacpy test -d "$(sim_node)"
}

# Catches: a bound that is off by one; a device that remains after a failure.
test_bounds()
{
	local arguments
	trap restore EXIT
	load channels=16 sram_kib=1
	load channels=1
	unload
	for arguments in channels=0 channels=17 sram_kib=0 sram_kib=1048577 \
			 sram_kib=1048576; do
		insmod $module $arguments 2>/dev/null &&
			fail "$arguments is accepted"
		[ ! -e "$device" ] || fail "$arguments leaves a device"
	done
	load
}

# Catches: SRAM that is freed while a program has a buffer; a module that is in
# use for ever.
test_buffer_keeps_module()
{
	trap restore EXIT
	load
	dmacpy -d "$(sim_node)" bench --iterations 100000000 >/dev/null &
	eventually allocated || fail "no buffer"
	rmmod dmacpy_sim 2>err && fail "removed with a buffer"
	grep -q 'in use\|unavailable' err || fail "refused: $(cat err)"
	kill $!
	wait $! 2>/dev/null
	load
}

allocated()
{
	dmacpy -d "$(sim_node)" info --json >info.json
	[ "$(json sram_free)" -lt "$(json sram_total)" ]
}

# Catches: a stream that outlives its SRAM, and uses it.
test_stream_does_not()
{
	trap restore EXIT
	load
	exec 9<>"$(sim_node)"
	unload
	exec 9>&-
	load
	expect 0 dmacpy -d "$(sim_node)" copy --via-sram $module copy
	cmp $module copy || fail "the copy differs"
}

# Catches: SRAM that the engine accesses at another address than the CPU.
test_copies()
{
	trap restore EXIT
	load sram_kib=64
	expect 0 dmacpy -d "$(sim_node)" copy --via-sram $module copy
	cmp $module copy || fail "the copy differs"
	expect 0 dmacpy -d "$(sim_node)" bench --verify --iterations 100
}

# Memory that the board without a device tree sets aside, by an argument of the
# kernel
set_aside()
{
	sed -n 's/.*\<memmap=\([^ $]*\)\$\([^ ]*\).*/\1@\2/p' /proc/cmdline
}

reload_dmacpy()
{
	eventually rmmod dmacpy 2>err || fail "not removed: $(cat err)"
	expect 0 insmod /lib/modules/dmacpy.ko "$@"
}

restore_dmacpy()
{
	echo >"$device/driver_override"
	reload_dmacpy
	restore
}

# Catches: the parameter "sram" that needs a device tree. The engine has as many
# channels as the other device names: let that one not bind.
test_sram_parameter()
{
	local region node
	region=$(set_aside)
	[ -n "$region" ] || skip "no memory is set aside"
	load
	trap restore_dmacpy EXIT
	echo none >"$device/driver_override"
	reload_dmacpy "sram=$region"
	node=/dev/$(basename /sys/bus/platform/drivers/dmacpy/dmacpy.*/misc/*)
	expect 0 dmacpy -d "$node" info --json
	cp out info.json
	[ "$(json sram_total)" -eq $((${region%K@*} * 1024)) ] ||
		fail "wrong size: $(cat out)"
	expect 0 dmacpy -d "$node" copy --via-sram $module copy
	cmp $module copy || fail "the copy differs"
	expect 0 dmacpy test -d "$node"
}

run_tests parameters bounds buffer_keeps_module stream_does_not copies \
	sram_parameter
