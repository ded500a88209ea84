#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The suite "harness": does judge.py notice what it is there for? Prints KTAP."""
import contextlib
import io
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import judge  # noqa: E402 pylint: disable=wrong-import-position

# Functions that print, and return whether all is good; with a name, what they are
# to return and to print last, and what they read
TESTS = []


def expect(name, good, last, function, lines=()):
    """One of them"""
    TESTS.append((name, good, last, function, lines))


def run_test(number, name, good, last, function, lines):
    """Run one, and return whether it is good"""
    printed = io.StringIO()
    sys.stdin = io.StringIO("".join(f"{line}\n" for line in lines))
    with contextlib.redirect_stdout(printed):
        got_good = function()
    got_last = printed.getvalue().splitlines()[-1]
    is_good = (got_good, got_last) == (good, last)
    if not is_good:
        print(f"# wanted {good}, {last}, got {got_good}, {got_last}")
    print(f"{'ok' if is_good else 'not ok'} {number} {name}")
    return is_good


def expect_suite(name, good, last, *lines):
    """Of a suite that is expected, and begins"""
    expect(name, good, last, judge.judge_suites,
           ["#@ suites one", "#@ suite one", *lines])


expect_suite("all pass", True, "2 passed, 0 failed",
             "1..2", "ok 1 a", "ok 2 b", "#@ exit 0")
expect_suite("failed test", False, "1 passed, 1 failed",
             "1..2", "ok 1 a", "not ok 2 b", "#@ exit 1")
expect_suite("skipped is not passed", False, "0 passed, 0 failed, 1 skipped",
             "1..1", "ok 1 a # SKIP no engine", "#@ exit 4")
expect_suite("skipped suite is not passed", False,
             "0 passed, 0 failed, 1 skipped",
             "1..0 # SKIP no engine", "#@ exit 4")
expect_suite("missing plan", False, "1 passed, 1 failed", "ok 1 a", "#@ exit 0")
expect_suite("second plan", False, "1 passed, 1 failed",
             "1..1", "ok 1 a", "1..1", "#@ exit 0")
expect_suite("empty plan", False, "0 passed, 1 failed", "1..0", "#@ exit 0")
expect_suite("too few tests", False, "1 passed, 1 failed",
             "1..2", "ok 1 a", "#@ exit 0")
expect_suite("more tests than planned", False, "1 passed, 2 failed",
             "1..1", "ok 1 a", "not ok 2 b", "#@ exit 1")
expect_suite("test left out", False, "2 passed, 1 failed",
             "1..2", "ok 1 a", "ok 3 c", "#@ exit 0")
expect_suite("test that comes twice", False, "2 passed, 1 failed",
             "1..2", "ok 1 a", "ok 1 a", "#@ exit 0")
expect_suite("truncated stream", False, "1 passed, 1 failed", "1..1", "ok 1 a")
expect_suite("crash after the last test", False, "1 passed, 1 failed",
             "1..1", "ok 1 a", "#@ exit 139")
expect_suite("failure that only the exit status tells", False,
             "1 passed, 1 failed", "1..1", "ok 1 a", "#@ exit 1")
expect_suite("bail out", False, "1 passed, 1 failed",
             "1..1", "Bail out! no device", "ok 1 a", "#@ exit 0")
expect_suite("suite that runs twice", False, "2 passed, 1 failed",
             "1..1", "ok 1 a", "#@ exit 0",
             "#@ suite one", "1..1", "ok 1 a", "#@ exit 0")
expect_suite("suite that has no end", False, "2 passed, 1 failed",
             "1..1", "ok 1 a", "#@ suite two", "1..1", "ok 1 a", "#@ exit 0")
expect("suites that did not run", False, "0 passed, 2 failed",
       judge.judge_suites, ["#@ suites one two"])
expect("nothing at all", False, "0 passed, 0 failed", judge.judge_suites)


