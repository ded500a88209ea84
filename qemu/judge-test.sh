#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The suite "harness": does judge.py notice what it is there for? Prints KTAP.
set -eu -o pipefail

cd "$(dirname "$0")"

number=0 failed=0

# expect NAME STATUS LAST-LINE COMMAND...: of the command, on our stdin
expect()
{
	local name=$1 wanted="$2: $3" got status=0
	shift 3
	got=$("$@") || status=$?
	got="$status: ${got##*$'\n'}"
	number=$((number + 1))
	if [ "$got" = "$wanted" ]; then
		echo "ok $number $name"
	else
		echo "# wanted $wanted, got $got"
		echo "not ok $number $name"
		failed=1
	fi
}

# expect_suite NAME STATUS LAST-LINE LINE...: for these lines
expect_suite()
{
	expect "$1" "$2" "$3" ./judge.py suites \
		< <(printf '%s\n' '#@ suites one' '#@ suite one' "${@:4}")
}

# expect_log NAME STATUS LINE-OF-THE-LOG...
expect_log()
{
	local last='ok 1 kernel log'
	[ "$2" -eq 0 ] || last="not $last"
	expect "$1" "$2" "$last" ./judge.py kernel-log <(
		printf '%s\n' 'WARNING: known' 'BUG: known 0x' \
			'kmemleak: N new' 'x: WARNING: size N, known' \
			'WARNING: CPU: N PID: N at y.c:2' \
			'Internal error: known [#N]' '[fails breaks]' \
			'dmacpy N: channel N: recovered after N ms'
	) \
		< <(printf '[    1.234567] %s\n' "${@:3}")
}

# expect_shutdown NAME STATUS JOBS [VARIABLE=VALUE]
expect_shutdown()
{
	local name=$1 status=$2 jobs=$3 begun_at=10 done_at=40 result=-19 lost=0
	local seconds
	[ -z "${4:-}" ] || local "${4?}"
	seconds=$((${done_at:-0} - begun_at)).0
	expect "$name" "$status" "# $jobs, 0 lost, in $seconds s" \
		./judge.py shutdown "$lost" < <(
		echo "[   $begun_at.000000] copies are in flight"
		[ -z "$result" ] ||
			echo "[   11.000000] dmacpy_job_done: result=$result"
		[ -z "$done_at" ] ||
			echo "[   $done_at.000000] reboot: Restarting system"
	)
}

# expect_budget NAME STATUS LAST-LINE FIGURE GCC [KERNEL]
expect_budget()
{
	expect "$1" "$2" "$3" ./judge.py budgets \
		<(printf '%s\n' "kernel ${6:-6.12}" 'floor 50' ${4:+"wait $4"}) \
		<(printf '%s\n' '# comment' '' 'kernel 6.12' 'gcc 12' \
			'wait 100 1.5 floor') "$5"
}

echo 1..52
expect_suite 'all pass' 0 '2 passed, 0 failed' \
	1..2 'ok 1 a' 'ok 2 b' '#@ exit 0'
expect_suite 'failed test' 1 '1 passed, 1 failed' \
	1..2 'ok 1 a' 'not ok 2 b' '#@ exit 1'
expect_suite 'skipped is not passed' 1 '0 passed, 0 failed, 1 skipped' \
	1..1 'ok 1 a # SKIP no engine' '#@ exit 4'
expect_suite 'skipped suite is not passed' 1 '0 passed, 0 failed, 1 skipped' \
	'1..0 # SKIP no engine' '#@ exit 4'
expect_suite 'missing plan' 1 '1 passed, 1 failed' 'ok 1 a' '#@ exit 0'
expect_suite 'second plan' 1 '1 passed, 1 failed' \
	1..1 'ok 1 a' 1..1 '#@ exit 0'
expect_suite 'empty plan' 1 '0 passed, 1 failed' 1..0 '#@ exit 0'
expect_suite 'too few tests' 1 '1 passed, 1 failed' \
	1..2 'ok 1 a' '#@ exit 0'
expect_suite 'test left out' 1 '2 passed, 1 failed' \
	1..2 'ok 1 a' 'ok 3 c' '#@ exit 0'
expect_suite 'truncated stream' 1 '1 passed, 1 failed' 1..1 'ok 1 a'
expect_suite 'crash after the last test' 1 '1 passed, 1 failed' \
	1..1 'ok 1 a' '#@ exit 139'
expect_suite 'bail out' 1 '1 passed, 1 failed' \
	1..1 'Bail out! no device' 'ok 1 a' '#@ exit 0'
expect 'suites that did not run' 1 '0 passed, 2 failed' \
	./judge.py suites <<<'#@ suites one two'
expect 'nothing at all' 1 '0 passed, 0 failed' ./judge.py suites </dev/null
expect_suite 'suite that runs twice' 1 '2 passed, 1 failed' \
	1..1 'ok 1 a' '#@ exit 0' '#@ suite one' 1..1 'ok 1 a' '#@ exit 0'
expect_suite 'suite that ends before its status' 1 '2 passed, 1 failed' \
	1..1 'ok 1 a' '#@ suite two' 1..1 'ok 1 a' '#@ exit 0'
