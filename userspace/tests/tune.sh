# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# "dmacpy tune": finds the size from which on the engine is faster, for an
# engine of known speed. The machine may be busy with other things, so a test is
# repeated if times are off.

node=$(fake_node)
tries=5

# Print the results: a line for each size, with the pair, the size, and ns by
# the CPU, by the engine, and by the engine with several in a job.
rows()
{
	tr -d '",{}' <tune.json | awk '
		$1 == "src:" { src = $2 }
		$1 == "dst:" { dst = $2 }
		$1 == "size:" { print src "-" dst, $2, $4, $6, $8 }'
}

# values_of KEY: print a line for each pair, with the value of the key
values_of()
{
	tr -d '",{}' <tune.json | awk -v key="$1:" '
		$1 == "src:" { src = $2 }
		$1 == "dst:" { dst = $2 }
		$1 == key { print src "-" dst, $2 }'
}

# computed COLUMN NS: compute the same from rows on stdin, for an engine that
# takes NS more for each byte
computed()
{
	awk -v column="$1" -v more="$2" '
		$1 != pair { if (pair) answer(); pair = $1; count = 0 }
		{
			size[++count] = $2
			lead[count] = $column + more * $2 - $3
		}
		END { answer() }
		function answer(	i, part)
		{
			for (i = count; i && lead[i] <= 0; i--)
				;
			if (i == count) {
				print pair, "null"
			} else if (!i) {
				print pair, 0
			} else {
				part = lead[i] / (lead[i] - lead[i + 1])
				part *= size[i + 1] - size[i]
				printf "%s %.0f\n", pair, size[i] + part
			}
		}'
}

# tune_at BYTES_PER_US: write tune.json
tune_at()
{
	knob bytes_per_us "$1"
	trap 'knob bytes_per_us 0' EXIT
	expect 0 dmacpy tune -d "$node" --src sram --dst sram --json --seconds 5
	cp out tune.json
	knob bytes_per_us 0
}

# same FILE FILE: check that they are equal, except for rounded times in JSON
same()
{
	paste -d ' ' "$1" "$2" | awk '
		function far(a, b,	by)
		{
			by = a < b ? b - a : a - b
			return by > 1 + a / 1000
		}
		$1 != $3 || $2 != $4 && ($2 == "null" || $4 == "null" ||
					 far($2, $4)) { wrong++ }
		END { exit wrong > 0 || !NR }'
}

# Catches: a break-even that does not follow from the measurements. That of the
# first device is finite, if its engine copies at once, as QEMU's do.
test_break_even()
{
	expect 0 dmacpy tune -d 0 --json --seconds 5
	cp out tune.json
	rows | computed 4 0 >wanted
	values_of break_even >found
	same wanted found || fail "wanted: $(cat wanted), found: $(cat found)"
	rows | computed 5 0 >wanted
	values_of break_even_32 >found
	same wanted found || fail "32: wanted: $(cat wanted), found: $(cat found)"
	[ "$(wc -l <found)" -ge 4 ] || fail "too few pairs: $(cat found)"
	sed 's/^/# /' found
}

# agree FILE FILE: check that the results differ by at most one size, which is a
# factor of two, and another factor for the unsteadiness of the machine
agree()
{
	paste -d ' ' "$1" "$2" | awk '
		function far(a, b)
		{
			return a > 4 * b + 256 || b > 4 * a + 256
		}
		$2 == "null" && $4 == "null" { next }
		$2 == "null" { wrong += $4 < 32768; next }
		$4 == "null" { wrong += $2 < 32768; next }
		{ wrong += far($2, $4) }
		END { exit wrong > 0 }'
}

# slower BYTES_PER_US: check that the rows on stdin take at least as long as an
# engine of this speed. The host may make them slower.
slower()
{
	awk -v ns="$(awk "BEGIN { print 1000 / $1 }")" '
		$4 < 0.95 * ns * $2 {
			print "# too fast: " $0
			wrong++
		}
		END { exit wrong > 0 || !NR }'
}

