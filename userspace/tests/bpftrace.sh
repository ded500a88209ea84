# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The recipes of Documentation/tracing.rst, run by bpftrace beside jobs, each by
# the test of its name. The functions about the recipes, prepended to this file,
# are those that recipes.awk makes.

node=$(fake_node)

# What 100 jobs of three copies have
copies="dmacpy bench -d $node --src sram --dst sram --mode fence --size 4K
	--batch 3 --gap 64 --iterations 100"
bytes=1228800

# beside RECIPE COMMAND...: run the command while bpftrace runs the recipe, and
# store what the recipe prints in "trace". bpftrace runs a shell that reports
# that the recipe has started, and waits until the command has ended.
beside()
{
	recipe "$1" >recipe.bt
	shift
	mkfifo ready ended
	exec 3<>ready 4<>ended
	trap 'echo >&4' EXIT
	cat >waiter <<-EOT
		echo >ready
		read -r _ <ended
	EOT
	{
		bpftrace -B line -c '/bin/sh waiter' recipe.bt >trace 2>errors ||
			touch failed
		touch stopped
		echo >&3
	} &
	read -r _ <&3
	[ -e stopped ] || "$@" >out 2>err </dev/null
	echo >&4
	wait
	[ ! -e failed ] || fail "bpftrace has failed: $(cat errors)"
	[ ! -s errors ] || fail "bpftrace warns: $(cat errors)"
}

# wrong WHAT: end the test, which "trace" has failed
wrong()
{
	sed 's/^/# /' trace
	fail "wrong $*"
}

# rows NAME: print the lower bound of each row of a histogram in "trace" and the
# number of values in it, unless that is 0, and an empty line at the end; of all
# histograms with this name
rows()
{
	awk -v name="@$1" '
		function end() { if (inside) print ""; inside = 0 }
		/^@/ {
			end()
			inside = index($0, name ":") == 1 ||
				 index($0, name "[") == 1
		}
		inside && /^[[(].*\|/ {
			low = substr($1, 2) + 0
			if ($1 ~ /K/) low *= 1024
			if ($1 ~ /M/) low *= 1024 * 1024
			sub(/ *\|.*/, "")
			if ($NF > 0) print low, $NF
		}
		END { end() }' trace
}

# histograms NAME: print the lower bound of the first row of each and the number
# of its values
histograms()
{
	rows "$1" | awk '
		NF { if (!sum) low = $1; sum += $2 }
		!NF { print low, sum; sum = 0 }'
}

# The engine takes 20 ms for each job, and each stream has one at a time.
slow_copies()
{
	knob delay_us 20000
	dmacpy bench -d "$node" --src sram --dst sram --mode fence \
		--streams 2 --iterations 20
	knob delay_us 0
}

# Catches: jobs that are not counted, counted twice or under another stream;
# another unit of time.
test_times()
{
	beside times slow_copies
	[ "$(grep -c '^@us\[dmacpy, [0-9]*\]:' trace)" -eq 2 ] || wrong streams
	histograms us | awk '
		$1 < 16384 || $1 > 4000000 || $2 != 20 { wrong = 1 }
		END { exit NR != 2 || wrong }' || wrong times
	! grep -q '^@[^u]' trace || wrong maps
}

# One job waits 300 ms for a fence of another driver, one for nothing.
wait_for_fence()
{
	/tests/drm -r drm.fake_engine.their_fence_holds_our_job
}

copy_and_wait()
{
	$copies
	wait_for_fence
}

# Catches: a wait for a fence that counts as the engine's time, or as another
# program's; the longest wait not at the end.
test_waits()
{
	beside waits copy_and_wait
	grep -q '^ok 1' out || fail "$(cat out)"
	histograms wait_us | grep -q '^[0-9]* 102$' || wrong waits
	histograms engine_us | grep -q '^[0-9]* 102$' || wrong 'times of the engine'
	[ "$(grep -c '^@longest_wait_us' trace)" -eq 2 ] || wrong programs
	grep '^@longest_wait_us' trace | tail -n 1 | awk -F ': ' '
		{ exit $1 != "@longest_wait_us[drm]" || $2 < 300000 }' ||
		wrong 'longest wait'
	! grep '^@' trace | grep -qv '_us' || wrong maps
}

one_second_is_exact()
{
	grep -qx '@jobs\[dmacpy\]: 100' trace &&
		grep -qx "@submitted\[dmacpy\]: $bytes" trace &&
		grep -qx "@copied\[dma[0-9]*chan[0-9]*\]: $bytes" trace
}

# Copies at the end of a second may count for two, or get lost between the
# print and the clear: then there is another try.
copy_until_exact()
{
	tries=0
	until one_second_is_exact || [ $((tries += 1)) -gt 10 ]; do
		$copies
		sleep 2
	done
}

# Catches: jobs or bytes that are not counted; figures that are not cleared.
test_rates()
{
	beside rates copy_until_exact
	one_second_is_exact || wrong rates
	awk -v copied="$((tries * 100))" '
		/^@jobs/ { jobs += $2 }
		END { exit jobs > copied }' trace || wrong sum
}

# 400 jobs on all channels, and two of other lengths
copy_and_wait_on_all()
{
	$copies --streams 4 --size 32K
	wait_for_fence
}

# Catches: operations, fences or descriptors that are not counted; a channel
# with several names, as what follows its name in the trace is not cleared.
test_shapes()
{
	beside shapes copy_and_wait_on_all
	grep -q '^ok 1' out || fail "$(cat out)"
	rows operations | grep -qx '0 402' || wrong operations
	rows fences | grep -qx '0 401' || wrong 'jobs without fences'
	rows fences | grep -qx '1 1' || wrong 'jobs with a fence'
	[ "$(rows bytes | grep -cx '32768 300')" -eq 4 ] || wrong lengths
	[ "$(grep '^@' trace | sort -u | grep -cx \
		'@bytes\[dma[0-9]*chan[0-3]\]: *')" -eq 4 ] || wrong channels
	[ -z "$(grep '^@' trace | sort | uniq -d)" ] || wrong names
}

# copy_badly KNOB: of the engine, for the failure; the process is in "process"
copy_badly()
{
	knob "$1" 1
	dmacpy copy -d "$node" /bin/busybox copy &
	process=$!
	wait $process
	knob "$1" 0
}

fail_and_hang()
{
	copy_badly next_failed
	failed=$process
	copy_badly hang
	hung=$process
	eventually grep -q recovered trace
}

# expect_once PATTERN: one line of "trace" has it after the time
expect_once()
{
	[ "$(grep -c "^[0-9]*:[0-9]*:[0-9]* $1$" trace)" -eq 1 ] || wrong "$1"
}

# Catches: a failure that is not shown, or with another process or error.
test_failures()
{
	timeout=/sys/module/dmacpy/parameters/timeout_ms
	echo 100 >$timeout
	beside failures fail_and_hang
	echo 5000 >$timeout
	expect_once "job [0-9]* of dmacpy, process $failed: error -5"
	expect_once "job [0-9]* of dmacpy, process $hung: error -110"
	expect_once 'dma[0-9]*chan[0-9]*: no progress'
	expect_once 'dma[0-9]*chan[0-9]*: recovered'
}

# shellcheck disable=SC2046 # several
run_tests $(recipe_names)
