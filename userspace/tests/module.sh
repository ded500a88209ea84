# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# Inserting and removing the module.

module=/lib/modules/dmacpy.ko

loaded()
{
	grep -q '^dmacpy ' /proc/modules
}


works()
{
	expect 0 dmacpy copy --via-sram "$module" copy
	cmp "$module" copy || fail "the copy differs"
}

# Catches: what probe, remove, init or exit leaves behind; rmmod too early.
test_insert_and_remove_100_times()
{
	local round=0 instances
	instances=$(echo /dev/dmacpy[0-9]* | wc -w)
	while [ $((round += 1)) -le 100 ]; do
		expect 0 rmmod dmacpy
		loaded && fail "round $round: still loaded"
		[ ! -e /dev/dmacpy0 ] || fail "round $round: a device file stays"
		expect 0 insmod "$module"
		[ "$(echo /dev/dmacpy[0-9]* | wc -w)" -eq "$instances" ] ||
			fail "round $round: not all instances are back"
	done
	works
}

# Catches: a module that is removed right after use, when work is pending.
test_remove_after_use()
{
	local round=0
	while [ $((round += 1)) -le 20 ]; do
		works
		expect 0 rmmod dmacpy
		expect 0 insmod "$module"
	done
}

# Catches: code that is called after it is gone.
test_refused_while_open()
{
	exec 9</dev/dmacpy0
	expect 1 rmmod dmacpy
	loaded || fail "removed under an open file"
	works
	exec 9<&-
	expect 0 rmmod dmacpy
	expect 0 insmod "$module"
	works
}

# Catches: an open file of an unbound device that forgets the module.
test_refused_while_open_and_unbound()
{
	local device
	device=$(first_device)
	exec 9</dev/dmacpy0
	tell_driver unbind "$device"
	expect 1 rmmod dmacpy
	exec 9<&-
	tell_driver bind "$device"
	works
}

# Catches: a time limit that no engine can meet, or that is not one.
test_parameter_limits()
{
	local parameter=/sys/module/dmacpy/parameters/timeout_ms value
	value=$(cat $parameter)
	(echo 9 >$parameter) 2>/dev/null && fail "9 ms is accepted"
	(echo -1 >$parameter) 2>/dev/null && fail "-1 ms is accepted"
	echo 10 >$parameter || fail "10 ms is refused"
	[ "$(cat $parameter)" = 10 ] || fail "10 ms is not kept"
	echo "$value" >$parameter
	works
}

run_tests insert_and_remove_100_times remove_after_use refused_while_open \
	refused_while_open_and_unbound parameter_limits
