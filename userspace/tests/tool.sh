# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tool, from its users' point of view.

# random FILE SIZE: write random data
random()
{
	head -c "$2" /dev/urandom >"$1"
}

# message PATTERN: check standard error for it, and for a second line with a
# hint
message()
{
	grep -q -e "$1" err && return
	sed 's/^/# /' err
	fail "no message '$1'"
}

# Catches: a table that lacks the information that people need.
test_info()
{
	expect 0 dmacpy info
	for word in SRAM granule channels alignment operations submit; do
		grep -q "$word" out || fail "no $word in the table"
	done
}

# Catches: invalid JSON, or numbers that differ from the table's.
test_info_json()
{
	local key
	expect 0 dmacpy info --json
	cp out info.json
	[ "$(head -n 1 out)" = '{' ] || fail "does not start with {"
	[ "$(tail -n 1 out)" = '}' ] || fail "does not end with }"
	sed '1d;$d' out | grep -v -E \
		'^  "[a-z_]+": ("[^"]*"|[0-9]+|true|false|null|\[[^]]*\]),?$' &&
		fail "a line is no member of an object"
	sed '1d;$d' out | sed '$d' | grep -v ',$' && fail "a comma is missing"
	sed '1d;$d' out | tail -n 1 | grep ',$' && fail "an extra comma"
	for key in sram_total sram_free sram_largest granule channels max_ops \
		   max_bytes max_rows max_jobs max_events max_user_bytes \
		   max_user_jobs max_user_streams max_user_handles \
		   copy_align user_align; do
		[ "$(json $key)" -ge 1 ] || fail "$key: $(json $key)"
	done
}

# Catches: a report without the engine, or without the kernel's version.
test_info_engine()
{
	local node engine
	node=$(fake_node)
	engine='{"name": "[^"]*'$(fake_engine)'", "driver": "dmacpy-fake-dma"'
	expect 0 dmacpy -d "$node" info
	grep -q '^  engine .*fake.* driver dmacpy-fake-dma, no IOMMU$' \
		out || fail "no engine: $(cat out)"
	grep -q "^  kernel .*$(uname -r)" out || fail "no kernel"
	grep -q '^  coherent .*yes' out || fail "not coherent"
	expect 0 dmacpy -d "$node" info -j
	cp out info.json
	grep -q "\"engines\": \[$engine, \"iommu\": null}\]," out ||
		fail "no engines: $(grep engines out)"
	[ "$(json coherent) $(json kernel)" = "true $(uname -r)" ] ||
		fail "coherent: $(json coherent), kernel: $(json kernel)"
}

# Catches: a coherence that is a guess: the alignment of the engine, as large as
# a cache line, hides whether the driver requires that for the caches.
test_info_coherence()
{
	fake=$(fake_device)
	trap 'knob align 0; tell_driver unbind $fake; tell_driver bind $fake' EXIT
	knob align 6
	tell_driver unbind "$fake"
	tell_driver bind "$fake"
	expect 0 dmacpy -d "$(fake_node)" info
	grep -q '^  alignment .*64 for all copies' out || fail "$(cat out)"
	grep -q '^  coherent .*unknown' out || fail "a guess: $(cat out)"
	expect 0 dmacpy -d "$(fake_node)" info -j
	grep -q '"coherent": null,' out || fail "a guess: $(cat out)"
}

# Catches: a device that is not shown.
test_list()
{
	local node
	expect 0 dmacpy list
	for node in /dev/dmacpy[0-9]*; do
		grep -q "^$node" out || fail "no line for $node"
	done
}

