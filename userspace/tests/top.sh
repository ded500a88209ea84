# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# "dmacpy top": the programs that use the devices, and their users.

node=$(fake_node)
program=load

# with_load COMMAND...: run it while a copy of the tool with the name $program copies
with_load()
{
	ln -sf "$(command -v dmacpy)" "$program"
	"./$program" bench -d "$node" --time 60 --src sram --dst sram --size 8K \
		>/dev/null 2>&1 &
	load=$!
	trap 'kill $load 2>/dev/null' EXIT
	eventually has_copied "$load" || fail "the load does not copy"
	expect 0 "$@"
	kill "$load"
	wait "$load" 2>/dev/null
}

# value KEY LINE-PATTERN: print the value in the first matching line of "out",
# which has one object per line
value()
{
	grep -e "$2" out | head -n 1 |
		sed -n "s/.*\"$1\": \"\{0,1\}\([^\",}]*\).*/\1/p"
}

# Catches: a process that is not found, or that has the figures of another.
test_json()
{
	with_load dmacpy top -d "$node" --once --json
	[ "$(value command '"pid": ')" = load ] || fail "no load: $(cat out)"
	[ "$(value pid '"pid": ')" = "$load" ] || fail "the wrong process"
	[ "$(value device '"pid": ')" = "$node" ] || fail "the wrong device"
	value channel '"pid": ' | grep -q '^dma[0-9]*chan[0-9]*$' ||
		fail "no channel: $(cat out)"
	awk -v jobs="$(value jobs '"pid": ')" \
		-v bytes="$(value bytes '"pid": ')" \
		-v jobs_per_s="$(value jobs_per_s '"pid": ')" \
		-v bytes_per_s="$(value bytes_per_s '"pid": ')" 'BEGIN {
			exit !(jobs > 0 && bytes == 8192 * jobs &&
			       jobs_per_s > 0 &&
			       bytes_per_s / jobs_per_s > 8000 &&
			       bytes_per_s / jobs_per_s < 8400)
		}' || fail "wrong figures: $(cat out)"
	[ "$(value sram_kib '"pid": ')" -ge 16 ] || fail "no SRAM"
	[ "$(grep -c '"name": ' out)" -eq 1 ] || fail "other devices, too"
	[ "$(value bytes_per_s '"name": ')" -gt 0 ] || fail "no bytes counted"
	[ "$(value channels '"name": ')" = "$(cat \
		"/sys/class/misc/$node/channels")" ] || fail "wrong channels"
}

# Catches: a table without the load; an idle device that is omitted.
test_table()
{
	with_load dmacpy top -n 2
	# The library has a stream for the device, and one that copies.
	[ "$(grep -c "^ *$load load  *$node  *dma" out)" -eq 4 ] ||
		fail "not twice: $(cat out)"
	for device in /dev/dmacpy[0-9]*; do
		[ "$(grep -c "^${device#/dev/}: " out)" -eq 2 ] ||
			fail "no $device"
	done
	sed 's/^/# /' out
}

# shown_as ESCAPED WANTED: check how top shows a process of this name
shown_as()
{
	program=$(printf %b "$1")
	with_load dmacpy top -d "$node" --once --json
	[ "$(value command '"pid": ')" = "$(printf %b "$2")" ] ||
		fail "$1 is shown as $(value command '"pid": ')"
}

# Catches: names that control root's terminal, also by control characters beyond
# ASCII; invalid JSON: overlong and cut characters, surrogates, other bytes.
test_names()
{
	shown_as '\0033[2J\0011\0012x\0177' '?[2J??x?'
	shown_as 'a\0302\0233\0302\0240b' 'a??\0302\0240b'
	shown_as '\0300\0257\0355\0240\0200\0364\0220\0200\0200\0377' \
		'??????????'
	shown_as '\0340\0237\0277\0360\0217\0277\0277' '???????'
	# The kernel cuts it in the last character.
	shown_as '12345\0303\0244\0342\0202\0254\0360\0237\0230\0200\0303\0244' \
		'12345\0303\0244\0342\0202\0254\0360\0237\0230\0200?'
}

# Catches: a failure that is not shown; a channel that is down and is not shown.
test_failures()
{
	timeout=/sys/module/dmacpy/parameters/timeout_ms
	trap 'knob hang 0; echo 5000 >$timeout' EXIT
	before=$(cat "/sys/class/misc/$node/timeouts")
	echo 100 >$timeout
	knob hang 1
	expect 1 dmacpy copy -d "$node" /bin/busybox copy
	expect 0 dmacpy top -d "$node" --once -j
	[ "$(value timeouts '"name": ')" -eq $((before + 1)) ] ||
		fail "no timeout: $(cat out)"
	[ "$(value channels_down '"name": ')" -eq 1 ] ||
		fail "not down: $(cat out)"
	expect 0 dmacpy top -d "$node" --once
	grep -q "^$node: .*, 1 DOWN; .* timeouts" out ||
		fail "not down: $(cat out)"
	knob hang 0
	eventually is_up || fail "still down"
}

is_up()
{
	[ "$(cat "/sys/class/misc/$node/channels_down")" -eq 0 ]
}

# Catches: a list that contains the tool itself; invalid JSON without streams;
# arguments that are ignored.
test_idle_and_usage()
{
	expect 0 dmacpy top -d "$node" --once -j
	grep -q '"streams": \[\],' out || fail "a stream: $(cat out)"
	expect 2 dmacpy top -n 0
	expect 2 dmacpy top --delay x
	expect 2 dmacpy top more
	expect 1 dmacpy top -d 99 --once
	dmacpy top >/dev/null &
	pid=$!
	eventually catches_signals $pid 2>/dev/null || fail "it ignores SIGTERM"
	kill -INT $pid 2>/dev/null || fail "it exited by itself"
	kill $pid 2>/dev/null
	wait $pid || fail "status $? after a signal"
}

run_tests json table names failures idle_and_usage
