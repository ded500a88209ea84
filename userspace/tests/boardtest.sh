# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# "dmacpy test": it passes on a correct board, and each of its rows fails if the
# engine has the error that the row tests.

timeout=/sys/module/dmacpy/parameters/timeout_ms
node=/dev/$(fake_node)

rows()
{
	dmacpy help test | sed -n '/^rows:/,$ s/^  //p'
}

# bounces: all memory but SRAM bounces, and that of a udmabuf is not synced
bounces()
{
	grep -q 'swiotlb=.*,force' /proc/cmdline
}

# tests_udmabuf: the rows that need a dma-buf have a udmabuf
tests_udmabuf()
{
	[ -c /dev/udmabuf ] && [ ! -c /dev/dma_heap/system ]
}

has_dmabufs()
{
	[ -c /dev/dma_heap/system ] || { [ -c /dev/udmabuf ] && ! bounces; }
}

# The rows that this kernel has memory for
possible_rows()
{
	if has_dmabufs; then rows; else rows | grep -v heap; fi
}

behave()
{
	for knob in no_result no_order no_sram_read no_sram_write sram_ignored \
		    stale_src hang delay_us next_failed next_short next_long \
		    next_dropped next_lost; do
		knob $knob 0
	done
	echo 5000 >$timeout
}