# Catches: an array that lacks a device, or a member of "dmacpy info --json".
test_list_json()
{
	local node
	expect 0 dmacpy list --json
	cp out list.json
	[ "$(head -n 1 out)" = '[' ] || fail "does not start with ["
	[ "$(tail -n 1 out)" = ']' ] || fail "does not end with ]"
	[ "$(grep -c '^},$' out)" -eq $(($(grep -c '^{$' out) - 1)) ] ||
		fail "a comma is missing, or extra"
	for node in /dev/dmacpy[0-9]*; do
		expect 0 dmacpy -d "$node" info --json
		sed '1d;$d' out >wanted
		grep -A "$(($(wc -l <wanted) - 1))" "\"$node\"" list.json >found
		cmp found wanted || fail "wrong members of $node"
	done
}

# Catches: bytes lost at the end of a block, of the SRAM, of a chunk.
test_copy()
{
	local size
	for size in 0 1 3 4095 4096 4097 65535 100001 262144 300001 1048575 \
		    1048576 1048577 3000001; do
		random from $size
		expect 0 dmacpy copy from to
		cmp from to || fail "$size bytes differ"
		expect 0 dmacpy copy --via-sram from to
		cmp from to || fail "$size bytes by SRAM differ"
	done
}

# Catches: the wrong part of a file.
test_copy_part()
{
	random from 100000
	for part in "0 1" "1 99999" "4097 8191" "99999 1"; do
		# shellcheck disable=SC2086
		set -- $part
		tail -c +$(($1 + 1)) from | head -c "$2" >wanted
		expect 0 dmacpy copy --offset "$1" --size "$2" from to
		cmp wanted to || fail "$2 bytes from $1 differ"
		expect 0 dmacpy copy -S -o "$1" -s "$2" from to
		cmp wanted to || fail "$2 bytes from $1 by SRAM differ"
	done
}

# Catches: an instance that does not work, or that -d does not select.
test_each_device()
{
	local node name
	random from 300001
	for node in /dev/dmacpy[0-9]*; do
		expect 0 dmacpy -d "$node" copy --via-sram from to
		cmp from to || fail "the copy by $node differs"
		for name in "${node#/dev/}" "${node#/dev/dmacpy}"; do
			expect 0 dmacpy info -d "$name"
			[ "$(head -n 1 out)" = "$node" ] ||
				fail "-d $name is not $node"
		done
	done
}

# Catches: a position of standard input that is lost.
test_copy_the_rest()
{
	seq 1000 >from
	{
		read -r _
		dmacpy copy - - 2>err
		cat
	} <from >to || fail "$(cat err)"
	seq 2 1000 | cmp - to || fail "not from line 2 on"
	dmacpy copy --offset 2 - to <from 2>err || fail "$(cat err)"
	seq 2 1000 | cmp - to || fail "not from the offset on"
}

# Catches: a file that grows by its own copy, until the disk is full.
test_copy_onto_itself()
{
	random from 10000
	cp from original
	expect 0 dmacpy copy from from
	cmp from original || fail "the file differs"
	ln from same
	dmacpy copy from - >>same 2>err && fail "it succeeds"
	message 'from is its own destination'
	dmacpy copy - - <from >>same 2>err && fail "it succeeds"
	message 'is its own destination'
	cmp from original || fail "the file is changed"
	dmacpy copy --size 100 from - >>same || fail "a part is refused"
	head -c 100 original | cat original - | cmp - from ||
		fail "the part is not appended"
}

# Catches: a copy that believes the size of files of /proc and sysfs.
test_copy_without_size()
{
	local file length
	for file in /proc/version "/proc/$$/environ" \
		    /sys/class/misc/dmacpy0/channels; do
		cat "$file" >wanted
		[ -s wanted ] || fail "no $file"
		expect 0 dmacpy copy "$file" to
		cmp wanted to || fail "$file differs"
		length=$(wc -c <wanted)
		expect 0 dmacpy copy --offset 1 "$file" to
		tail -c +2 wanted | cmp - to || fail "$file differs from 1 on"
		expect 0 dmacpy copy --offset "$length" "$file" to
		[ ! -s to ] || fail "more than $file"
		expect 1 dmacpy copy --offset $((length + 1)) "$file" to
		message "$file ends before --offset"
	done
}

