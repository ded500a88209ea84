# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The time that tilefilter gains by filtering one tile while the engine copies
# others: on the fake engine, with so little bandwidth that it copies all the
# time.

bytes_per_us=2

# The engine has to copy for at least half of the filter's time.
gains_enough()
{
	awk -F ': ' '{ of[$1] = $2 } END {
		printf "# %d ms with %d ms in the filter, %d ms gained\n",
			of["time-total-ms"], of["time-filter-ms"],
			of["time-gained-ms"]
		exit of["time-gained-ms"] < of["time-filter-ms"] / 2
	}' "$1"
}

# Catches: a wait for copies before the filter starts.
test_time_is_gained()
{
	[ "$(nproc)" -gt 1 ] ||
		skip "the engine in software needs a CPU of its own"
	{
		echo P6 640 427 255
		head -c $((640 * 427 * 3)) /dev/urandom
	} >in.ppm
	knob bytes_per_us $bytes_per_us
	# A busy host makes the filter slower in some tries.
	for _ in 1 2 3 4 5; do
		expect 0 tilefilter -d "/dev/$(fake_node)" in.ppm out.ppm
		gains_enough out && break
	done
	knob bytes_per_us 0
	gains_enough out || fail "the engine was idle"
}

run_tests time_is_gained
