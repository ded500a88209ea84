# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# "dmacpy doctor", with each problem that it has to find. If the guest cannot be
# given the problem, an empty file system hides a part of sysfs.

timeout=/sys/module/dmacpy/parameters/timeout_ms
quota=/sys/module/dmacpy/parameters/sram_quota_kib
fake=$(fake_device)
user=65534

node()
{
	echo "/dev/$(fake_node)"
}

# rebind: bind the driver again, which resets its counters
rebind()
{
	tell_driver unbind "$fake"
	tell_driver bind "$fake"
}

# as_user COMMAND: run it as another user than root
as_user()
{
	su -s /bin/sh nobody -c "$*"
}

# The guest has no users.
need_user()
{
	[ ! -e /etc ] || skip "there are users already"
	mkdir /etc
	trap 'rm -r /etc; chmod 600 "$(node)"; chgrp 0 "$(node)"
		echo 0 >$quota' EXIT
	echo "nobody:x:$user:$user::/:/bin/sh" >/etc/passwd
	: >/etc/group
	[ "$(as_user id -u)" = $user ] || fail "su does not work"
}

# finds PATTERN REMEDY COMMAND...: check that it reports the problem and a
# remedy
finds()
{
	local pattern=$1 remedy=$2
	shift 2
	"$@" >out 2>err </dev/null && fail "no problem is found: $(cat out)"
	grep -q "^PROBLEM .*$pattern" out || fail "no '$pattern': $(cat out)"
	grep -A 2 "^PROBLEM .*$pattern" out | grep -q -e "$remedy" ||
		fail "no '$remedy': $(cat out)"
}

# Catches: a problem that does not exist; a device that is not checked.
test_healthy()
{
	local device
	rebind
	expect 0 dmacpy doctor
	sed 's/^/# /' out
	for device in /dev/dmacpy[0-9]*; do
		grep -q "^ok  *$device: the engine copies" out ||
			fail "$device does not copy"
		grep -q "^ok  *$device: engine .*, driver .* coherent.*IOMMU" \
			out || fail "no engine of $device"
	done
	tail -n 1 out | grep -qx '0 problems, 0 not seen' || fail "no totals"
	[ -c /dev/dma_heap/system ] ||
		grep -q '^note .*/dev/dma_heap/system' out || fail "no note"
}

# Simulates a kernel that was started by secure boot.
locked_down()
{
	mount -t tmpfs none /sys/kernel/security
	echo 'none [integrity] confidentiality' >/sys/kernel/security/lockdown
	dmacpy doctor >locked
	umount /sys/kernel/security
	finds 'accepts signed modules only' 'Sign' sh -c 'cat locked; exit 1'
}

# Catches: a module that is not loaded, or not installed, or not allowed.
test_no_module()
{
	[ -f /lib/modules/dmacpy.ko ] || skip "dmacpy is built in"
	directory=/lib/modules/$(uname -r)
	eventually rmmod dmacpy 2>err || fail "not removed: $(cat err)"
	trap 'insmod /lib/modules/dmacpy.ko 2>/dev/null; rm -rf "$directory"' EXIT
	finds 'no module for' 'make modules' dmacpy doctor
	mkdir -p "$directory"
	echo extra/dmacpy.ko: >"$directory/modules.dep"
	finds 'not loaded' '-> modprobe dmacpy' dmacpy doctor
	[ ! -d /sys/kernel/security ] || locked_down
	expect 0 insmod /lib/modules/dmacpy.ko
}

# hidden DIRECTORY: hide its contents
hidden()
{
	mount -t tmpfs none "$1" || fail "cannot hide $1"
	# shellcheck disable=SC2064 # the directory is that of now
	trap "umount $1" EXIT
}

# Catches: a kernel without the engine's driver.
test_no_engine()
{
	hidden /sys/class/dma
	finds 'no DMA engine has a driver' 'CONFIG_' dmacpy doctor
}

# Catches: a device tree without a node for the SRAM, or with a disabled one.
test_no_node()
{
	local tree=/sys/firmware/devicetree/base
	[ -d $tree ] || skip "this machine has no device tree"
	hidden $tree
	finds 'no node of the driver' 'sram=SIZE@ADDRESS' dmacpy doctor
	mkdir -p $tree/bus/dmacpy
	printf 'some,other\0linux,sram-dmacpy\0' >$tree/bus/dmacpy/compatible
	finds 'the node has no device' 'simple-bus' dmacpy doctor
	printf 'disabled\0' >$tree/bus/dmacpy/status
	finds 'bus/dmacpy is not enabled' 'okay' dmacpy doctor
	! grep -q 'was made' out || fail "advice for a disabled node"
	printf 'okay\0' >$tree/bus/dmacpy/status
	finds 'the node has no device' 'simple-bus' dmacpy doctor
}

# Catches: a device that was unbound.
test_unbound()
{
	tell_driver unbind "$fake"
	trap 'tell_driver bind "$fake"' EXIT
	# With the reason, if another suite had the driver refuse it before
	finds "$fake is not bound" '/bind' dmacpy doctor
}

# Catches: a node that the driver refuses, without the reason.
test_refused()
{
	devices=/sys/bus/platform/devices
	refused=$(basename "$(echo $devices/*.test-no-names)")
	[ -e "$devices/$refused" ] || skip "this board has no such node"
	trap 'echo >$devices/$refused/driver_override' EXIT
	echo dmacpy >"$devices/$refused/driver_override"
	echo "$refused" >/sys/bus/platform/drivers_probe
	finds "$refused is not bound .*: .*\"dmas\" has 1 entries, \"dma-names\" 0" \
		'Mend' dmacpy doctor
}