# Catches: messages in the data, a pipe that is treated as a file, an end of the
# pipe that is reported as a failure.
test_pipes()
{
	local to
	random from 3000001
	# shellcheck disable=SC2094 # "from" is not written to
	for to in - /dev/stdout; do
		dmacpy copy from "$to" 2>err | cat >to
		cmp from to || fail "by a pipe to $to: $(cat err)"
		grep -q '3000001 bytes copied' err || fail "no summary"
		echo head >to
		dmacpy copy from "$to" 2>err >>to
		{ echo head; cat from; } | cmp - to || fail "appended by $to"
		dmacpy fill -p 0x64636261 -s 300001 "$to" 2>err | cat >to
		yes abcd | tr -d '\n' | head -c 300001 | cmp - to ||
			fail "a fill by a pipe to $to: $(cat err)"
	done
	# shellcheck disable=SC2002 # this tests a pipe
	cat from | dmacpy copy --via-sram - to 2>err || fail "from a pipe"
	cmp from to || fail "from a pipe differs"
	dmacpy copy - - <from 2>err >to || fail "from - to -: $(cat err)"
	cmp from to || fail "from - to - differs"
	expect 0 dmacpy copy from to
	[ ! -s out ] || fail "a message on standard output"
	dmacpy copy /dev/zero - 2>err | head -c 100000 >to
	[ "$(wc -c <to)" -eq 100000 ] || fail "not 100000 bytes: $(cat err)"
	mkfifo pipe
	cat pipe >to &
	expect 0 dmacpy copy from pipe
	wait
	cmp from to || fail "by a named pipe differs"
	[ -p pipe ] || fail "the named pipe was replaced"
}

# Catches: a script that accepts a partial output as complete.
test_full_disk()
{
	local command
	random from 100000
	for command in info 'info --json' list 'list --json' --help --version \
		       'copy --help' 'bench --iterations 1' \
		       'bench --iterations 1 --json' 'copy from -' \
		       'fill -p 0 -s 5000 -' 'copy from /dev/stdout'; do
		# shellcheck disable=SC2086
		dmacpy $command >/dev/full 2>err &&
			fail "$command succeeds on a full disk"
		message 'standard output: No space left on device'
		# shellcheck disable=SC2086
		dmacpy $command >&- 2>err &&
			fail "$command succeeds without standard output"
		message 'standard output: Bad file descriptor'
	done
	expect 1 dmacpy copy from /dev/full
	message '/dev/full: No space left on device'
}

# Catches: files of the tool that get the numbers of closed standard files.
test_closed_files()
{
	random from 100000
	dmacpy copy from to >&- 2>&- <&- || fail "status $?"
	cmp from to || fail "the copy differs"
	dmacpy copy - to2 <&- 2>err && fail "copied without an input"
	message 'standard input: Bad file descriptor'
	[ ! -e to2 ] || fail "to2 was written"
}

# Catches: "no /dev/null written", and a new file that remains.
test_interrupted()
{
	local to
	for to in /dev/null to; do
		dmacpy copy /dev/zero "$to" 2>err &
		eventually has_copied $! || fail "no data is copied to $to"
		kill -TERM $!
		wait $! && fail "an interrupted copy succeeds"
		grep -q interrupted err || fail "no message: $(cat err)"
		grep -q 'no /dev/null' err && fail "wrong message"
	done
	[ "$(echo to*)" = 'to*' ] || fail "$(echo to*) remains"
	message 'to is as it was'
}

# Catches: a pattern in the wrong byte order, or with a wrong tail.
test_fill()
{
	local size via
	for via in '' --via-sram; do
		for size in 0 1 5 4099 300001 1048579; do
			# shellcheck disable=SC2086
			expect 0 dmacpy fill $via -p 0x64636261 -s $size to
			yes abcd | tr -d '\n' | head -c $size >wanted
			cmp wanted to || fail "fill $via of $size bytes"
		done
	done
}

