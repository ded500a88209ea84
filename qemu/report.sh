# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The report of "make bench": tables and plots of what guest/sweep and
# guest/wall-time print, all of it in the directory $out.

# TABLE, what the column N is, and a title. Those of memory are the first.
tables=(
	'sram|bytes of each copy|From SRAM to SRAM'
	'user|bytes of each copy|From registered memory to registered memory'
	'udmabuf|bytes of each copy|From udmabuf to udmabuf'
	'heap|bytes of each copy|From the system heap to the system heap'
	'fill|bytes of each fill|Fills of SRAM'
	'depth|jobs in flight|64 bytes of SRAM, N jobs in flight'
	'batch|copies in each job|64 bytes of SRAM, N copies in each job'
	'handles|further handles|64 bytes of SRAM, N further handles'
	'streams|streams|64 bytes of registered memory, N streams'
	'segments|entries of each scatter list|The last 64 bytes of registered memory, N entries in its scatter list'
)

# run COUNT-OR-MEASURE TASK DIRECTORY: what fails says why in its figures.
run()
{
	"$1" "$2" "$3"
	[ "$(cat "$3/out/status")" = 0 ] && return
	tail -n 5 "$3/figures" >&2
	return 1
}

# Only heaps may be missing: Debian's kernel has none.
measured_tables()
{
	local line
	for line in "${tables[@]}"; do
		[[ $line != heap* ]] || grep -q '^heap ' "$out/counted/figures" ||
			continue
		printf '%s\n' "$line"
	done
}

# draw_table TABLE N-IS TITLE
draw_table()
{
	local data=$out/$1.dat axes=x
	[[ $2 != bytes* ]] || axes=xy
	awk -v table="$1" -f "$top/qemu/table.awk" "$out/counted/figures" \
		>"$data"
	gnuplot -c "$top/qemu/plot.gnuplot" "$data" "$out/$1" "$3" "$2" \
		'instructions for each copy' "$axes"
	[ "$axes" = xy ] || return 0
	awk 'NR > 1 { for (i = 2; i <= NF; i++) $i /= $1 } { print }' "$data" \
		>"$out/$1-bytes.dat"
	gnuplot -c "$top/qemu/plot.gnuplot" "$out/$1-bytes.dat" \
		"$out/$1-bytes" "$3" "$2" 'instructions for each byte' xy
}

draw()
{
	local table n title
	measured_tables | while IFS='|' read -r table n title; do
		draw_table "$table" "$n" "$title"
	done
}

# The README shows it.
keep_plot()
{
	sed '1a <!-- SPDX-License-Identifier: GPL-2.0-only -->
		s/[[:space:]]*$//' "$1" >"$top/Documentation/images/bench.svg"
}

# The table of a file, in Markdown
markdown()
{
	awk '{
		gsub(/ /, " | ")
		print "| " $0 " |"
	}
	NR == 1 {
		gsub(/[^| ]+/, "---:")
		print "| " $0 " |"
	}' "$1"
}

# commands TABLE: how it was measured
commands()
{
	sed -n "s/^command $1 /    /p" "$out/counted/figures"
}

# write_section TABLE N-IS TITLE
write_section()
{
	printf '\n## %s\n\n![%s](%s.svg)\n' "$3" "$3" "$1"
	if [ -f "$out/$1-bytes.dat" ]; then
		printf '\n![%s, for each byte](%s-bytes.svg)\n' "$3" "$1"
	fi
	printf '\nN: %s. Instructions for each copy:\n\n' "$2"
	markdown "$out/$1.dat"
	printf '\nBy these commands:\n\n'
	commands "$1"
}

write_break_even()
{
	local files=() table rest
	while IFS='|' read -r table rest; do
		[[ $rest != bytes* ]] || files+=("$out/$table.dat")
	done < <(measured_tables)
	cat <<-EOT

		## When is the engine cheaper than the CPU?

		From this number of bytes on, up to all that was measured, a copy
		costs fewer instructions by the engine, in each of its modes, than
		by the CPU, which runs memcpy(), or memset() for a fill, on the same
		memory. Between two sizes that were measured costs are taken to be
		linear. None: the CPU is cheaper at the largest size.

	EOT
	awk -f "$top/qemu/break-even.awk" "${files[@]}"
	[ -f "$out/heap.dat" ] ||
		printf '\nNothing is known of the system heap: %s\n' \
			'this kernel has no /dev/dma_heap/system.'
}

write_head()
{
	local kernel qemu
	kernel=$(kernel_release "$guest_kernel")
	qemu=$("${machine[0]}" --version | head -n 1)
	cat <<-EOT
		<!-- SPDX-License-Identifier: GPL-2.0-only -->
		# What copies cost

		By "make bench", on the board $guest_board of $qemu,
		with the kernel $kernel.

		All but the last section is in instructions of the guest, kernel and
		program together, medians of the rounds: QEMU's clock runs by one
		nanosecond for each of them (-icount shift=0,sleep=off), on one CPU.
		The engine of QEMU copies in no time at all and takes no instruction
		of the guest, at any size. So this is what the CPU has to do for a
		copy, and says nothing of bandwidth. An instruction on memory takes
		as long as any other here; on a board those on SRAM, which is not
		cached, take longer.

		The modes are those of dmacpy bench, one copy at a time, if nothing
		else is said; sync-32 is 32 copies in each call, cpu is without the
		engine. Registered memory has no two pages beside each other in the
		tables against the size. dmatest is the kernel's own test, on its own
		memory, which it maps and unmaps for each copy; its figures are means.

		The least there could be, from within the kernel, with memory that is
		mapped before (kunit/dmacpy_floor.c), instructions for each copy of
		64 bytes:

		| | |
		|---|---:|
	EOT
	sed -n 's/^floor \(.*\) \(.*\)/| \1 | \2 |/p' "$out/counted/figures"
}

write_wall_time()
{
	cat <<-EOT

		## By the clock on the wall

		The same board, without -icount, on two CPUs: bytes per second of
		dmacpy bench, with 32 copies in flight, from and to registered memory
		or SRAM, as jobs of their own or, for sync-32, as one job; and of
		dmatest on another channel of the same kind, in the same boot, from
		and to memory of the kernel, with one copy in flight.
		Each is the best of 15 runs, by turns, as the host may have had
		other things to do. It emulates all of it, too: no board is as fast
		or as slow as this.

		| bytes of each copy | memory | | bytes per second | divided by dmatest |
		|---:|---|---|---:|---:|
	EOT
	awk -f "$top/qemu/wall-time.awk" "$out/wall-time/figures"
	printf '\nBy these commands:\n\n'
	sed -n 's/^command /    /p' "$out/wall-time/figures"
}

write_report()
{
	local table n title
	write_head
	write_break_even
	measured_tables | while IFS='|' read -r table n title; do
		write_section "$table" "$n" "$title"
	done
	write_wall_time
}

# It is made of what has been measured.
make_report()
{
	draw
	write_report >"$out/report.md"
	keep_plot "$out/sram.svg"
}