def program_passes_bytes():
    """The program itself, given what is no text"""
    done = subprocess.run(
        [sys.executable, judge.__file__, "suites"], capture_output=True,
        check=False, input=b"#@ suite one\n1..1\n\xff\xfe\nnot ok 1 a\n#@ exit 1\n")
    print(done.stdout.decode("latin-1").splitlines()[-1])
    return b"\n  \xff\xfe\n" in done.stdout and done.returncode == 1


expect("output that is no text", True, "0 passed, 1 failed", program_passes_bytes)

START = "Linux version 6.12"
CUT = "------------[ cut here ]------------"
END = "---[ end trace 0000 ]---"
PLACE = "WARNING: CPU: 0 PID: 1 at x.c:1"
RECOVERED = "dmacpy 1f.dmacpy: channel dma3chan0: recovered after 12 ms"
ALLOWED = """\
# comment
WARNING: known
BUG: known 0x
kmemleak: N new
x: WARNING: size N, known
WARNING: CPU: N PID: N at y.c:2
Internal error: known [#N]
[fails breaks]
dmacpy N: channel N: recovered after N ms
[aborts]
Internal error: provoked [#N]
"""


def with_files(function, *texts):
    """The function, with the names of files that have these texts"""
    def call():
        with tempfile.TemporaryDirectory() as directory:
            paths = [Path(directory) / str(number)
                     for number, _ in enumerate(texts)]
            for path, text in zip(paths, texts):
                path.write_text(text, encoding="utf-8")
            return function(*paths)
    return call


def expect_log(name, good, *lines):
    """Of the kernel"""
    expect(name, good, "ok 1 kernel log" if good else "not ok 1 kernel log",
           with_files(judge.judge_kernel_log, ALLOWED),
           [f"[    1.234567] {line}" for line in lines])


expect_log("clean log", True, START, "dmacpy: ready")
expect_log("warning in the log", False, START, "WARNING: CPU: 0 PID: 1 at x.c:1")
expect_log("use after free on x86", False, START,
           "general protection fault, probably for non-canonical address 0x6b6b")
expect_log("poison overwritten", False, START,
           "BUG io_kiocb (Not tainted): Poison overwritten")
expect_log("known line", True, START, "WARNING: known")
expect_log("comment is no known line", False, START, "# comment BUG:")
expect_log("longer than the known line", False, START, "WARNING: known too")
expect_log("known but for an address", True, START, "BUG: known 0x12ab")
expect_log("known but for a size or a count", True, START,
           "kmemleak: 3 new", "x: WARNING: size 72, known")
expect_log("another number than in the known line", False, START,
           "x: WARNING: size 72, known 5")
expect_log("trace of a known line", True, START, "WARNING: known", "CPU: 0",
           "Call trace: ")
expect_log("trace after a known line without one", False, START,
           "WARNING: known", "x", "CPU: 0", "Call trace: ")
expect_log("known report", True, START, CUT, "BUG: known 0x1", "WARNING: x", END)
expect_log("known report after its place", True,
           START, CUT, PLACE, "BUG: known 0x1", "WARNING: x", END)
expect_log("known report of a place", True, START, CUT,
           "WARNING: CPU: 3 PID: 7 at y.c:2", "Call trace:", "WARNING: x", END)
expect_log("report that is not known after its place", False,
           START, CUT, PLACE, "x", END)
expect_log("report that is known later", False,
           START, CUT, "WARNING: x", "BUG: known 0x1", END)
expect_log("warning after a known report", False,
           START, CUT, "BUG: known 0x1", END, "WARNING: x")
expect_log("known abort", True, START, "Internal error: known [#2]", "CPU: 0",
           "pc : x", "Call trace:", " x+0x1/0x2", END)
expect_log("abort that is not known", False,
           START, "Internal error: x [#2]", END)
expect_log("warning after a known abort", False, START,
           "Internal error: known [#2]", END, "WARNING: x")
expect_log("abort where it is provoked", True, START, "suite aborts",
           "Internal error: provoked [#1]", "CPU: 0", "Call trace:", END)
expect_log("abort that is not provoked", False, START, "suite aborts",
           "suite works", "Internal error: provoked [#1]", "CPU: 0", END)