# Catches: a fill that is longer than a job can be.
test_fill_by_short_jobs()
{
	with_limits max_bytes=8192
	yes abcd | tr -d '\n' | head -c 100001 >wanted
	for via in '' --via-sram; do
		# shellcheck disable=SC2086
		expect 0 dmacpy fill $via -p 0x64636261 -s 100001 to
		cmp wanted to || fail "fill $via is wrong"
	done
}

# bench MODE OPTION...: run it briefly, and verify each byte
bench()
{
	local mode=$1
	shift
	expect 0 dmacpy bench --verify --iterations 2 --mode "$mode" "$@"
	grep -q '^[1-9][0-9]* copies compared, 0 wrong$' out ||
		fail "no comparison in mode $mode"
	[ "$mode" = cpu ] ||
		grep -q '^dmatest: .* summary [1-9][0-9]* tests, 0 failures ' \
			out || fail "no tests in mode $mode"
}

# Catches: a reported test of the engine, or a comparison, that was not run.
test_bench_says_what_it_did()
{
	expect 0 dmacpy bench --iterations 2
	grep -q '^not compared' out || fail "a comparison is claimed"
	for mode in cpu alloc; do
		expect 0 dmacpy bench --iterations 2 --mode $mode
		grep dmatest out && fail "mode $mode claims tests of the engine"
	done
	grep -i cop out && fail "--mode alloc claims copies"
	expect 2 dmacpy bench --mode alloc --verify
	message '--verify'
}

# bench_warns OPTION...: about copies of a descriptor each
bench_warns()
{
	expect 0 dmacpy bench --size 128 --dst user -d "$(fake_node)" "$@"
	grep -q 'the minimum' err
}

# Catches: figures of a busy machine, or of an engine that changes its speed,
# without a warning; a warning about a steady engine in each try, as a busy host
# may cause one.
test_bench_warns()
{
	local try=1 format
	trap 'knob delay_us 0; knob prompt 0' EXIT
	knob delay_us 50000
	while bench_warns --iterations 9; do
		[ $((try += 1)) -le 5 ] ||
			fail "a warning about a steady engine: $(cat err)"
	done
	# One copy in three is much faster than the others, on any host.
	knob prompt 3
	for format in '' --json --csv; do
		# shellcheck disable=SC2086 # no argument for the table
		bench_warns --iterations 30 $format ||
			fail "no warning by $format: $(cat err)"
	done
}

# Catches: jobs that a mode does not wait for, or that copy other data.
test_bench()
{
	local mode op
	for mode in sync event fence uring cpu; do
		for op in copy 2d fill; do
			bench $mode --op $op --batch 3 --threads 2 --streams 3
		done
	done
	for mode in event fence uring; do
		bench $mode --depth 70 --size 128 --dst user
		bench $mode --depth 4 --no-implicit --handles 10
		bench $mode --depth 4 --batch 3 --prepared
	done
	for mode in event fence; do
		bench $mode --depth 4 --more
	done
	bench iopoll --depth 4 --batch 3
	bench iopoll --depth 4 --prepared
	# More than one RUN takes
	bench event --depth 130 --size 64 --prepared
	bench sync --src user --dst user --segments 40 --size 32K
	bench sync --op fill --prepared
	for mode in sync cpu; do
		bench $mode --src user --dst user --size 32K --explicit-sync
	done
	bench sync --src sram --dst user --size 16K
	bench copier --src sram --dst sram --size 16K --min-part 1K --batch 3 \
		-d "/dev/$(fake_node)"
	bench sync --src sram --dst sram --size 1600 --op 2d
	bench sync --src sram --dst sram --size 1600 --op 2d --gap 0
	bench sync --src sram --dst sram --size 2000 --op 2d --rows 500
	bench sync --src sram --dst sram --size 100 --batch 9 --gap 28
	for mode in sync cpu; do
		[ ! -c /dev/udmabuf ] ||
			bench $mode --src udmabuf --dst udmabuf
		[ ! -c /dev/dma_heap/system ] ||
			bench $mode --src heap --dst heap
	done
}