moves_as_computed()
{
	tune_at 0
	rows >fast
	computed 4 "$(awk "BEGIN { print 1000 / $1 }")" <fast >predicted
	tune_at "$1"
	values_of break_even >found
	sed 's/^/# /' found
	rows | slower "$1" && agree predicted found
}

# Catches: the break-even of another engine, or a constant one.
test_moves_with_the_engine()
{
	local speed try
	for speed in 5 1000; do
		try=1
		until moves_as_computed $speed; do
			[ $((try += 1)) -le $tries ] ||
				fail "computed: $(cat predicted), $(:
					)found: $(cat found)"
		done
	done
}

part_is_measured()
{
	tune_at 100
	! grep -q '"min_part": null' tune.json
}

# Catches: parts that cost more than they gain. A part should be as long as a
# channel copies while two are started. The time per byte is that between the
# longest copies, and those of a quarter of their size.
test_parts()
{
	local try=1
	until part_is_measured; do
		[ $((try += 1)) -le $tries ] ||
			skip "the host is too busy to time a part"
	done
	{
		rows
		sed -n 's/^  "\(part_ns\|min_part\)": \(.*\),$/\1 \2/p' \
			tune.json
	} | awk '
		NF == 5 { size[++count] = $2; ns[count] = $4 }
		$1 == "part_ns" { cost = $2 }
		$1 == "min_part" { part = $2 }
		END {
			first = count > 2 ? count - 2 : 1
			bytes = size[count] - size[first]
			wanted = 2 * cost * bytes / (ns[count] - ns[first])
			printf "# %.0f ns, %.0f of %.0f bytes\n", cost, part,
				wanted
			exit !(cost > 0 && part > wanted - 2 &&
			       part < wanted + 257)
		}' || fail "the wrong length: $(tail -n 6 tune.json)"
}

# short_copies_are_found SECONDS: check for a length in the table, and in JSON
short_copies_are_found()
{
	expect 0 dmacpy tune -d "$node" --src user --dst sram --seconds "$1"
	sed 's/^/# /' out
	tr -d '\n' <out | grep -Eq "dmacpy_stream_set_cpu_below\(stream, $(:
		)DMACPY_MEMORY_SRAM, +DMACPY_MEMORY_USER, [0-9]+\);" || return
	expect 0 dmacpy tune -d "$node" --src user --dst sram --json \
		--seconds "$1"
	cp out tune.json
	[ "$(values_of cpu_below)" != 'user-sram 0' ]
}

# Catches: no length below which the CPU makes the library's copies, or one for
# other kinds of memory. The engine is slower than the CPU. On a busy host the
# copies that the library times may need more time than their share.
test_short_copies()
{
	local try=1 seconds=2
	knob delay_us 200
	trap 'knob delay_us 0' EXIT
	until short_copies_are_found $seconds; do
		[ $((try += 1)) -le $tries ] || fail "no length: $(cat out)"
		seconds=$((2 * seconds))
	done
}

# Catches: a table that lacks the results; a time that is exceeded.
test_table()
{
	local start
	start=$(date +%s)
	expect 0 dmacpy tune -d "$node" --seconds 2
	[ $(($(date +%s) - start)) -le 60 ] || fail "not within 60 s"
	sed 's/^/# /' out
	for pair in 'user *sram' 'sram *user' 'sram *sram' 'user *user'; do
		grep -Eq "^$pair( +(never|always|[0-9]+)){2}( +[0-9.]+){4}$" \
			out || fail "no $pair"
	done
	grep -Eq 'part (of a copy|could not be)' out || fail "no parts"
	expect 0 dmacpy tune -d 0 --src sram --cold --seconds 1
	! grep -Eq '^(user|udmabuf|heap) ' out || fail "not only SRAM"
}