# Catches: the name of the driver that is taken for that of the device, whose
# node is just "dmacpy". No such node of a board is refused: this writes to the
# log what kernels 6.1, and later ones, do then.
test_refused_by_name()
{
	local failed reason=0
	[ -e /sys/bus/platform/drivers/dmacpy/dmacpy ] ||
		skip "no bound device has that name"
	tell_driver unbind dmacpy
	trap 'tell_driver bind dmacpy' EXIT
	for failed in 'dmacpy: probe of dmacpy failed' \
		      'dmacpy dmacpy: probe with driver dmacpy failed'; do
		reason=$((reason + 1))
		echo "dmacpy dmacpy: error -EINVAL: reason $reason" >/dev/kmsg
		echo 'dmacpy other.dmacpy: error -EINVAL: of another device' \
			>/dev/kmsg
		echo "$failed with error -22" >/dev/kmsg
		finds "dmacpy is not bound .*: error -EINVAL: reason $reason" \
			'Mend' dmacpy doctor
	done
}

is_bound()
{
	[ -e "/sys/bus/platform/drivers/dmacpy/$fake" ]
}

# Catches: a device whose probing is deferred for its engine.
test_deferred()
{
	local engines=/sys/bus/platform/drivers/dmacpy-fake-dma
	tell_driver unbind "$fake"
	fake_engine >$engines/unbind
	(echo "$fake" >/sys/bus/platform/drivers_probe) 2>/dev/null
	dmacpy doctor >found
	fake_engine >$engines/bind
	eventually is_bound || fail "still deferred"
	finds "$fake waits for another device: .*no DMA channel" \
		'driver of its engine' sh -c 'cat found; exit 1'
}

# Catches: a /dev without device nodes.
test_no_file()
{
	gone=$(node)
	mv "$gone" "$gone.hidden"
	trap 'mv "$gone.hidden" "$gone"' EXIT
	finds "is bound, but there is no $gone" 'devtmpfs' dmacpy doctor
}

# Catches: advice that does not help, or that fails for users other than root.
test_no_permission()
{
	need_user
	finds "$(node): Permission denied: there is no group" groupadd \
		as_user dmacpy doctor
	echo dmacpy:x:1234: >>/etc/group
	finds "$(node): .*does not belong to the group" 70-dmacpy.rules \
		as_user dmacpy doctor
	chgrp 1234 "$(node)"
	finds "$(node): .*you are not in the group" usermod \
		as_user dmacpy doctor
}

# Catches: an error that does not name its limit.
test_limits()
{
	need_user
	chmod 666 "$(node)"
	finds "$(node): only 64 KiB may be locked" memlock \
		as_user 'ulimit -l 64; dmacpy doctor'
	echo 1 >$quota
	finds "$(node): your quota of SRAM" sram_quota_kib \
		as_user dmacpy doctor
}

sram_is_gone()
{
	dmacpy info -d "$(node)" --json >info.json
	[ "$(json sram_free)" -eq 0 ]
}

# Catches: SRAM that other programs use.
test_no_sram()
{
	dmacpy bench -d "$(node)" --time 60 --batch 16 --src sram --dst sram \
		--size 32K >/dev/null 2>&1 &
	eventually sram_is_gone || fail "the SRAM is free"
	dmacpy doctor >found
	kill $!
	wait $!
	finds "$(node): no SRAM is free" /sys/kernel/debug/dmacpy \
		sh -c 'cat found; exit 1'
}

copies()
{
	dmacpy copy -d "$(node)" /bin/busybox copy >/dev/null 2>&1
}

# Catches: an engine that fails, that hangs, that hangs repeatedly, and a
# channel that does not recover.
test_engine()
{
	trap 'knob hang 0; echo 5000 >$timeout; rebind' EXIT
	knob next_failed 1
	finds "$(node): a copy fails: Input/output error" 'dmacpy test' \
		dmacpy doctor
	echo 100 >$timeout
	knob hang 1
	finds "$(node): the engine makes no progress" interrupts dmacpy doctor
	grep -q "^PROBLEM .*$fake: the channel .* is being recovered" out ||
		fail "not recovering: $(cat out)"
	grep -q "^note .*$fake: the channel .* has stopped, 1 x" out ||
		fail "not stopped: $(cat out)"
	knob hang 0
	eventually copies || fail "the channel does not recover"
	echo 5000 >$timeout
	expect 0 dmacpy doctor
	grep -q "^note .*$fake: jobs failed by the engine: 1" out ||
		fail "no failed job: $(cat out)"
}

# Catches: a failure that only root can see; a failed check that is not
# reported.
test_failures_as_user()
{
	need_user
	trap 'knob hang 0; echo 5000 >$timeout; rebind
		rm -r /etc' EXIT
	echo 100 >$timeout
	chmod 666 "$(node)"
	knob hang 1
	copies
	finds "$fake: a channel is being recovered" dmesg as_user dmacpy doctor
	grep -q "^note .*$fake: a channel has stopped, [12] x" out ||
		fail "not stopped: $(cat out)"
	grep -q '^unseen .*Permission denied' out ||
		fail "nothing is unseen: $(cat out)"
	tail -n 1 out | grep -q ', 0 not seen' && fail "the total is 0"
	knob hang 0
	eventually copies || fail "the channel does not recover"
}

# Catches: arguments that are ignored.
test_usage()
{
	expect 2 dmacpy doctor too much
	expect 2 dmacpy -d 0 doctor
	grep -q 'drop -d' err || fail "no message"
}

run_tests healthy no_module no_engine no_node unbound refused \
	refused_by_name deferred no_file no_permission limits no_sram engine \
	failures_as_user usage