# Catches: a mode that does not wait: this engine is slow, and only the mode
# waits for it.
test_bench_waits()
{
	local mode
	knob delay_us 2000
	for mode in sync event fence uring; do
		bench $mode -d "/dev/$(fake_node)" --dst user --no-implicit
	done
	knob delay_us 0
}

# ended PID: the program has ended, though the shell has not waited for it
ended()
{
	! grep -qs . "/proc/$1/cmdline"
}

# Catches: an endless wait for the events of jobs that RUN has not started. A
# signal comes while RUN waits for room, as more jobs follow than a stream has.
test_bench_interrupted()
{
	knob delay_us 20000
	trap 'knob delay_us 0' EXIT
	dmacpy bench -d "$(fake_node)" --mode event --prepared --depth 130 \
		--size 64 >out 2>err &
	eventually has_copied $! || fail "no job has ended"
	kill -TERM $!
	eventually ended $! || {
		kill -KILL $!
		fail "it waits for ever"
	}
	wait $! && fail "an interrupted benchmark succeeds"
	message interrupted
}

# Catches: a buffer that is longer than any piece of the SRAM. Some boards have
# a device with a reserved part in the middle.
test_bench_in_pieces()
{
	local node
	for node in /dev/dmacpy[0-9]*; do
		expect 0 dmacpy bench -d "$node" --batch 1024 --iterations 2
	done
}

hundredths()
{
	tr -d . </proc/uptime | cut -d ' ' -f 1
}

# Catches: --cold that fills no caches; its time, in a figure. Without it, this
# many copies take less than a tenth of a second.
test_bench_cold()
{
	local start
	start=$(hundredths)
	expect 0 dmacpy bench --cold --mode cpu --size 64 --iterations 1000 \
		--json
	cp out info.json
	echo "$(json ns_median) $(json ns_cpu) $(($(hundredths) - start))" |
		awk '{ exit $3 < 50 || 1000 * $1 > $3 * 1e6 ||
			1000 * $2 > $3 * 2e6 }' ||
		fail "in $(($(hundredths) - start)) / 100 s: $(cat out)"
	bench sync --cold --threads 2
}

# Catches: a verification that does not check: this engine omits a copy, and the
# second half of another, and reports success.
test_bench_verifies()
{
	local lie
	for lie in next_failed next_short; do
		knob no_result 1
		knob $lie 1
		expect 1 dmacpy bench --verify --iterations 2 \
			-d "/dev/$(fake_node)"
		knob no_result 0
		grep -q ' 2 tests, 1 failures ' out || fail "$lie is not found"
		message 'copies are wrong'
	done
}

# Catches: a result that no script can parse, or with other contents.
test_bench_formats()
{
	expect 0 dmacpy bench --mode event --depth 2 --batch 5 --streams 3 \
		--iterations 7 --size 128 --csv
	[ "$(wc -l <out)" -eq 2 ] || fail "not two lines"
	[ "$(head -n 1 out)" = "op,mode,src,dst,size,depth,batch,threads,$(:
		)streams,handles,segments,gap,rows,copies,ns_median,ns_mean,$(:
		)ns_min,ns_p99,ns_cpu,bytes_per_s" ] || fail "wrong names"
	tail -n 1 out | grep -Eqx "copy,event,user,sram,128,2,5,1,3,0,0,0,1,$(:
		)210(,[0-9]+\.[0-9]{2}){5},[1-9][0-9]*" || fail "wrong values"
	expect 0 dmacpy bench --op fill --size 256 --iterations 7 --json
	cp out info.json
	[ "$(json op) $(json src) $(json copies)" = "fill - 7" ] ||
		fail "wrong members"
	expect 0 dmacpy bench --mode cpu --time 1
	grep -q 'mode cpu' out || fail "no table"
	expect 0 dmacpy bench --mode copy --time 1 --verify
	grep -q 'mode copy' out || fail "no table"
}

