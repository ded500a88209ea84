# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tool, as its users call it.

# random FILE SIZE
random()
{
	head -c "$2" /dev/urandom >"$1"
}

# message PATTERN: standard error has it, and a second line or hint is there
message()
{
	grep -q -e "$1" err && return
	sed 's/^/# /' err
	fail "no message '$1'"
}

# Catches: a table that lacks what people look for.
test_info()
{
	expect 0 dmacpy info
	for word in SRAM granule channels alignment operations submit; do
		grep -q "$word" out || fail "no $word in the table"
	done
}

# Catches: JSON that no program can read, or other numbers than the table's.
test_info_json()
{
	local key
	expect 0 dmacpy info --json
	cp out info.json
	[ "$(head -n 1 out)" = '{' ] || fail "does not start with {"
	[ "$(tail -n 1 out)" = '}' ] || fail "does not end with }"
	sed '1d;$d' out | grep -v -E \
		'^  "[a-z_]+": ("[^"]*"|[0-9]+|\[[^]]*\]),?$' &&
		fail "a line is no member of an object"
	sed '1d;$d' out | sed '$d' | grep -v ',$' && fail "a comma is missing"
	sed '1d;$d' out | tail -n 1 | grep ',$' && fail "a comma too much"
	for key in sram_total sram_free sram_largest granule channels max_ops \
		   max_bytes max_rows max_jobs max_events max_user_bytes \
		   max_user_jobs max_user_streams max_user_handles \
		   copy_align user_align; do
		[ "$(json $key)" -ge 1 ] || fail "$key: $(json $key)"
	done
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

# Catches: a size that is lost at the end of a block, of the SRAM, of a chunk.
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

# Catches: an instance that does not work, or that -d does not choose.
test_each_device()
{
	local node
	random from 300001
	for node in /dev/dmacpy[0-9]*; do
		expect 0 dmacpy -d "$node" copy --via-sram from to
		cmp from to || fail "the copy by $node differs"
	done
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

# bench MODE OPTION...: short, and each byte is looked at
bench()
{
	local mode=$1
	shift
	expect 0 dmacpy bench --verify --iterations 2 --mode "$mode" "$@"
	grep -q '^dmatest: .* summary [1-9][0-9]* tests, 0 failures ' out ||
		fail "no tests in mode $mode"
}

# Catches: jobs that are not waited for, or that copy something else.
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
	done
	bench sync --src user --dst user --segments 40 --size 32K
	bench sync --src sram --dst user --size 16K
	bench sync --src sram --dst sram --size 1600 --op 2d
	for mode in sync cpu; do
		[ ! -c /dev/udmabuf ] ||
			bench $mode --src udmabuf --dst udmabuf
		[ ! -c /dev/dma_heap/system ] ||
			bench $mode --src heap --dst heap
	done
}

# Catches: a mode that does not wait: this engine is slow, and nothing else
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

# Catches: a check that does not look: this engine leaves out a copy, and the
# second half of another, and does not say so.
test_bench_verifies()
{
	local lie
	for lie in next_failed next_short; do
		knob no_result 1
		knob $lie 1
		expect 1 dmacpy bench --verify --iterations 2 \
			-d "/dev/$(fake_node)"
		knob no_result 0
		grep -q ' 2 tests, 1 failures ' out || fail "$lie is not seen"
		message 'copies are wrong'
	done
}

# Catches: a result that no script can read, or of something else.
test_bench_formats()
{
	expect 0 dmacpy bench --mode event --depth 2 --batch 5 --streams 3 \
		--iterations 7 --size 128 --csv
	[ "$(wc -l <out)" -eq 2 ] || fail "not two lines"
	[ "$(head -n 1 out)" = "op,mode,src,dst,size,depth,batch,threads,$(:
		)streams,handles,segments,copies,ns_median,ns_min,ns_p99,$(:
		)bytes_per_s" ] || fail "other names"
	tail -n 1 out | grep -Eqx "copy,event,user,sram,128,2,5,1,3,0,0,210(,$(:
		)[0-9]+\.[0-9]{2}){3},[1-9][0-9]*" || fail "other values"
	expect 0 dmacpy bench --op fill --size 256 --iterations 7 --json
	cp out info.json
	[ "$(json op) $(json src) $(json copies)" = "fill - 7" ] ||
		fail "other members"
	expect 0 dmacpy bench --mode cpu --time 1
	grep -q 'mode cpu' out || fail "no table"
}

# Catches: options that make no sense together, and a figure for it.
test_bench_errors()
{
	expect 2 dmacpy bench --mode sync --depth 2
	message 'one job'
	expect 2 dmacpy bench --mode cpu --no-implicit
	message 'no jobs'
	expect 2 dmacpy bench --mode nonsense
	message nonsense
	expect 2 dmacpy bench --batch 0
	message "'0'"
	expect 2 dmacpy bench --src nonsense
	message nonsense
	expect 2 dmacpy bench --op fill --src user
	message 'no source'
	expect 2 dmacpy bench --op 2d --size 24
	message 'multiple'
	expect 2 dmacpy bench --threads 2 --streams 1
	message 'a stream'
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
}

# Catches: a mistake that ends like a success, or without a word what to do.
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
	expect 1 dmacpy copy --size 11 from to
	expect 1 dmacpy -d /dev/missing info
	message 'no such device'
	expect 1 dmacpy -d /dev/null info
	message 'not a dmacpy device'
	[ ! -e to ] || fail "a failed command leaves a file"
}

# Catches: a file that is half a copy, or an old one that is lost.
test_failure_keeps_the_old_file()
{
	random from 10
	echo old >to
	expect 1 dmacpy copy --size 11 from to
	[ "$(cat to)" = old ] || fail "the old file has changed"
	[ "$(echo to*)" = to ] || fail "a temporary file stays: $(echo to*)"
}

# Catches: a quota of SRAM that is taken for the limit of locked memory.
test_quota()
{
	quota=/sys/module/dmacpy/parameters/sram_quota_kib
	unshare -U true || skip "this kernel has no user namespaces"
	random from 10
	trap 'echo 0 >$quota' EXIT
	echo 1 >$quota
	# Who is root in another namespace has no privileges here.
	expect 1 unshare -U dmacpy copy --via-sram from to
	message sram_quota_kib
}

# Catches: help that is an error, or goes to the wrong place.
test_help()
{
	local command
	expect 0 dmacpy --version
	for command in '' bench copy fill info list; do
		# shellcheck disable=SC2086
		expect 0 dmacpy $command --help
		grep -q usage out || fail "no help for '$command'"
	done
}

# Catches: an error without a word about what may be missing.
test_unbound()
{
	local device
	device=$(first_device)
	tell_driver unbind "$device"
	expect 1 dmacpy -d /dev/dmacpy0 info
	tell_driver bind "$device"
	message 'device tree'
}

run_tests info info_json list copy copy_part each_device fill bench \
	bench_waits bench_verifies bench_formats bench_errors errors \
	failure_keeps_the_old_file quota help unbound
