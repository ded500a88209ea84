#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a run has printed, judged. The exit status is 1 if anything has failed.

usage: judge.py suites
       judge.py kernel-log ALLOWED
       judge.py shutdown LOST
       judge.py budgets FIGURES BUDGETS GCC

"suites" reads the output of test suites on stdin, prints it as KTAP in short and
ends with "N passed, N failed". What should be there and is not has failed. The
stream is that of the suites, each in a frame of these lines:

  #@ suites NAME...     what is going to run, once or more
  #@ suite NAME         the output of a suite follows
  #@ exit STATUS        that suite has ended

Suites of the name BOARD/KERNEL/SUITE have sums for each board and kernel. The
kernel's kunit_parser.py is not used: for it a suite without a plan, "Bail out!"
and a test that fails after all that were planned are success.

"kernel-log" reads one on stdin, and prints, as KTAP, whether it is free of
complaints. Lines of the file ALLOWED, such as kernel-log-allowed, may be in it,
and so may the reports that begin with one.

"shutdown" reads the log of a guest that went down while a job was in flight, see
shutdown() in guest/suites. The job has to end with ENODEV, the engine to be taken for
one that does not stop LOST times, and all of it must not take too long.

"budgets" prints KTAP: is any figure of guest/figures above its budget, for a
program that this version of gcc has built? It also says which aims are met.
"""
import re
import signal
import sys
import time
from pathlib import Path


class Sums:
    """How many tests have passed, failed, and been skipped."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, other):
        """Those of another one, too."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed"


class Suite:
    """One suite, from its output."""

    def __init__(self, name):
        self.name = name
        self.sums = Sums()
        self.plan = None
        self.seen = 0
        self.context = []
        self.start = time.monotonic()

    def fail(self, text):
        """Something that the suite itself did not report"""
        print(f"  # {self.name}: {text}")
        self.sums.failed += 1

    def show_context(self):
        """The last lines before a failure mostly say why."""
        for line in self.context[-10:]:
            print(f"  {line}")
        self.context = []

    def set_plan(self, line, count):
        """A line 1..N"""
        if self.plan is not None:
            self.fail("a second plan")
        self.plan = count
        if count == 0 and "# SKIP" in line:
            self.sums.skipped += 1
        elif count == 0:
            self.fail("nothing to run")

    def result(self, line, number):
        """A line "ok N name" or "not ok N name", either with "# SKIP why" """
        self.seen += 1
        if number != str(self.seen):
            self.fail(f"test {self.seen} expected, found: {line}")
        if line.startswith("not "):
            self.sums.failed += 1
            self.show_context()
            print(f"  {line}")
        elif "# SKIP" in line:
            self.sums.skipped += 1
            print(f"  {line}")
        else:
            self.sums.passed += 1
        self.context = []

    def line(self, line):
        """A line of its output"""
        plan = re.match(r"1\.\.(\d+)", line)
        result = re.match(r"(?:not )?ok (\d+)", line)
        if plan:
            self.set_plan(line, int(plan[1]))
        elif result:
            self.result(line, result[1])
        elif line.startswith("Bail out!"):
            self.fail(line)
        elif line:
            self.context.append(line)

    def end(self, status):
        """With this exit status, or none, if it was cut off"""
        if self.plan is None:
            self.fail("no plan")
        elif self.seen != self.plan:
            self.fail(f"{self.plan} tests planned, {self.seen} run")
        if status is None:
            self.fail("cut off")
        elif not (status == "0" or (status == "1" and self.sums.failed) or
                  (status == "4" and self.sums.skipped)):
            self.fail(f"exit status {status}")


class Suites:
    """All of them, and what there is to say of them together"""

    def __init__(self):
        self.sums = Sums()
        self.expected = []
        self.finished = set()
        self.rows = {}
        self.suite = None

    def report(self, suite):
        """The line of a suite that has ended"""
        seconds = int(time.monotonic() - suite.start)
        if suite.name in self.finished:
            suite.fail("has run before")
        if suite.sums.failed:
            suite.show_context()
        self.sums.add(suite.sums)
        row, slash, _ = suite.name.rpartition("/")
        if slash:
            self.rows.setdefault(row, Sums()).add(suite.sums)
        self.finished.add(suite.name)
        print(f"{'not ok' if suite.sums.failed else 'ok'} "
              f"{len(self.finished)} {suite.name} # {suite.sums}, "
              f"{suite.sums.skipped} skipped, {seconds} s")

    def end_suite(self, status):
        """The one that is running, if there is one"""
        if self.suite:
            self.suite.end(status)
            self.report(self.suite)
        self.suite = None

    def read(self, stream):
        """All of the output. Lines come as they are printed."""
        for line in stream:
            line = line.rstrip("\n")
            word, _, rest = line.removeprefix("#@ ").partition(" ")
            if not line.startswith("#@ "):
                if self.suite:
                    self.suite.line(line)
            elif word == "suites":
                self.expected += rest.split()
            elif word == "suite":
                self.end_suite(None)
                self.suite = Suite(rest)
            elif word == "exit":
                self.end_suite(rest)
        self.end_suite(None)

    def fail_missing(self):
        """What was expected and has not run"""
        for name in self.expected:
            if name not in self.finished:
                suite = Suite(name)
                suite.fail("did not run")
                self.report(suite)

    def print_sums(self):
        """The end of the report"""
        print(f"1..{len(self.finished)}")
        for name, sums in self.rows.items():
            print(f"# {name}: {sums}, {sums.skipped} skipped")
        skipped = f", {self.sums.skipped} skipped" if self.sums.skipped else ""
        print(f"{self.sums}{skipped}")


def judge_suites():
    """All suites"""
    suites = Suites()
    print("KTAP version 1")
    suites.read(sys.stdin)
    suites.fail_missing()
    suites.print_sums()
    return suites.sums.passed > 0 and suites.sums.failed == 0


COMPLAINTS = re.compile("|".join((
    "WARNING:", "BUG:", "BUG at", r"BUG [^ ]+ \(", "Oops", "Kernel panic",
    "[Cc]all [Tt]race:", "general protection fault",
    "Unable to handle kernel", "Internal error", "KASAN", "KCSAN", "UBSAN",
    "possible circular locking", "possible recursive locking",
    "inconsistent lock state", "suspicious RCU usage", "lock held when",
    "DMA-API: .*:", "kmemleak: ([0-9]+ new|.*unknown)", "refcount_t:",
    "list_add corruption", "list_del corruption", "INFO: task",
    "self-detected stall", "detected stalls", "soft lockup",
    "scheduling while atomic", "sleeping function called", "ODEBUG",
    "Bad page state", "nobody cared", "usage count underflow",
    "dmacpy [^ ]+: (channel [^ ]+:|[0-9]+ failures) ")))
STAMP = re.compile(r"^\[ *([0-9]+\.[0-9]+)\] ")
# What differs from one time to another
NUMBERS = tuple((re.compile(pattern), text, count) for pattern, text, count in (
    (r"0x[0-9a-f]+", "0x", 0),
    (r"^kmemleak: [0-9]+ ", "kmemleak: N ", 1),
    (r": size [0-9]+,", ": size N,", 1),
    (r" CPU: [0-9]+ PID: [0-9]+ ", " CPU: N PID: N ", 1),
    (r" \[#[0-9]+\]", " [#N]", 1),
    (r"^dmacpy [^ ]+: channel [a-z0-9]+: (.*?)( after [0-9]+ ms)?$",
     lambda match: f"dmacpy N: channel N: {match[1]}" +
     (" after N ms" if match[2] else ""), 1),
    (r"^dmacpy [^ ]+: [0-9]+ failures ", "dmacpy N: N failures ", 1)))


def without_numbers(line):
    """As the lines that are allowed have it"""
    for pattern, text, count in NUMBERS:
        line = pattern.sub(text, line, count=count)
    return line


class Allowed:
    """The lines of a file like kernel-log-allowed"""

    def __init__(self, path):
        self.known = set()
        self.provoked = set()
        suites = None
        for line in Path(path).read_text(encoding="latin-1").split("\n")[:-1]:
            if re.match(r"\[.*\]$", line):
                suites = line[1:-1].split()
            elif not line.startswith("#") and suites is None:
                self.known.add(line)
            elif not line.startswith("#"):
                self.provoked |= {(suite, line) for suite in suites}


def not_allowed(lines, allowed):
    """The lines that are neither allowed nor of a report that is"""
    first = in_report = after_known = False
    suite = place = None
    for line in lines:
        begins = re.match("suite ([a-z0-9-]+)$", line)
        suite = begins[1] if begins else suite
        text = without_numbers(line)
        known = text in allowed.known
        provoked = (suite, text) in allowed.provoked
        # 32-bit kernels say where it was before they say what.
        if first and place is None and not known and \
                line.startswith("WARNING: CPU: "):
            place = line
            continue
        # An abort has no line before its report.
        if line.startswith("Internal error: ") and (known or provoked):
            in_report = True
        if first:
            in_report = known
            if place is not None and not known:
                yield place
            place = None
        first = bool(re.match(r"-+\[ cut here \]-+$", line))
        if first or line.startswith("---[ end trace "):
            in_report = False
        # What is said about a lack of memory comes with a trace, after some
        # lines.
        if after_known and re.match(r"[Cc]all [Tt]race: ?$", line):
            continue
        if not re.match(r"(CPU|Tainted|Hardware name): ", line):
            after_known = known
        if not (in_report or known or provoked):
            yield line


def judge_kernel_log(allowed_path):
    """A kernel log: print all complaints."""
    lines = [STAMP.sub("", line.replace("\r", "").rstrip("\n"))
             for line in sys.stdin]
    found = [line for line in not_allowed(lines, Allowed(allowed_path))
             if COMPLAINTS.search(line)]
    if not any(line.startswith("Linux version") for line in lines):
        found.insert(0, "no boot in the log")
    print("1..1")
    for line in found:
        print(f"# {line}")
    print("not ok 1 kernel log" if found else "ok 1 kernel log")
    return not found


# In seconds: a job that hangs is waited for and tried once more, each for the
# timeout in guest/suites; and some time for a busy host.
SHUTDOWN_SECONDS = 2 * 10 + 10


def judge_shutdown(lost):
    """A guest that went down while copies were in flight"""
    begun = ended = 0
    unbound = others = kept = 0
    for line in sys.stdin:
        stamp = STAMP.match(line)
        if "copies are in flight" in line and stamp:
            begun = float(stamp[1])
        if "reboot: Restarting system" in line and stamp:
            ended = float(stamp[1])
        if "dmacpy_job_done:" in line:
            is_unbound = bool(re.search(r"=-19\r?$", line))
            unbound += is_unbound
            others += not is_unbound
        kept += "the engine may still write" in line
    print(f"# {unbound} jobs ended with ENODEV, {others} with something else, "
          f"{kept} lost, in {ended - begun:.1f} s")
    return bool(unbound == 1 and not others and kept == int(lost) and begun and
                ended and ended - begun <= SHUTDOWN_SECONDS)


def words_of(path):
    """The lines of a file, without comments, as lists of words"""
    for line in Path(path).read_text(encoding="latin-1").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.split()


def judge_budget(now, base, field, slack, may_lower):
    """Is a figure within its budget, is its aim met, and what to say of it"""
    _, budget, aim, base_name = field
    met = now <= float(aim) * base
    text = (f"{now:.9g} of {float(budget):.9g}, {now / base:.4g} times "
            f"{base_name}, aim {aim} {'met' if met else 'missed'}")
    if may_lower and now * slack < float(budget):
        text += ": lower the budget"
    return now <= float(budget) * slack, met, text


def judge_budgets(figures_path, budgets_path, gcc):
    """What copies cost.

    The figures of one build repeat to some ns; where its parts are in memory makes
    up to 3 % in those of another, and another kernel or compiler 5 %: gcc 14 and the
    libraries of Debian 13 instead of gcc 12 have been seen to make 2 % less to 0.4 %
    more, and 4.4 % more for what the fake engine copies by the CPU. Only the
    compiler of the budgets is to lower one.
    """
    figures = {words[0]: words[1] for words in words_of(figures_path)
               if len(words) > 1}
    rows = list(words_of(budgets_path))
    made_with = {row[0]: row[1] for row in rows if len(row) == 2}
    rows = [row for row in rows if len(row) == 4]
    same = (gcc, figures.get("kernel")) == (made_with["gcc"], made_with["kernel"])
    slack = 1.03 if same else 1.05
    if gcc != made_with["gcc"]:
        print(f"# The budgets are of gcc {made_with['gcc']}, "
              f"and this is gcc {gcc}")
    results = []
    for row in rows:
        if row[0] in figures and row[3] in figures:
            results.append(judge_budget(float(figures[row[0]]),
                                        float(figures[row[3]]), row, slack,
                                        gcc == made_with["gcc"]))
        else:
            results.append((False, False, "was not measured"))
    print(f"1..{len(rows)}")
    print(f"# {sum(met for _, met, _ in results)} of {len(rows)} aims are met")
    for number, (row, (good, _, text)) in enumerate(zip(rows, results), 1):
        print(f"{'ok' if good else 'not ok'} {number} {row[0]} # {text}")
    return all(good for good, _, _ in results)


def main():
    """Ctrl-C ends it without a word, and all bytes pass through."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdin.reconfigure(encoding="latin-1", newline="\n")
    sys.stdout.reconfigure(encoding="latin-1", line_buffering=True)
    judge = {"suites": judge_suites, "kernel-log": judge_kernel_log,
             "shutdown": judge_shutdown, "budgets": judge_budgets}
    return 0 if judge[sys.argv[1]](*sys.argv[2:]) else 1


if __name__ == "__main__":
    sys.exit(main())