# Catches: invalid combinations of options, with a figure as a result.
test_bench_errors()
{
	local mode
	expect 2 dmacpy bench --mode sync --depth 2
	message 'one job'
	expect 2 dmacpy bench --mode cpu --no-implicit
	message 'no jobs'
	expect 2 dmacpy bench --mode uring --more
	message '--more'
	expect 2 dmacpy bench --mode cpu --prepared
	message '--prepared'
	expect 2 dmacpy bench --mode nonsense
	message nonsense
	expect 2 dmacpy bench --batch 0
	message "'0'"
	expect 2 dmacpy bench --src nonsense
	message nonsense
	expect 2 dmacpy bench --op fill --src user
	message 'no source'
	expect 2 dmacpy bench --op 2d --size 24
	message '16 rows'
	expect 2 dmacpy bench --op 2d --rows 7
	message '7 rows'
	expect 2 dmacpy bench --op 2d --rows 4096 --gap 1048575
	message '4096 rows'
	expect 2 dmacpy bench --mode copy --prepared
	expect 2 dmacpy bench --mode copy --op 2d
	expect 2 dmacpy bench --mode copy --dst heap
	message 'user and sram'
	expect 2 dmacpy bench --mode copier --op fill
	message 'only copies'
	expect 2 dmacpy bench --mode copier --streams 2
	message 'for each thread'
	expect 2 dmacpy bench --mode copier --min-part 255
	message '256 or more'
	expect 2 dmacpy bench --min-part 4K
	message 'mode copier'
	for mode in copier copy alloc; do
		expect 2 dmacpy bench --mode $mode --explicit-sync
		message '--explicit-sync'
	done
	expect 2 dmacpy bench --mode copier --handles 2
	message '--handles'
	expect 2 dmacpy bench --mode alloc --batch 2
	message '--batch'
	expect 2 dmacpy bench --gap 2G
	message 2G
	expect 2 dmacpy bench --threads 2 --streams 1
	message 'a stream'
	expect 2 dmacpy bench --explicit-sync --src sram
	message 'for user'
	expect 2 dmacpy bench --segments 2 --src sram
	message 'for user'
	expect 2 dmacpy bench --segments 2 --size 64K
	message '16 or more'
	expect 2 dmacpy bench --time 1 --iterations 1
	message 'not both'
	expect 2 dmacpy bench --json --csv
	message 'not both'
	expect 2 dmacpy bench too much
	expect 1 dmacpy bench --batch 2000
	message 'dmacpy info'
	expect 1 dmacpy bench --size 16K --mode event --depth 100 --verify
	message '--verify'
	expect 1 dmacpy bench --size 8M
	message 'of SRAM'
	message 'smaller size'
	! grep -q programs err || fail "other programs are blamed"
}

# Catches: advice to end other programs although there are none, or no such
# advice although there are.
test_sram_is_taken()
{
	local total holder
	expect 0 dmacpy info --json
	cp out info.json
	total=$(json sram_total)
	dmacpy bench --time 60 --batch 16 --src sram --dst sram \
		--size $((total / 32)) >/dev/null 2>&1 &
	holder=$!
	eventually sram_is_gone || fail "the SRAM is free"
	expect 1 dmacpy bench --size "$total"
	kill $holder
	wait $holder
	message 'End programs'
}

sram_is_gone()
{
	dmacpy info --json >info.json
	[ "$(json sram_free)" -eq 0 ]
}

# The guest's disk, whose end cannot be passed, unlike that of a file
disk()
{
	sed 's/.*\<disk=\([^ ]*\).*/\/dev\/\1/' /proc/cmdline
}

