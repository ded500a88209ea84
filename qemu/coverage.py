#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of the driver have run, from what gcov prints as JSON.

usage: coverage.py DIRECTORY    that of the project; the JSON is on stdin

Prints the lines that have not run, each with the reason why no test gets
there, and a table. The exit status is 1 if less than LIMIT percent have run, or a
line that has not run has no reason.
"""
import collections
import json
import os
import sys

LIMIT = 90
NO_REASON = "not tested"
# Function, part of the line, and the reason why no test in the guest runs it
REASONS = """
buf_set_engine || no device of this board fails to resume
dmacpy_buf_import | goto err_free | no device of this board fails to resume
export_alloc_sram | goto err_uncharge | no device of this board fails to resume
buf_sync | part = min_t | this board has no IOMMU
export_vmap || no importer in this kernel maps a buffer for the CPU
dmacpy_shutdown || runs after the counters have been read
dmacpy_stream_open || an open that meets an unbind, by chance
dmacpy_event_reserve | return -ENOMEM | one failure at a time: kvcalloc() has another way
dmacpy_event_reserve | kvfree(ring) | two threads with a first EVENT at the same time, by chance
ioctl_wait | wait_for_completion(&waiter->woken) | killed while woken, by chance
dmacpy_handle_release | goto out_leave | killed while another one submits, by chance
sync_collect_writer | return deps_add | only the board with bounce buffers has them
sync_set_writer || only the board with bounce buffers has them
dmacpy_sync_publish | sync_set_writer | only the board with bounce buffers has them
dmacpy_sync_lock | return ret | counted with the line above it
"""


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


def reason_for(function, text):
    """The first that fits."""
    for row in REASONS.strip().splitlines():
        name, part, reason = (word.strip() for word in row.split("|"))
        if name == function and part in text:
            return reason
    return NO_REASON


def print_left(name, source):
    """One line of the driver a line. Returns how many have no reason."""
    untested = 0
    for number in source.left():
        text = source.text[number - 1].strip()
        reason = reason_for(source.functions[number], text)
        untested += reason == NO_REASON
        print(f"{name}:{number}: {text}  [{reason}]")
    return untested


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
    untested = sum(print_left(name, source)
                   for name, source in sources.items())
    print(f"\n{'file':24} lines  left      run")
    for name, source in sources.items():
        print_row(name, len(source.counts), len(source.left()))
    lines = sum(len(source.counts) for source in sources.values())
    left = sum(len(source.left()) for source in sources.values())
    print_row("total", lines, left)
    return percent(lines, left) < LIMIT or untested > 0


sys.exit(main())
