# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# Inserting and removing the module. DMACPY_CYCLES sets the number of times.

module=/lib/modules/dmacpy.ko

loaded()
{
	grep -q '^dmacpy ' /proc/modules
}

# Fences of completed jobs are freed, and drop their references, after a delay.
unload()
{
	# A test that has failed may not have loaded it again.
	loaded || return 0
	eventually rmmod dmacpy 2>err || fail "not removed: $(cat err)"
}

works()
{
	expect 0 dmacpy copy --via-sram "$module" copy
	cmp "$module" copy || fail "the copy differs"
}

# Catches: resources that probe, remove, init or exit leaks; rmmod too early.
test_insert_and_remove_many_times()
{
	local round=0 instances
	instances=$(echo /dev/dmacpy[0-9]* | wc -w)
	while [ $((round += 1)) -le "${DMACPY_CYCLES:-30}" ]; do
		unload
		loaded && fail "round $round: still loaded"
		[ ! -e /dev/dmacpy0 ] || fail "round $round: a file remains"
		expect 0 insmod "$module"
		[ "$(echo /dev/dmacpy[0-9]* | wc -w)" -eq "$instances" ] ||
			fail "round $round: instances are missing"
	done
	works
}

# Catches: a module that is removed right after use, while work is pending.
test_remove_after_use()
{
	local round=0
	while [ $((round += 1)) -le 20 ]; do
		works
		unload
		expect 0 insmod "$module"
	done
}

# Catches: code that is called after its removal.
test_refused_while_open()
{
	exec 9</dev/dmacpy0
	expect 1 rmmod dmacpy
	loaded || fail "removed with an open file"
	works
	exec 9<&-
	unload
	expect 0 insmod "$module"
	works
}

# Catches: an open file of an unbound device without a reference to the module.
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

# Catches: a module that is removed while an engine may still write for a job of
# it, which uses only registered memory.
test_refused_while_engine_hangs()
{
	local device refused=0
	device="/dev/$(fake_node)"
	echo 100 >/sys/module/dmacpy/parameters/timeout_ms
	knob hang 1
	dmacpy -d "$device" copy "$module" copy >out 2>&1 &&
		fail "the engine did not hang"
	rmmod dmacpy 2>err || refused=1
	knob hang 0
	[ "$refused" -eq 1 ] || fail "removed while the engine may write"
	eventually dmacpy -d "$device" copy "$module" copy >out 2>&1 ||
		fail "the channel does not recover"
	unload
	expect 0 insmod "$module"
	works
}

# Catches: a timeout that no engine can meet, or that is not a limit.
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

# Catches: a parameter that is not stored, or that the limits do not follow.
test_limits_are_parameters()
{
	unload
	insmod "$module" max_jobs=0 2>err && fail "no job is accepted"
	insmod "$module" max_ops=1025 2>err && fail "1025 are accepted"
	expect 0 insmod "$module" max_jobs=2 max_events=1 max_ops=3 \
		max_rows=4 max_bytes=40960 max_user_jobs=5 \
		max_user_bytes=40960 max_user_streams=6 max_user_handles=7
	expect 0 /tests/limits
	expect 1 dmacpy fill --pattern 1 --size 1M filled
	grep -q '^Operation 1 of the job was refused' err ||
		fail "the operation is not reported"
	unload
	expect 0 insmod "$module"
	works
}

# advises PATTERN NOT: check the messages
advises()
{
	grep -q "$1" err || fail "no advice about $1: $(cat err)"
	! grep -q "$2" err || fail "advice about $2: $(cat err)"
}

# Catches: advice to raise another limit than the one that is reached, or advice
# that is repeated for each device.
test_limits_of_a_user_are_named()
{
	unshare -U true || skip "this kernel has no user namespaces"
	unload
	expect 0 insmod "$module" max_user_streams=3 max_user_handles=7
	# Root of another user namespace has no privileges here.
	expect 1 unshare -U dmacpy bench --streams 3 --dst user
	advises max_user_streams ulimit
	expect 1 unshare -U dmacpy bench --prepared --mode event --depth 8
	advises max_user_handles ulimit
	expect 1 unshare -U dmacpy bench --handles 8
	advises 'fewer handles' max_user
	expect 1 sh -c 'ulimit -l unlimited
			exec unshare -U dmacpy bench --handles 8'
	advises max_user_handles ulimit

	exec 7</dev/dmacpy0 8</dev/dmacpy0
	expect 1 unshare -U dmacpy copy "$module" copy
	advises max_user_streams ulimit
	expect 1 unshare -U dmacpy test
	advises max_user_streams ulimit
	exec 9</dev/dmacpy0
	expect 1 unshare -U dmacpy list
	advises max_user_streams ulimit
	[ "$(grep -c max_user_streams err)" -eq 1 ] || fail "repeated"
	exec 7<&- 8<&- 9<&-
	unload
	expect 0 insmod "$module"
	works
}