# Catches: a usage error that exits with success, or without a hint.
test_errors()
{
	random from 10
	expect 2 dmacpy
	message help
	expect 2 dmacpy nonsense
	message nonsense
	expect 2 dmacpy copy from
	message help
	expect 2 dmacpy copy --size 1x from to
	message 1x
	expect 2 dmacpy copy --nonsense from to
	expect 2 dmacpy fill --pattern 0x100000000 --size 1 to
	message 0x100000000
	expect 2 dmacpy info too much
	expect 1 dmacpy copy missing to
	message missing
	expect 1 dmacpy copy from /missing/to
	message /missing/to
	expect 1 dmacpy copy --offset 11 from to
	message 'ends before --offset'
	expect 1 dmacpy copy --offset 4095G "$(disk)" to
	message 'ends before --offset'
	expect 1 dmacpy copy --size 11 from to
	expect 1 dmacpy -d /dev/missing info
	message 'The devices are: /dev/dmacpy0'
	grep -q modprobe err && fail "advice to load a loaded module"
	expect 2 dmacpy help nonsense
	message nonsense
	expect 1 dmacpy -d /dev/null info
	message 'not a dmacpy device'
	[ ! -e to ] || fail "a failed command leaves a file"
}

# Catches: a file with half a copy, or an old one that is lost.
test_failure_keeps_the_old_file()
{
	random from 10
	echo old >to
	expect 1 dmacpy copy --size 11 from to
	[ "$(cat to)" = old ] || fail "the old file has changed"
	[ "$(echo to*)" = to ] || fail "a temporary file remains: $(echo to*)"
}

# Catches: a quota of SRAM that is reported as the limit of locked memory; one
# that leaves a part of the free SRAM, which is not used.
test_quota()
{
	quota=/sys/module/dmacpy/parameters/sram_quota_kib
	unshare -U true || skip "this kernel has no user namespaces"
	random from 10
	trap 'echo 0 >$quota' EXIT
	echo 1 >$quota
	# Root of another user namespace has no privileges here.
	expect 1 unshare -U dmacpy copy --via-sram from to
	message sram_quota_kib
	echo 20 >$quota
	random from 100001
	expect 0 unshare -U dmacpy copy --via-sram from to
	cmp from to || fail "the copy with a small buffer differs"
	expect 0 unshare -U dmacpy fill -S -p 0 -s 100001 to
	head -c 100001 /dev/zero | cmp - to || fail "the fill differs"
}

# Catches: advice to raise another limit than the one that is reached.
test_limits()
{
	# The stacks of the threads are longer than all memory.
	expect 1 sh -c 'ulimit -s 1000000 && ulimit -v 500000 &&
		exec dmacpy bench --threads 2 --iterations 1'
	message 'ulimit -u'
	! grep -q reload err || fail "an engine is blamed"

	unshare -U true || skip "this kernel has no user namespaces"
	expect 1 sh -c 'ulimit -l 64; exec unshare -U dmacpy copy /bin/sh to'
	message 'at most 64 KiB'
	message 'ulimit -l'
}

# Catches: help that is an error, or is printed to the wrong stream.
test_help()
{
	local command
	expect 0 dmacpy --version
	grep -qE '^dmacpy ([0-9.]+) \(libdmacpy \1\)$' out ||
		fail "the versions differ: $(cat out)"
	for command in '' bench copy doctor fill help info list test top \
		       tune; do
		# shellcheck disable=SC2086
		expect 0 dmacpy $command --help
		grep -q "usage: dmacpy.*$command" out ||
			fail "no help for '$command'"
		mv out wanted
		# shellcheck disable=SC2086
		expect 0 dmacpy help $command
		cmp out wanted || fail "wrong help for '$command'"
	done
}