# Catches: figures of a busy machine, without a warning. One in three copies of
# this engine is much faster than the others, on any host.
test_warns()
{
	knob prompt 3
	knob delay_us 2000
	trap 'knob delay_us 0; knob prompt 0' EXIT
	expect 0 dmacpy tune -d "$node" --dst sram --seconds 5
	grep -q 'measurements half of the copies' err || fail "no warning"
}

# hold OPTION...: have a program hold SRAM, one of $holders. The program is
# stopped, or it would keep the CPU and the engine busy.
hold()
{
	dmacpy bench -d "$node" --time 600 --dst sram "$@" >/dev/null 2>&1 &
	holders="$holders $!"
	eventually has_copied $! || fail "no program holds SRAM"
	kill -STOP $!
}

# release: kill these programs
release()
{
	# shellcheck disable=SC2086 # a list of processes
	kill -KILL $holders
	trap - EXIT
}

# sram_is EXPRESSION: it is true for the bytes "total", "free" and "largest"
sram_is()
{
	dmacpy info -d "$node" --json >info.json
	awk -v total="$(json sram_total)" -v free="$(json sram_free)" \
		-v largest="$(json sram_largest)" "BEGIN { exit !($1) }"
}

# Catches: a crash, or results that are lost, as other programs hold the SRAM.
test_sram_is_taken()
{
	local pair
	sram_is 'free == total' || fail "the SRAM is in use"
	holders=
	trap release EXIT
	hold --src sram --batch 16 --size $(($(json sram_total) / 32))
	sram_is '!free' || fail "the SRAM is free"
	for pair in 'user sram' 'sram user' 'sram sram'; do
		expect 1 dmacpy tune -d "$node" --src "${pair% *}" \
			--dst "${pair#* }"
		grep -q 'too little SRAM is free' err ||
			fail "$pair: $(cat err)"
	done
	expect 0 dmacpy tune -d "$node" --src user --dst user --seconds 1
	grep -q '^user *user ' out || fail "no result: $(cat out)"
	grep -q 'part could not be measured' out || fail "a part: $(cat out)"
	expect 0 dmacpy tune -d "$node" --seconds 2
	grep -q 'too little SRAM is free' err || fail "no reason: $(cat err)"
	grep -q '^user *user ' out || fail "no result: $(cat out)"
	! grep -Eq '^([a-z]+ +)?sram ' out || fail "a pair with SRAM"
	release
}

# Catches: a buffer that is longer than any free piece of the SRAM.
test_sram_in_pieces()
{
	local part from
	sram_is 'free == total' || fail "the SRAM is in use"
	part=$(($(json sram_total) / 6 / 4096 * 4096))
	holders=
	trap release EXIT
	for _ in 1 2 3 4 5 6; do
		hold --size $part
	done
	# shellcheck disable=SC2086 # a list of processes
	set -- $holders
	kill -KILL "$1" "$3" "$5"
	holders="$2 $4 $6"
	eventually sram_is 'free > total / 3 && largest < free / 2' ||
		fail "not in pieces: $(cat info.json)"
	for from in user sram; do
		expect 0 dmacpy tune -d "$node" --src $from --dst sram \
			--seconds 5
		grep -q "^$from *sram " out || fail "no result: $(cat out)"
	done
	release
}

# Catches: a job that is more than the limits of the module allow.
test_limits()
{
	local limits
	for limits in max_ops=8 max_rows=8 max_bytes=4096; do
		with_limits $limits
		expect 0 dmacpy tune -d "$(fake_node)" --src user --dst sram \
			--seconds 5
	done
}

# Catches: arguments that are ignored.
test_usage()
{
	expect 2 dmacpy tune --seconds 0
	expect 2 dmacpy tune --seconds x
	expect 2 dmacpy tune --src nonsense
	expect 2 dmacpy tune more
	expect 1 dmacpy tune -d 99
}

run_tests break_even moves_with_the_engine parts short_copies table warns \
	sram_is_taken sram_in_pieces limits usage