expect_suite 'output that is no text' 0 '1 passed, 0 failed' \
	$'\xff\xfe' 1..1 'ok 1 a' '#@ exit 0'

start='Linux version 6.12'
expect_log 'clean log' 0 "$start" 'dmacpy: ready'
expect_log 'warning in the log' 1 "$start" 'WARNING: CPU: 0 PID: 1 at x.c:1'
expect_log 'known line' 0 "$start" 'WARNING: known'
expect_log 'longer than the known line' 1 "$start" 'WARNING: known too'
expect_log 'known but for an address' 0 "$start" 'BUG: known 0x12ab'
expect_log 'known but for a size or a count' 0 "$start" \
	'kmemleak: 3 new' 'x: WARNING: size 72, known'
expect_log 'another number than in the known line' 1 "$start" \
	'x: WARNING: size 72, known 5'
expect_log 'trace of a known line' 0 "$start" 'WARNING: known' 'CPU: 0' \
	'Call trace: '
expect_log 'trace after a known line without one' 1 "$start" 'WARNING: known' \
	'x' 'CPU: 0' 'Call trace: '
cut='------------[ cut here ]------------' end='---[ end trace 0000 ]---'
expect_log 'known report' 0 "$start" "$cut" 'BUG: known 0x1' 'WARNING: x' "$end"
place='WARNING: CPU: 0 PID: 1 at x.c:1'
expect_log 'known report after its place' 0 \
	"$start" "$cut" "$place" 'BUG: known 0x1' 'WARNING: x' "$end"
expect_log 'known report of a place' 0 "$start" "$cut" \
	'WARNING: CPU: 3 PID: 7 at y.c:2' 'Call trace:' 'WARNING: x' "$end"
expect_log 'report that is not known after its place' 1 \
	"$start" "$cut" "$place" 'x' "$end"
expect_log 'report that is known later' 1 \
	"$start" "$cut" 'WARNING: x' 'BUG: known 0x1' "$end"
expect_log 'warning after a known report' 1 \
	"$start" "$cut" 'BUG: known 0x1' "$end" 'WARNING: x'
expect_log 'known abort' 0 "$start" 'Internal error: known [#2]' 'CPU: 0' \
	'pc : x' 'Call trace:' ' x+0x1/0x2' "$end"
expect_log 'abort that is not known' 1 "$start" 'Internal error: x [#2]' "$end"
expect_log 'warning after a known abort' 1 "$start" \
	'Internal error: known [#2]' "$end" 'WARNING: x'
expect_log 'data race' 1 "$start" '=====' \
	'BUG: KCSAN: data-race in chan_feed [dmacpy] / chan_reap [dmacpy]' '' \
	'write to 0xffff0000087a5eb0 of 8 bytes by task 49 on cpu 0:' \
	' chan_reap+0x234/0x378 [dmacpy]' '====='
recovered='dmacpy 1f.dmacpy: channel dma3chan0: recovered after 12 ms'
expect_log 'a failure where it is provoked' 0 \
	"$start" 'suite fails' "$recovered" 'suite breaks' "$recovered"
expect_log 'a failure that is not provoked' 1 \
	"$start" 'suite fails' 'suite works' "$recovered"
expect_log 'another failure where one is provoked' 1 \
	"$start" 'suite fails' 'dmacpy 1f.dmacpy: channel dma3chan0: lost'
expect_log 'no boot in the log' 1 'dmacpy: ready'

expect_shutdown 'shutdown' 0 '1 jobs ended with ENODEV, 0 with something else'
expect_shutdown 'shutdown that hangs' 1 \
	'1 jobs ended with ENODEV, 0 with something else' done_at=41
expect_shutdown 'guest that does not go down' 1 \
	'1 jobs ended with ENODEV, 0 with something else' done_at=
expect_shutdown 'job that is lost' 1 \
	'0 jobs ended with ENODEV, 0 with something else' result=
expect_shutdown 'job that ends otherwise' 1 \
	'0 jobs ended with ENODEV, 1 with something else' result=-5
expect_shutdown 'engine that does not stop' 1 \
	'1 jobs ended with ENODEV, 0 with something else' lost=1

expect_budget 'figure within its budget' 0 \
	'ok 1 wait # 100 of 100, 2 times floor where 1.5 is the aim' 100 12
expect_budget 'figure above its budget' 1 \
	'not ok 1 wait # 104 of 100, 2.08 times floor where 1.5 is the aim' \
	104 12
expect_budget 'figure above that of another kernel' 0 \
	'ok 1 wait # 104 of 100, 2.08 times floor where 1.5 is the aim' \
	104 12 7.0
expect_budget 'figure below its budget' 0 \
	'ok 1 wait # 90 of 100, 1.8 times floor where 1.5 is the aim: lower the budget' \
	90 12
expect_budget 'figure below that of another compiler' 0 \
	'ok 1 wait # 90 of 100, 1.8 times floor where 1.5 is the aim' 90 14
expect_budget 'figure that is missing' 1 'not ok 1 wait # was not measured' \
	'' 12
exit "$failed"