# Catches: advice that is repeated for each device, or given to root.
test_no_permission()
{
	unshare -U true || skip "this kernel has no user namespaces"
	chmod 0 /dev/dmacpy[0-9]*
	expect 1 unshare -U dmacpy list
	chmod 600 /dev/dmacpy[0-9]*
	[ "$(grep -c 'Permission denied' err)" -eq \
		"$(echo /dev/dmacpy[0-9]* | wc -w)" ] ||
		fail "not a message for each device"
	[ "$(grep -c usermod err)" -eq 1 ] || fail "not exactly one hint"
}

# Catches: "see dmesg" if it has no message.
test_engine_fails()
{
	local knob node
	timeout=/sys/module/dmacpy/parameters/timeout_ms
	random from 10000
	node=$(fake_node)
	for knob in next_failed hang; do
		trap 'echo 5000 >$timeout; knob hang 0' EXIT
		echo 100 >$timeout
		dmesg -c >/dev/null
		knob $knob 1
		expect 1 dmacpy -d "$node" copy from to
		message 'The engine'
		message 'dmesg names the channel'
		message '"dmacpy doctor"'
		eventually sh -c 'dmesg | grep -q "dmacpy .*: channel dma"' ||
			fail "$knob: dmesg has no channel"
		knob hang 0
		eventually dmacpy -d "$node" copy from to >/dev/null 2>&1 ||
			fail "the channel does not recover"
	done
}

# Catches: an error that does not name the missing part.
test_unbound()
{
	local device devices engine fake
	device=$(first_device)
	tell_driver unbind "$device"
	expect 1 dmacpy -d 0 info
	tell_driver bind "$device"
	[ "$(bound_devices | wc -w)" -eq 1 ] ||
		message 'The devices are: /dev/dmacpy1'

	devices=$(bound_devices)
	for device in $devices; do
		tell_driver unbind "$device"
	done
	expect 1 dmacpy list
	message 'device tree'
	expect 1 dmacpy list --json
	[ "$(cat out)" = '[]' ] || fail "not an empty array: $(cat out)"

	# A device whose engine has no driver yet
	engine=$(fake_engine)
	fake=$(fake_device)
	echo "$engine" >/sys/bus/platform/drivers/dmacpy-fake-dma/unbind
	(echo "$fake" >/sys/bus/platform/drivers_probe) 2>/dev/null
	dmacpy info 2>reason
	echo "$engine" >/sys/bus/platform/drivers/dmacpy-fake-dma/bind
	eventually is_bound "$fake" || fail "still deferred"
	for device in $devices; do
		is_bound "$device" || tell_driver bind "$device"
	done
	# A device counts as bound while the driver still probes it.
	eventually dmacpy list >out 2>err || fail "no device: $(cat err)"
	mv reason err
	message "A device waits: $fake.*no DMA channel"
}

is_bound()
{
	[ -e "/sys/bus/platform/drivers/dmacpy/$1" ]
}

bound_devices()
{
	local device
	for device in /sys/bus/platform/drivers/dmacpy/*/misc; do
		basename "$(dirname "$device")"
	done
}

# Catches: the advice to check the device tree if the driver is missing.
test_no_module()
{
	[ -f /lib/modules/dmacpy.ko ] || skip "dmacpy is built in"
	eventually rmmod dmacpy 2>err || fail "not removed: $(cat err)"
	dmacpy list 2>kept
	expect 0 insmod /lib/modules/dmacpy.ko
	mv kept err
	message 'modprobe dmacpy'
}

run_tests info info_json info_engine info_coherence list list_json copy \
	copy_part copy_the_rest copy_onto_itself copy_without_size each_device pipes \
	full_disk closed_files interrupted fill fill_by_short_jobs bench \
	bench_waits bench_interrupted bench_in_pieces bench_cold \
	bench_verifies bench_says_what_it_did bench_warns bench_formats \
	bench_errors sram_is_taken errors failure_keeps_the_old_file quota \
	limits help no_permission engine_fails unbound no_module
