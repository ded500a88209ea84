#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Rules about C files in kernel style.

usage: sources.py lengths|documented|includes FILE...

Prints one finding a line, nothing when there is none.
"""
import re
import statistics
import sys
from pathlib import Path

MEDIAN, MOST, LONGEST = 15, 50, 100
ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)|"
                       r"__(?:printf|must_hold|acquires|releases)\([^)]*\)",
                       re.S)
# Data flows one way: a file of the driver includes headers to its right, or shared
# ones.
FLOW = """
drv node heap board debugfs device cdev sysfs uring ioctl submit stream queue event
handle spread job plan sync buf export recovery chan testcopy token engine map pool
fence account report
""".split()
SHARED = "device stream compat fifo turns trace param power stub".split()


class Function:
    """A definition: its text before the brace, its comment, its length."""

    def __init__(self, path, lines, opening, closing):
        first = opening
        while first and lines[first - 1] and lines[first - 1][0] not in "#}/" \
                and not lines[first - 1].endswith((";", "*/")):
            first -= 1
        self.where = f"{path}:{first + 1}"
        self.head = ATTRIBUTE.sub("", " ".join(lines[first:opening]))
        self.comment = comment_above(lines, first)
        self.length = closing - opening - 1

    @property
    def name(self):
        """The word before the first parenthesis."""
        match = re.search(r"(\w+)\s*\(", self.head)
        return match.group(1) if match else self.head

    def is_static(self):
        """Only visible in its file."""
        return "static" in self.head.split("(")[0].split()


def comment_above(lines, first):
    """The comment that ends on the line before, or nothing."""
    if not first or not lines[first - 1].endswith("*/"):
        return ""
    start = first - 1
    while start and not lines[start].startswith("/*"):
        start -= 1
    return "\n".join(lines[start:first])


def functions(path):
    """All definitions in a file: a brace of its own in the first column."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    opening = None
    for number, line in enumerate(lines):
        if line == "{":
            opening = number
        elif line.startswith("}") and opening is not None:
            yield Function(path, lines, opening, number)
            opening = None


def all_functions(paths):
    """Those of several files."""
    return [function for path in paths for function in functions(path)]


def lengths(paths):
    """Short on the whole, and none too long."""
    found = all_functions(paths)
    for function in found:
        if function.length > LONGEST:
            yield (f"{function.where}: {function.name}: {function.length} "
                   f"lines, the limit is {LONGEST}")
    rows = [function.length for function in found]
    if rows and statistics.median(rows) > MEDIAN:
        yield (f"median length {statistics.median(rows)} lines, "
               f"the limit is {MEDIAN}")
    over = sum(length > MOST for length in rows)
    if over * 10 > len(rows):
        yield f"{over} of {len(rows)} functions have more than {MOST} lines"


def documented(paths):
    """Kernel-doc with a context on all that other files can call.

    The rest of what is in such a comment is checked by kernel-doc itself.
    """
    for function in all_functions(paths):
        if function.is_static():
            continue
        if not function.comment.startswith("/**"):
            yield f"{function.where}: {function.name}: no kernel-doc"
        elif "Context:" not in function.comment:
            yield f"{function.where}: {function.name}: no Context:"


def includes(paths):
    """A header is to the right of the file that includes it, or shared."""
    for path in paths:
        name = Path(path).stem.removeprefix("dmacpy_")
        text = Path(path).read_text(encoding="utf-8")
        for line in re.findall(r'^#include "dmacpy_.*', text, re.M):
            header = re.match(r'#include "dmacpy_(\w+)', line)[1]
            if header == name or header in SHARED:
                continue
            if name not in FLOW or header not in FLOW:
                yield f"{path}:{line}: not in the order of the driver's files"
            elif FLOW.index(header) <= FLOW.index(name):
                yield f"{path}:{line}: against the order of the driver's files"


def main():
    """Run the named rule."""
    rule = {"lengths": lengths, "documented": documented,
            "includes": includes}[sys.argv[1]]
    for finding in rule(sys.argv[2:]):
        print(finding)


main()
