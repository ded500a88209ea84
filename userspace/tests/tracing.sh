# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tracepoints, and whether the recipes of Documentation/tracing.rst use
# them. The functions about the recipes, prepended to this file, are those that
# recipes.awk makes.

tracing=/sys/kernel/debug/tracing
events=$tracing/events/dmacpy
node=$(fake_node)

# Catches: a recipe for another version of the driver.
test_recipes()
{
	[ "$(recipe_fields | wc -l)" -ge 20 ] || fail "the recipes are missing"
	recipe_fields | while read -r event field; do
		[ -f "$events/$event/format" ] || fail "no $event"
		[ "$field" = - ] ||
			grep -Eq "[ \t]$field(\[[0-9]+\])?;" \
				"$events/$event/format" ||
			fail "$event has no $field"
	done || exit 1
}

# Catches: a tracepoint that no recipe uses.
test_all_are_shown()
{
	for event in "$events"/*/format; do
		event=$(basename "$(dirname "$event")")
		recipe_fields | grep -q "^$event " || fail "no recipe for $event"
	done
}

# traced COMMAND...: store the lines of these tracepoints in "trace"
traced()
{
	echo >$tracing/trace
	echo 1 >$events/enable
	trap 'echo 0 >$events/enable' EXIT
	"$@" >out 2>err
	echo 0 >$events/enable
	grep -v '^#' $tracing/trace >trace
}

# counted EVENT NUMBER: check that the trace has at least this many
counted()
{
	[ "$(grep -c "$1:" $tracing/trace)" -ge "$2" ]
}

# A program may learn of a completion before the completion is traced.
copy_100_times()
{
	dmacpy bench -d "$node" --src sram --dst sram --size 4K \
		--iterations 100 --batch 3 --gap 64
	eventually counted dmacpy_job_done 100
}

# Catches: a job that is submitted, started or completed twice, or under another
# name, or in another order; bytes that the engine does not get.
test_jobs()
{
	traced copy_100_times
	awk '
		{
			event = ""
			for (i = 1; i <= NF; i++) {
				if ($i ~ /^dmacpy_.*:$/)
					event = $i
				split($i, pair, "=")
				value[pair[1]] = pair[2]
			}
			job = value["job"]
		}
		event == "dmacpy_job_submit:" {
			wrong += value["bytes"] != 12288 || value["ops"] != 3
			state[job]++
			jobs++
		}
		event == "dmacpy_job_start:" { wrong += state[job]++ != 1 }
		event == "dmacpy_chan_feed:" { fed += value["bytes"] }
		event == "dmacpy_job_done:" {
			wrong += state[job]++ != 2 || value["result"] != 0
			done++
		}
		END {
			print "# " jobs " jobs, " fed " bytes, " wrong " wrong"
			exit !(jobs == 100 && done == jobs && !wrong &&
			       fed == 12288 * jobs)
		}' trace || { head -n 20 trace; fail "wrong tracepoints"; }
}

# A recovery is traced after the channel is up.
hang()
{
	knob hang 1
	dmacpy copy -d "$node" /bin/busybox copy
	knob hang 0
	eventually counted dmacpy_chan_revived 1
}

# Catches: a failure that is not traced.
test_failures()
{
	timeout=/sys/module/dmacpy/parameters/timeout_ms
	echo 100 >$timeout
	traced hang
	echo 5000 >$timeout
	grep -q 'dmacpy_job_done: .*result=-110' trace || fail "no result"
	[ "$(grep -c 'dmacpy_chan_timeout: chan=dma' trace)" -eq 1 ] ||
		fail "no timeout"
	[ "$(grep -c 'dmacpy_chan_revived: chan=dma' trace)" -eq 1 ] ||
		fail "no recovery"
}

run_tests recipes all_are_shown jobs failures