# fails ROW PATTERN [KNOB VALUE]...: check that the row fails, with this reason
fails()
{
	local row=$1 pattern=$2
	shift 2
	trap behave EXIT
	while [ $# -gt 0 ]; do
		knob "$1" "$2"
		shift 2
	done
	expect 1 dmacpy test -d "$node" "$row"
	behave
	grep -q "^  $row  *FAIL .*$pattern" out && return
	sed 's/^/# /' out
	fail "$row does not fail by '$pattern'"
}

# quick LIMIT COMMAND...: expect success within so many seconds. The host may be
# busy: the second try counts.
quick()
{
	local limit=$1 start
	shift
	for _ in 1 2; do
		start=$(cut -d. -f1 /proc/uptime)
		expect 0 "$@"
		[ $(($(cut -d. -f1 /proc/uptime) - start)) -gt "$limit" ] ||
			return 0
	done
	fail "more than $limit s: $*"
}

# Catches: a row that fails on a correct board or device; minutes in place of
# seconds.
test_passes()
{
	local device wanted='' limit=120
	# A kernel that checks its locks is slow.
	[ ! -e /proc/lockdep_stats ] || limit=600
	! bounces || wanted=$(possible_rows)
	# shellcheck disable=SC2086 # all of them, or some
	quick "$limit" dmacpy test $wanted
	sed 's/^/# /' out
	! grep -q FAIL out || fail "a row fails"
	for device in /dev/dmacpy[0-9]*; do
		grep -q "^$device " out || fail "$device is not tested"
	done
	for row in ${wanted:-$(rows)}; do
		grep -q "^  $row  *\(pass\|skipped\) " out || fail "no $row"
	done
	tail -n 1 out |
		grep -qx '[1-9][0-9]* passed, 0 failed, [0-9]* skipped' ||
		fail "no totals"
}

# Catches: channels that are not tested.
test_each_channel()
{
	local name names count
	expect 0 dmacpy info -d "$node" --json
	cp out info.json
	count=$(json channels)
	expect 0 dmacpy test -d "$node" --tap wait
	names=$(sed -n "s|^ok [0-9]* $node \(dma[0-9a-z]*\) wait$|\1|p" out)
	[ "$(echo "$names" | sort -u | wc -l)" -eq "$count" ] ||
		fail "not $count channels: $names"
	tail -n 1 out | grep -qx "1..$count" || fail "no plan"
	[ "$(head -n 1 out)" = 'TAP version 13' ] || fail "no version"
}

# Catches: invalid JSON, and totals that are wrong.
test_json()
{
	local row='{"device": "[^"]*", "channel": "[^"]*", "row": "[a-z-]*", '
	row="$row\"verdict\": \"(pass|fail|skipped)\", "
	row="$row\"detail\": (null|\".*\")},?"
	expect 0 dmacpy test -d "$node" --json wait latency
	[ "$(head -n 1 out)" = '{' ] || fail "does not start with {"
	[ "$(tail -n 1 out)" = '}' ] || fail "does not end with }"
	grep '"row"' out | grep -vEx "    $row" && fail "a row is no object"
	grep '"row"' out | sed '$d' | grep -v ',$' && fail "a comma is missing"
	cp out info.json
	[ "$(json passed) $(json failed)" = \
		"$(grep -c '"verdict": "pass"' out) 0" ] || fail "wrong totals"
	knob no_result 1
	knob next_failed 1
	trap behave EXIT
	expect 1 dmacpy test -d "$node" --json wait
	cp out info.json
	[ "$(json failed)" = 1 ] || fail "not exactly 1 has failed"
	grep -q '"verdict": "fail", "detail": ".*as they were' out ||
		fail "no reason"
}

# Catches: a row that does not check the data: one copy is omitted, and reported
# as complete. The others of the device are correct.
test_left_out()
{
	local row
	for row in $(possible_rows); do
		[ "$row" != latency ] || continue
		fails "$row" '.' no_result 1 next_failed 1
	done
}

# Catches: data that the engine has from a cache, and a row that does not report
# this as the cause; a fault of the SRAM that is reported as one of a cache.
test_stale_cache()
{
	local row
	for row in $(possible_rows | grep '^cpu-to-engine-'); do
		expect 0 dmacpy test -d "$node" wait "$row"
		fails "$row" 'are the previous data of the source. .*"dma-coherent"' \
			stale_src 1
	done
	fails engine-to-cpu-user 'are as they were. .*"dma-coherent"' \
		no_result 1 next_failed 1
	for row in copy-sram-user copy-user-sram; do
		fails "$row" '.' no_sram_read 1 no_sram_write 1
		! grep dma-coherent out || fail "$row suspects a cache"
	done
}

# Catches: a udmabuf whose bounce buffers are not synced, and a row that does
# not report this as the cause.
test_bounces()
{
	bounces || skip "the kernel runs without swiotlb=N,force"
	tests_udmabuf || skip "the rows have no udmabuf"
	fails cpu-to-engine-heap 'are zero. .*udmabuf bounce'
	fails engine-to-cpu-heap 'are as they were. .*udmabuf bounce'
}

# Catches: a dma-buf that is not tested where there is no heap.
test_udmabuf()
{
	tests_udmabuf || skip "the rows have no udmabuf"
	! bounces || skip "the memory of a udmabuf bounces"
	expect 0 dmacpy test -d "$node" copy-heap-heap
	grep -q '^  copy-heap-heap  *pass .*with a udmabuf' out ||
		fail "$(cat out)"
}

# Catches: a long job of which not all parts are checked.
test_longest()
{
	fails copy-longest 'bytes copied: 0x0 at [0-9]*, not 0x' \
		no_result 1 next_short 1
}

# Catches: half a copy that is accepted as a whole one.
test_half()
{
	fails copy-user-user 'bytes .* are as they were' \
		no_result 1 next_short 1
	fails fill-sram 'filled: bytes .* are as they were' \
		no_result 1 next_short 1
}

# Catches: neighbouring bytes that are not checked.
test_too_much()
{
	local row
	for row in edges-sram edges-user copy-user-user copy-user-sram copy-2d \
		   fill-user wait; do
		fails "$row" 'though not to be written' next_long 1
	done
}

# Catches: an engine that cannot access the SRAM.
test_sram_not_reached()
{
	fails copy-sram-user 'are zero. Does the engine reach the source?' \
		no_sram_read 1
	fails engine-to-cpu-user 'are zero' no_sram_read 1
	fails aliases 'the engine finds 0x0 at 0x0. Is there SRAM' \
		no_sram_read 1
	fails copy-user-sram 'are as they were' no_sram_write 1
	fails aliases 'the CPU finds 0x[0-9a-f]* at 0x0. Is there' \
		no_sram_write 1
}

# Catches: two addresses of one cell.
test_aliases()
{
	fails aliases 'finds at 0x10000 the data of 0x0. Is the SRAM as' \
		sram_ignored 0x10000
	fails aliases 'finds at 0x4000 the data of 0x0. Is the SRAM as' \
		sram_ignored 0x4000
}

# Catches: jobs that overtake each other. Each is so slow that on any host the
# next jobs are submitted before it completes.
test_order()
{
	fails order 'out of order' no_order 1 delay_us 20000
}

# Catches: interrupts that are only replaced by timeouts.
test_latency()
{
	fails latency "does the engine's interrupt arrive" delay_us 150000
}

# Catches: a way to wait that does not report an error.
test_errors_are_reported()
{
	local row
	for row in wait event poll fence flush uring latency order at-once; do
		fails "$row" 'Input/output error.*engine reported an error' \
			next_failed 1
	done
}

# Catches: minutes of waiting for a dead channel; a row that is not run, and
# counted as passed.
test_hangs()
{
	local row
	for row in wait event poll fence flush uring copy-user-user; do
		echo 100 >$timeout
		fails "$row" "timed out: does the engine's interrupt" hang 1
		eventually dmacpy test -d "$node" wait >/dev/null 2>&1 ||
			fail "the channels do not recover"
	done
	echo 100 >$timeout
	knob hang 1
	expect 1 dmacpy test -d "$node"
	behave
	grep -q '^  latency  *skipped .*has not recovered' out ||
		fail "rows are run on a stopped channel: $(cat out)"
	# Each channel may have run the first row before it stopped.
	tail -n 1 out | grep -q '^0 passed, [1-9][0-9]* failed, ' ||
		fail "not all rows failed: $(cat out)"
	eventually dmacpy test -d "$node" wait >/dev/null 2>&1 ||
		fail "the channels do not recover"
}

# Catches: an interrupt that is lost on one channel, and a row that hides it.
test_lost_interrupt()
{
	echo 100 >$timeout
	fails wait "timed out: does the engine's interrupt" next_lost 1
	eventually dmacpy test -d "$node" wait >/dev/null 2>&1 ||
		fail "the channel does not recover"
}

# Catches: SRAM of other programs that is reported as a fault of the board.
test_sram_in_use()
{
	dmacpy bench -d "$node" --time 60 --batch 16 --src sram --dst sram \
		--size 32K >/dev/null 2>&1 &
	eventually sram_is_gone || fail "the SRAM is free"
	expect 0 dmacpy test -d "$node" copy-user-sram aliases wait
	kill $!
	wait $!
	grep -q '^  copy-user-sram  *skipped .*other programs hold it' out ||
		fail "copies to SRAM: $(cat out)"
	grep -q '^  aliases  *skipped .*other programs hold it' out ||
		fail "aliases: $(cat out)"
	grep -q '^  wait  *pass' out || fail "no pass: $(cat out)"
}

sram_is_gone()
{
	dmacpy info -d "$node" --json >info.json
	[ "$(json sram_free)" -eq 0 ]
}

# Catches: a limit of the user that is reported as a fault of the board.
test_limits()
{
	unshare -U true || skip "this kernel has no user namespaces"
	chmod 666 "$node"
	trap 'chmod 600 $node' EXIT
	# shellcheck disable=SC3045 # busybox has it
	(ulimit -l 16 && expect 4 unshare -U dmacpy test -d "$node" wait) ||
		fail "not skipped"
	grep -q '^  wait  *skipped .*16 KiB may be locked' out ||
		fail "no reason: $(cat out)"
	chmod 0 "$node"
	expect 1 unshare -U dmacpy test -d "$node" wait
	grep -q '^  open  *FAIL' out || fail "opened: $(cat out)"
	grep -q 'Permission denied' err || fail "no reason: $(cat err)"
}

# Catches: a quota of SRAM that is reported as a fault of the board.
test_quota()
{
	quota=/sys/module/dmacpy/parameters/sram_quota_kib
	unshare -U true || skip "this kernel has no user namespaces"
	chmod 666 "$node"
	trap 'echo 0 >$quota; chmod 600 $node' EXIT
	echo 64 >$quota
	expect 4 unshare -U dmacpy test -d "$node" aliases
	grep -q "^  aliases  *skipped .*the user's quota of SRAM" out ||
		fail "no reason: $(cat out)"
}

# Catches: SRAM that another program takes just before the test does, and that
# is reported as a fault of the board. The program takes the first page, and
# gives it back, again and again, until the test has it.
test_sram_is_taken_before_alloc()
{
	local status try
	for try in $(seq 20); do
		dmacpy bench -d "$node" --time 60 --mode alloc --dst user \
			>/dev/null 2>&1 &
		eventually catches_signals $! || fail "no program takes SRAM"
		status=0
		dmacpy test -d "$node" aliases >out 2>err || status=$?
		kill $! 2>/dev/null
		wait $!
		[ $status -eq 0 ] || [ $status -eq 4 ] ||
			fail "try $try: $(cat out)"
	done
}

# Catches: a limit of the module that is reported as a fault of the board.
test_module_limits()
{
	local limits
	for limits in 'max_ops=8 max_events=1' 'max_rows=1 max_bytes=4096'; do
		# shellcheck disable=SC2086 # several parameters
		with_limits $limits
		# shellcheck disable=SC2046 # a list of rows
		expect 0 dmacpy test -d "$(fake_node)" $(possible_rows)
		! grep -q FAIL out || fail "$limits: $(cat out)"
	done
}

# Catches: the status of a success if nothing was tested.
test_nothing_to_test()
{
	expect 2 dmacpy test nonsense
	grep -q "no row 'nonsense'" err || fail "no message"
	expect 2 dmacpy test --nonsense
	expect 1 dmacpy test -d /dev/missing
	[ "$(tail -n 1 out)" = '0 passed, 1 failed, 0 skipped' ] ||
		fail "$(cat out)"
}

run_tests passes each_channel json left_out stale_cache bounces udmabuf \
	longest half too_much sram_not_reached \
	aliases order latency errors_are_reported hangs lost_interrupt \
	sram_in_use limits quota sram_is_taken_before_alloc module_limits \
	nothing_to_test