expect_log("warning after a provoked abort", False, START, "suite aborts",
           "Internal error: provoked [#1]", END, "WARNING: x")
expect_log("data race", False, START, "=====",
           "BUG: KCSAN: data-race in chan_feed [dmacpy] / chan_reap [dmacpy]", "",
           "write to 0xffff0000087a5eb0 of 8 bytes by task 49 on cpu 0:",
           " chan_reap+0x234/0x378 [dmacpy]", "====")
expect_log("failure where it is provoked", True,
           START, "suite fails", RECOVERED, "suite breaks", RECOVERED)
expect_log("failure that is not provoked", False,
           START, "suite fails", "suite works", RECOVERED)
expect_log("another failure where one is provoked", False, START, "suite fails",
           "dmacpy 1f.dmacpy: channel dma3chan0: lost")
expect_log("no boot in the log", False, "dmacpy: ready")


def expect_shutdown(name, good, jobs, result=-19, done=40, lost=0):
    """Of a guest, with the result of the job, and the second when it is down"""
    lines = ["[   10.000000] copies are in flight"]
    if result:
        lines.append(f"[   11.000000] dmacpy_job_done: result={result}\r")
    if done:
        lines.append(f"[   {done}.000000] reboot: Restarting system")
    expect(name, good, f"# {jobs}, 0 lost, in {done - 10:.1f} s",
           lambda: judge.judge_shutdown(lost), lines)


ENDED = "1 jobs ended with ENODEV, 0 with something else"
expect_shutdown("shutdown", True, ENDED)
expect_shutdown("shutdown that hangs", False, ENDED, done=41)
expect_shutdown("guest that does not go down", False, ENDED, done=0)
expect_shutdown("job that is lost", False,
                "0 jobs ended with ENODEV, 0 with something else", result=0)
expect_shutdown("job that ends otherwise", False,
                "0 jobs ended with ENODEV, 1 with something else", result=-5)
expect_shutdown("engine that is not found to hang", False, ENDED, lost=1)


def expect_budget(name, good, last, figure, gcc="12", kernel="6.12"):
    """Of 100, with this figure, by this compiler on this kernel"""
    figures = f"Killed\nkernel {kernel}\nfloor 50\n"
    if figure:
        figures += f"wait {figure}\n"
    budgets = "# comment\n\nkernel 6.12\ngcc 12\nwait 100 1.5 floor\n"
    expect(name, good, last,
           with_files(lambda *paths: judge.judge_budgets(*paths, gcc),
                      figures, budgets))


AIM = "times floor, aim 1.5 missed"
expect_budget("figure within its budget", True,
              f"ok 1 wait # 100 of 100, 2 {AIM}", 100)
expect_budget("figure that meets its aim", True,
              "ok 1 wait # 75 of 100, 1.5 times floor, aim 1.5 met", 75,
              gcc="14")
expect_budget("figure that just misses its aim", True,
              f"ok 1 wait # 75.1 of 100, 1.502 {AIM}", 75.1, gcc="14")
expect_budget("figure above its budget", False,
              f"not ok 1 wait # 104 of 100, 2.08 {AIM}", 104)
expect_budget("figure above that of another kernel", True,
              f"ok 1 wait # 104 of 100, 2.08 {AIM}", 104, kernel="7.0")
expect_budget("figure above that of another compiler", True,
              f"ok 1 wait # 104 of 100, 2.08 {AIM}", 104, gcc="14")
expect_budget("figure below its budget", True,
              f"ok 1 wait # 90 of 100, 1.8 {AIM}: lower the budget", 90)
expect_budget("figure below that of another compiler", True,
              f"ok 1 wait # 90 of 100, 1.8 {AIM}", 90, gcc="14")
expect_budget("figure that is missing", False,
              "not ok 1 wait # was not measured", None)

print(f"1..{len(TESTS)}")
results = [run_test(number, *test) for number, test in enumerate(TESTS, 1)]
sys.exit(not all(results))
