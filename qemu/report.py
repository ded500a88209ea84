#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What copies cost: the report of "make bench".

usage: report.py DIRECTORY BOARD QEMU KERNEL

Writes report.md, and the plots in it, to DIRECTORY, where paths/figures is of the
task "figures" of guest/measure, counted/figures of "sweep", and wall-time/figures
of "wall_time".
"""
import subprocess
import sys
from pathlib import Path

# Tables: what the column N is, and a title. Those of memory are the first.
TABLES = {
    "sram": ("bytes of each copy", "From SRAM to SRAM"),
    "user": ("bytes of each copy",
             "From registered memory to registered memory"),
    "udmabuf": ("bytes of each copy", "From udmabuf to udmabuf"),
    "heap": ("bytes of each copy", "From the system heap to the system heap"),
    "fill": ("bytes of each fill", "Fills of SRAM"),
    "depth": ("jobs in flight", "64 bytes of SRAM, N jobs in flight"),
    "batch": ("copies in each job", "64 bytes of SRAM, N copies in each job"),
    "handles": ("further handles", "64 bytes of SRAM, N further handles"),
    "streams": ("streams", "64 bytes of registered memory, N streams"),
    "segments": ("entries of each scatter list",
                 "The last 64 bytes of registered memory, N entries in its "
                 "scatter list"),
}

# For gnuplot: all columns of a table against the first one
PLOT = r"""
data = "{data}"
set title "{title}" noenhanced
set xlabel "{column}"
set ylabel "{label}"
set format y "%g"
set logscale {axes}
if ("{axes}" eq "x") set yrange [0:*]
set key outside right center noenhanced
set grid
set linetype 5 linecolor "black"	# not yellow
tick(n) = n % 1024 ? sprintf("%d", n) : sprintf("%dK", n / 1024)

stats data using 1 skip 1 nooutput
set xrange [STATS_min / 1.2 : STATS_max * 1.2]
columns = int(STATS_columns)
set terminal svg size 800,440 background "white"
set output "{output}.svg"
plot for [i = 2:columns] data using 1:i:xtic(tick(int($1))) \
	with linespoints linewidth 1.5 title columnheader(i)
set terminal pngcairo size 800,440
set output "{output}.png"
replot
"""

HEAD = """\
<!-- SPDX-License-Identifier: GPL-2.0-only -->
# What copies cost

By "make bench", on the board {board} of {qemu},
with the kernel {kernel}.

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
"""

PATHS = """
## Paths

The rows of make bench-check, most of them in instructions for a copy, with the
mean of all rounds, which has what is done later, how long the program had the
CPU, and the median as a multiple of another figure. See qemu/guest/figures for
what they are.

| | median | mean | on the CPU | divided by | | aim | |
|---|---:|---:|---:|---|---:|---:|---|
"""

BREAK_EVEN = """
## When is the engine cheaper than the CPU?

From this number of bytes on, up to all that was measured, a copy
costs fewer instructions by the engine, in each of its modes, than
by the CPU, which runs memcpy(), or memset() for a fill, on the same
memory. Between two sizes that were measured costs are taken to be
linear. None: the CPU is cheaper at the largest size.

"""

WALL_TIME = """
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
"""


def lines_of(path):
    """The lines of a file, without comments, as lists of words."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.split()


def short(figure):
    """With six digits, unless it is a whole number."""
    return str(int(figure)) if figure == int(figure) else f"{figure:.6g}"


