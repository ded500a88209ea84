#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The blocks of code in documents are valid, and recipes for bpftrace have names.

usage: snippets.py DIRECTORY COMPILER... -- FILE...

Writes each block of C to a file in DIRECTORY and has it compiled; a block that has
no function is put into one. Compiles nodes of a device tree, beside stubs of those
that they refer to. Parses Python and the commands of a shell.
Prints what is found, with the place in the document. What a recipe prints is tested
by userspace/tests/bpftrace.sh, which knows it by its caption.
"""
import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

# What the blocks take for granted
HEADER = """\
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dmacpy.h>

extern struct dmacpy_device *device;
extern struct dmacpy_stream *stream;
extern struct dmacpy_buffer *buffer;
extern struct dmacpy_buffer *memory;
extern struct dmacpy_buffer *sram;
extern struct dmacpy_job *job;
extern struct dmacpy_copier *copier;
extern struct dmacpy_copier_buffer *src;
extern struct dmacpy_copier_buffer *dst;
extern size_t length;
extern size_t size;
extern char text[32];
extern void *mem;
extern int dmabuf;
extern int fence;
extern int ret;

void compute(void);
void use_result(uint64_t user_data);
"""

# A fence, a directive, a literal block by its indentation, a display of mdoc
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
DIRECTIVE = re.compile(r"^([ \t]*)\.\. code-block:: (\w+)\n"
                       r"((?:\1[ \t]+:.*\n)*)\n"
                       r"((?:\1[ \t]+.*\n|\n)+)", re.M)
LITERAL = re.compile(r"^([ \t]*)(?!\.\.)(?:\S.*)?::\n\n"
                     r"((?:\1[ \t]+.*\n|\n)+)", re.M)
INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n|\n)+")
DISPLAY = re.compile(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed$", re.M | re.S)

# A function starts in the first column, and so does its brace.
FUNCTION = re.compile(r"^\{$", re.M)
LOOKS_LIKE_CODE = re.compile(r"[;{]$", re.M)
LOOKS_LIKE_RECIPE = re.compile(r"^tracepoint:", re.M)


class Block:
    """A block of a document: its language, its text, and where it is."""

    def __init__(self, path, document, language, match, group, options=""):
        self.path = path
        self.language = language
        self.options = options
        self.line = document.count("\n", 0, match.start(group)) + 1
        self.text = textwrap.dedent(match.group(group).expandtabs(8))

    def source(self):
        """A file that can be compiled: with the lines of the document."""
        line = f'#line {self.line} "{self.path}"\n'
        if FUNCTION.search(self.text):
            return HEADER + line + self.text
        return (f"{HEADER}int snippet(void);\nint snippet(void)\n{{\n{line}"
                f"{self.text}\nreturn 0;\n}}\n")


def markdown_blocks(path, document):
    """Fences, and what is indented outside of them."""
    for match in FENCE.finditer(document):
        yield Block(path, document, match.group(2), match, 3)
    rest = FENCE.sub(lambda match: "\n" * match.group().count("\n"), document)
    for match in INDENTED.finditer(rest):
        yield Block(path, rest, "", match, 0)


def rst_blocks(path, document):
    """Directives, and paragraphs that end in two colons."""
    for match in DIRECTIVE.finditer(document):
        yield Block(path, document, match.group(2), match, 4, match.group(3))
    for match in LITERAL.finditer(document):
        yield Block(path, document, "", match, 2)


def man_blocks(path, document):
    """Displays: those of section 3 are C."""
    for match in DISPLAY.finditer(document):
        yield Block(path, document, "c", match, 1)


BLOCKS = {".md": markdown_blocks, ".rst": rst_blocks, ".3": man_blocks}


def output_of(command, text=None):
    """What a command says of the text."""
    done = subprocess.run(command, input=text, capture_output=True, text=True,
                          check=False)
    return done.stderr


def c_findings(block, directory, compiler):
    """What the compiler says."""
    source = directory / f"{Path(block.path).stem}-{block.line}.c"
    source.write_text(block.source(), encoding="utf-8")
    return output_of([*compiler, str(source)])


def dts_findings(block):
    """What dtc says of nodes, with engines that take one cell for each label."""
    labels = set(re.findall(r"&(\w+)", block.text))
    stubs = "".join(f"{label}: {label.replace('_', '-')} {{ #dma-cells = <1>; }};"
                    for label in sorted(labels))
    nodes = block.text if block.text.startswith("/") else f"/ {{ {block.text} }};"
    return output_of(
        ["dtc", "-I", "dts", "-O", "dtb", "-o", "/dev/null"],
        "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; "
        f'{stubs} }};\n#line {block.line} "{block.path}"\n{nodes}')


def python_findings(block):
    """What Python says of the syntax."""
    try:
        ast.parse(block.text)
    except SyntaxError as error:
        return f"{block.path}:{block.line + error.lineno - 1}: {error.msg}\n"
    return ""


def sh_findings(block):
    """What the shell says of the syntax, with the line in the block."""
    said = output_of(["sh", "-n"], block.text)
    return f"{block.path}:{block.line}: {said}" if said else ""


CHECKS = {"dts": dts_findings, "python": python_findings, "sh": sh_findings,
          "": lambda block: "", "none": lambda block: "",
          "text": lambda block: ""}


def findings(block, directory, compiler):
    """What is wrong with a block, as lines."""
    if block.language == "" and LOOKS_LIKE_CODE.search(block.text):
        return (f"{block.path}:{block.line}: a block of code without a "
                "language\n")
    if LOOKS_LIKE_RECIPE.search(block.text) and \
            not re.search(r":caption: \w+\.bt$", block.options, re.M):
        return (f"{block.path}:{block.line}: a recipe without a name, which no "
                "test runs\n")
    if block.language == "c":
        return c_findings(block, directory, compiler)
    if block.language not in CHECKS:
        return (f"{block.path}:{block.line}: a block of \"{block.language}\", "
                "which nothing here checks\n")
    return CHECKS[block.language](block)


def main():
    """Print all findings, also when there is no block of a language at all."""
    split = sys.argv.index("--")
    directory, compiler = Path(sys.argv[1]), sys.argv[2:split]
    found = set()
    for path in sys.argv[split + 1:]:
        document = Path(path).read_text(encoding="utf-8")
        for block in BLOCKS[Path(path).suffix](path, document):
            found.add(block.language)
            sys.stdout.write(findings(block, directory, compiler))
    for language in {"c", *CHECKS} - found:
        print(f"no block of \"{language}\" was found")


main()