# Memory for the parameter "sram" is a node of the device tree on each board.
spare()
{
	echo /proc/device-tree/reserved-memory/spare@* | sed 's/.*@/0x/'
}

# claimed_by WORD...: print the address of the first region with this owner
claimed_by()
{
	sed -n "s/^\([0-9a-f]*\)-.*[ .]$*\( .*\|$\)/0x\1/p" /proc/iomem |
		head -n 1
}

# refused_sram REASON PARAMETER
refused_sram()
{
	insmod "$module" "sram=$2" 2>err && fail "sram=$2 is accepted"
	# Check the last lines: when the log is full, old lines are dropped.
	dmesg | tail -n 20 | grep -q "dmacpy: sram=$2: $1" ||
		fail "no reason for sram=$2 in the log"
}

# pr SIZE-1 ADDRESS: print a region as the kernel prints it
pr()
{
	printf '\\[mem 0x%08x-0x%08x\\]' "$(($2))" "$(($2 + $1))"
}

# Catches: memory of another owner, or an invalid range, that is used as SRAM.
test_sram_parameter_is_checked()
{
	local parameter spare used
	spare=$(spare)
	used=$(claimed_by sram)
	# Boards whose SRAM belongs to dmacpy have no other one.
	[ -n "$used" ] || used=$(claimed_by serial)
	unload
	for parameter in nonsense 4K 4K@ "0@$spare" "4K@${spare}x" -1@0 \
			2M@0xfffffffffff00000 "4K@$spare," ",4K@$spare" \
			"4K@$spare,4K" "4K@$spare;"; do
		refused_sram 'not <size>@<address>\[,...\]' "$parameter"
	done
	refused_sram 'not in whole pages' "4K@${spare%000}800"
	refused_sram 'not in whole pages' "2K@$spare"
	refused_sram 'not in whole pages' "4K@$spare,2K@${spare%000}800"
	refused_sram "\[mem .*\] is the system's main memory" \
		"4K@$(claimed_by System RAM)"
	refused_sram "\[mem .*\] is the system's main memory" \
		"2M@${spare%f0000}00000"
	refused_sram "$(pr 4095 "$used") is in use" "4K@$used"
	refused_sram "$(pr 4095 "$used") is in use" "4K@$spare,4K@$used"
	refused_sram 'the regions overlap' "8K@$spare,4K@${spare%0000}1000"
	refused_sram 'more than 8 regions' "4K@$spare,4K@${spare%0000}1000,4K@${spare%0000}2000,4K@${spare%0000}3000,4K@${spare%0000}4000,4K@${spare%0000}5000,4K@${spare%0000}6000,4K@${spare%0000}7000,4K@${spare%0000}8000"
	loaded && fail "the module is still loaded"
	expect 0 insmod "$module"
}

# Catches: an instance that needs a device tree; a region that is not released.
test_sram_parameter()
{
	local round device
	for round in 1 2; do
		unload
		expect 0 insmod "$module" "sram=64K@$(spare)"
		device=$(echo /sys/bus/platform/drivers/dmacpy/dmacpy.*)
		device=/dev/$(basename "$device"/misc/dmacpy*)
		expect 0 dmacpy -d "$device" info --json
		cp out info.json
		[ "$(json sram_total)" = 65536 ] || fail "round $round: no SRAM"
		expect 0 dmacpy -d "$device" copy --via-sram "$module" copy
		cmp "$module" copy || fail "the copy differs"
	done
	unload
	expect 0 insmod "$module"
}