class Table:
    """One of the task "sweep": a row for each N, a column for each series."""

    def __init__(self, name, lines):
        self.name = name
        self.column_n, self.title = TABLES[name]
        figures = {(series, n): short(float(figure)) for table, series, n, figure in
                   (line for line in lines if len(line) == 4)
                   if table == name}
        self.series = list(dict.fromkeys(series for series, _ in figures))
        self.rows = [[n] + [figures.get((series, n), "0")
                            for series in self.series]
                     for n in dict.fromkeys(n for _, n in figures)]
        if not self.rows or any(float(figure) <= 0 for row in self.rows
                                for figure in row[1:]):
            sys.exit(f"error: {name} was not measured, or not all of it")

    def of_bytes(self):
        """Is N the size?"""
        return self.column_n.startswith("bytes")

    def for_each_byte(self):
        """The rows, divided by the size."""
        return [[row[0]] + [short(float(figure) / float(row[0]))
                            for figure in row[1:]] for row in self.rows]

    def draw(self, directory, suffix, rows, label):
        """One plot, of its data in a file."""
        path = directory / (self.name + suffix)
        path.with_suffix(".dat").write_text("".join(
            " ".join(row) + "\n" for row in [["N"] + self.series] + rows),
            encoding="utf-8")
        subprocess.run(["gnuplot"], check=True, text=True, input=PLOT.format(
            data=path.with_suffix(".dat"), output=path, title=self.title,
            column=self.column_n, label=label,
            axes="xy" if self.of_bytes() else "x"))

    def plots(self, directory):
        """All plots; prints what shows them in Markdown."""
        self.draw(directory, "", self.rows, "instructions for each copy")
        text = f"\n![{self.title}]({self.name}.svg)\n"
        if self.of_bytes():
            self.draw(directory, "-bytes", self.for_each_byte(),
                      "instructions for each byte")
            text += (f"\n![{self.title}, for each byte]"
                     f"({self.name}-bytes.svg)\n")
        return text

    def section(self, directory, commands):
        """Of the report."""
        head = ["N"] + self.series
        return (f"\n## {self.title}\n{self.plots(directory)}"
                f"\nN: {self.column_n}. Instructions for each copy:\n\n" +
                row_of(head) + row_of(["---:"] * len(head)) +
                "".join(map(row_of, self.rows)) +
                f"\nBy these commands:\n\n{commands}")

    def modes(self):
        """The series that an engine runs."""
        return [name for name in self.series if name not in ("cpu", "dmatest")]

    def break_even(self, mode):
        """From what size on the engine is cheaper than the CPU."""
        size = [float(row[0]) for row in self.rows]
        column, cpu = (self.series.index(name) + 1 for name in (mode, "cpu"))
        loss = [float(row[column]) - float(row[cpu]) for row in self.rows]
        last = max((at for at, more in enumerate(loss) if more > 0),
                   default=None)
        if last is None:
            return f"less than {self.rows[0][0]}"
        if last + 1 == len(loss):
            return "none"
        return "{:.0f}".format(size[last] + (size[last + 1] - size[last]) *
                               loss[last] / (loss[last] - loss[last + 1]))


def row_of(words):
    """A row of a table in Markdown."""
    return f"| {' | '.join(words)} |\n"


def paths_section(lines, budgets):
    """A row for each budget, but those of means"""
    figures = {line[0]: float(line[1]) for line in lines
               if len(line) == 2 and line[0] != "kernel"}
    text = PATHS
    for name, _, aim, base in (line for line in budgets if len(line) == 4):
        if name.endswith(("-mean", "-cpu")):
            continue
        if name not in figures or base not in figures:
            sys.exit(f"error: {name} was not measured")
        ratio = figures[name] / figures[base]
        text += row_of([name, short(figures[name])] +
                       [short(figures[name + kind]) if name + kind in figures
                        else "" for kind in ("-mean", "-cpu")] +
                       [base, f"{ratio:.4g}", aim,
                        "met" if ratio <= float(aim) else "missed"])
    return text


def break_even_section(tables):
    """The modes are those of the first table."""
    tables = [table for table in tables if table.of_bytes()]
    modes = tables[0].modes()
    text = (BREAK_EVEN + row_of([""] + modes) +
            "|---" + "|---:" * len(modes) + "|\n")
    for table in tables:
        text += row_of([table.name] + [table.break_even(mode)
                                       for mode in table.modes()])
    if all(table.name != "heap" for table in tables):
        text += ("\nNothing is known of the system heap: this kernel has no "
                 "/dev/dma_heap/system.\n")
    return text


def commands_of(lines, *start):
    """The lines that begin so, for a block of code."""
    count = len(start)
    return "".join(f"    {' '.join(line[count:])}\n" for line in lines
                   if line[:count] == list(start))


def wall_time_section(lines):
    """The best of all runs, and that divided by dmatest's."""
    best = {}
    for line in lines:
        if line[0] != "command":
            key = tuple(line[:3])
            best[key] = max(best.get(key, 0), float(line[3]))
    text = WALL_TIME
    for (size, memory, name), rate in best.items():
        ratio = rate / best[size, "kernel", "dmatest"]
        text += row_of([size, memory, name, f"{rate:.0f}", f"{ratio:.2f}"])
    return (text + "\nBy these commands:\n\n" + commands_of(lines, "command"))


def report(directory, board, qemu, kernel):
    """All sections. Only heaps may be missing: Debian's kernel has none."""
    directory = Path(directory)
    lines = list(lines_of(directory / "counted/figures"))
    names = [name for name in TABLES
             if name != "heap" or any(line[0] == name for line in lines)]
    tables = [Table(name, lines) for name in names]
    text = HEAD.format(board=board, qemu=qemu, kernel=kernel)
    text += "".join(row_of(line[1:]) for line in lines if line[0] == "floor")
    text += paths_section(
        lines_of(directory / "paths/figures"),
        lines_of(Path(__file__).with_name("budgets")))
    text += break_even_section(tables)
    for table in tables:
        text += table.section(directory,
                              commands_of(lines, "command", table.name))
    text += wall_time_section(list(lines_of(directory / "wall-time/figures")))
    (directory / "report.md").write_text(text, encoding="utf-8")


report(*sys.argv[1:])
