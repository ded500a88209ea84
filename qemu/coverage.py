#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of the driver have run, from what gcov prints as JSON.

usage: coverage.py DIRECTORY    that of the project; the JSON is on stdin

Prints the lines that have not run, each with the reason why no test gets
there, from the file coverage-left, and a table. The exit status is 1 if less
than LIMIT percent have run.
"""
import collections
import json
import os
import sys

LIMIT = 90
NO_REASON = "not tested"


class Source:
    """A file of the driver: the lines with code, and in which function."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.text = file.read().splitlines()
        self.counts = collections.Counter()
        self.functions = {}

    def add(self, line):
        """One line of an object: the same one may be in several."""
        number = line["line_number"]
        self.counts[number] += line["count"]
        self.functions[number] = line.get("function_name", "")

    def left(self):
        """The numbers of the lines that have not run."""
        return sorted(n for n, count in self.counts.items() if not count)


def read_sources(directory, stream):
    """All files of the driver that have code, by name."""
    sources = {}
    for document in stream:
        for file in json.loads(document)["files"]:
            name = os.path.basename(file["file"])
            path = os.path.join(directory, "driver", name)
            if not os.path.exists(path):
                continue
            source = sources.setdefault(name, Source(path))
            for line in file["lines"]:
                source.add(line)
    return dict(sorted(sources.items()))


def read_reasons(path):
    """Function and part of a line, and the reason why it does not run."""
    reasons = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#") and line.strip():
                reasons.append([part.strip() for part in line.split("|")])
    return reasons


def reason_for(reasons, function, text):
    """The first that fits."""
    for name, part, reason in reasons:
        if name == function and part in text:
            return reason
    return NO_REASON


def print_left(name, source, reasons):
    """One line of the driver a line."""
    for number in source.left():
        text = source.text[number - 1].strip()
        reason = reason_for(reasons, source.functions[number], text)
        print(f"{name}:{number}: {text}  [{reason}]")


def print_row(name, lines, left):
    """Of the table."""
    print(f"{name:24} {lines:5} {left:5} {percent(lines, left):6.1f} %")


def percent(lines, left):
    """How much has run."""
    return 100 * (lines - left) / max(lines, 1)


def main():
    """Print all and judge."""
    directory = sys.argv[1]
    sources = read_sources(directory, sys.stdin)
    reasons = read_reasons(os.path.join(directory, "qemu", "coverage-left"))
    for name, source in sources.items():
        print_left(name, source, reasons)
    print(f"\n{'file':24} lines  left      run")
    for name, source in sources.items():
        print_row(name, len(source.counts), len(source.left()))
    lines = sum(len(source.counts) for source in sources.values())
    left = sum(len(source.left()) for source in sources.values())
    print_row("total", lines, left)
    return percent(lines, left) < LIMIT


sys.exit(main())