# sram_of DEVICE: print the size of its SRAM
sram_of()
{
	dmacpy -d "/dev/$(basename "$1"/misc/dmacpy*)" info --json >info.json
	json sram_total
}

# Catches: a second region that is ignored.
test_sram_parameter_with_two_regions()
{
	local spare sizes='' device
	spare=$(spare)
	unload
	expect 0 insmod "$module" max_channels=1 \
		"sram=16K@$spare,32K@${spare%0000}8000"
	for device in /sys/bus/platform/drivers/dmacpy/dmacpy.*; do
		sizes="$sizes $(sram_of "$device")"
	done
	[ "$sizes" = ' 16384 32768' ] || fail "sizes of SRAM:$sizes"
	unload
	expect 0 insmod "$module"
	works
}

# Catches: a wrong address that kills the first user of the SRAM, the program
# that loads the module, or the module. The last test, as the abort by which the
# driver detects this disables the kernel's checkers.
test_sram_parameter_where_nothing_is()
{
	local nothing=0x70000000 round
	[ ! -f /proc/lockdep ] || skip "lockdep would be disabled from here on"
	grep -q xlnx-versal-virt /proc/device-tree/compatible ||
		skip "no address without a device is known here"
	unload
	for round in 1 2; do
		refused_sram "nothing answers at $(pr 65535 $nothing)" \
			"64K@$nothing"
		refused_sram "nothing answers at $(pr 65535 $nothing)" \
			"16K@$(spare),64K@$nothing"
		loaded && fail "round $round: the module is still loaded"
	done
	echo 1 >/sys/kernel/tracing/tracing_on
	expect 0 insmod "$module"
	works
}

# transfers_ended: print the total of all channels of the first instance
transfers_ended()
{
	awk '$1 == "ended" { sum += $2 } END { print sum }' \
		"/sys/kernel/debug/dmacpy/$(first_device)/channels"
}

# sram_counters: print the names of the first instance's counters that are not 0
sram_counters()
{
	awk '$2 > 0 { printf "%s ", $1 }' \
		"/sys/kernel/debug/dmacpy/$(first_device)/sram"
}

only_sram_is_counted()
{
	[ "$(sram_counters)" = 'total free largest ' ]
}

# Catches: counters that do not count; files that outlive their objects.
test_counters()
{
	local before
	before=$(transfers_ended)
	works
	[ "$(transfers_ended)" -gt "$before" ] || fail "nothing was counted"
	[ "$(cat /sys/kernel/debug/dmacpy/lost)" = 0 ] ||
		fail "an engine did not stop"
	# A work item frees the buffers.
	eventually only_sram_is_counted || fail "counted: $(sram_counters)"
	unload
	[ ! -e /sys/kernel/debug/dmacpy ] || fail "the counters remain"
	expect 0 insmod "$module"
}

# Loses an interrupt on the fake engine, and waits until its channel recovers.
fail_once()
{
	knob next_lost 1
	echo 100 >/sys/module/dmacpy/parameters/timeout_ms
	dmacpy -d "/dev/$(fake_node)" copy --via-sram "$module" copy \
		>out 2>&1 && fail "no interrupt was lost"
	eventually dmacpy -d "/dev/$(fake_node)" copy --via-sram \
		"$module" copy >out 2>&1 || fail "the channel does not recover"
	echo 5000 >/sys/module/dmacpy/parameters/timeout_ms
}

# Catches: tracepoints that do not exist, or are never hit.
test_tracepoints()
{
	local tracing=/sys/kernel/tracing event
	[ -d $tracing/events ] || mount -t tracefs none $tracing
	echo 1 >$tracing/events/dmacpy/enable
	works
	fail_once
	echo 0 >$tracing/events/dmacpy/enable
	for event in job_submit job_start chan_feed job_done chan_timeout \
			chan_revived; do
		grep -q "dmacpy_$event:" $tracing/trace || fail "no $event"
	done
	echo >$tracing/trace
}

run_tests insert_and_remove_many_times remove_after_use refused_while_open \
	refused_while_open_and_unbound refused_while_engine_hangs \
	parameter_limits \
	limits_are_parameters limits_of_a_user_are_named \
	sram_parameter_is_checked sram_parameter \
	sram_parameter_with_two_regions counters tracepoints \
	sram_parameter_where_nothing_is
