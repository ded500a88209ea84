#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What is said about the sources agrees with them.

usage: agree.py engines KERNEL_SOURCE
       agree.py syzkaller

"engines" compares Documentation/engines.rst to the kernel, the driver's tables and
the tests, "syzkaller" the description of the interface for it to the header. Prints
what they do not have in common.
"""

import csv
import pathlib
import re
import sys

README = pathlib.Path('README.md')
PAGE = pathlib.Path('Documentation/engines.rst')
DRIVER = pathlib.Path('driver/dmacpy_engine.c')
TESTS = pathlib.Path('userspace/tests/personality.h')
OWN = {'dmacpy-fake-dma', 'dmacpy-test-engine'}
# Drivers that Linux 6.12 does not have
LATER = {'ae4dma'}
# Drivers that share the code of another one
SHARED = {'dw_dmac_pci'}


def read_rows(text):
    """The rows of the table of providers."""
    body = text.split('.. csv-table::')[1].split('\n\n')[1]
    return [[cell.strip() for cell in row]
            for row in csv.reader(body.splitlines(), skipinitialspace=True)]


def section(text, title):
    """The first column of the first table of that section."""
    body = text.split(f'\n{title}\n')[1]
    width = len(re.search(r'^=+(?= )', body, re.M)[0])
    table = re.split(r'^=+ =+$', body, flags=re.M)[2]
    cells = [line[:width].strip() for line in table.splitlines()]
    return {name for cell in cells if cell for name in cell.split(', ')}


def driver_table(source, table):
    """The names in a table of the driver, with what is beside them."""
    body = re.search(rf'}} {table}\[\] = {{(.*?)^}};', source, re.M | re.S)
    return dict(re.findall(r'{ "([^"]+)",\s*(.*?) }', body[1], re.S))


def check_kernel(dma, rows):
    """All providers, each with its option and its driver's name."""
    found = {str(path.relative_to(dma)) for path in dma.rglob('*.c')
             if re.search(r'dma_cap_set\(DMA_MEMCPY', path.read_text())}
    for name in sorted(found ^ {row[0] for row in rows}):
        yield f'{name} is not in both the kernel and the table'
    kconfig = ''.join(path.read_text() for path in dma.rglob('Kconfig'))
    for name, driver, option, _, _ in rows:
        if not re.search(rf'config {option}$', kconfig, re.M):
            yield f'{name}: there is no CONFIG_{option}'
        stem = pathlib.Path(name).stem.replace('-', '_')
        sources = ''.join(path.read_text()
                          for path in (dma / name).parent.glob('*.[ch]'))
        if driver != stem and f'"{driver}"' not in sources:
            yield f'{name}: its driver is not {driver}'


def check_tables(text, rows, source):
    """What dmacpy knows by name, with the reason for what it refuses."""
    known = set(driver_table(source, 'engine_quirks')) - OWN
    for name in sorted(known ^ section(text, 'Drivers that dmacpy knows')):
        yield f'{name} is not in both engine_quirks and {PAGE.name}'
    refused = {name: reason.strip('"') for name, reason
               in driver_table(source, 'engine_refused').items()
               if name not in LATER}
    said = {row[1]: row[4].partition(': ')[2] for row in rows
            if row[4].startswith('refused: ')}
    if refused != said:
        yield f'refused are {refused}, not {said}'
    for name in sorted((known | set(refused)) - SHARED -
                       {row[1] for row in rows}):
        yield f'{name} is no provider'


def check_tests(text, rows, tests):
    """Each personality is a variant of the tests."""
    variants = set(re.findall(r'VARIANT_ADD\(engines, (\w+)\)', tests))
    for name in sorted(variants ^ section(text, 'Personalities')):
        yield f'{name} is not in both {TESTS.name} and {PAGE.name}'
    for row in rows:
        name = row[4].rpartition('as ')[2]
        if name not in variants and not row[4].startswith('refused: '):
            yield f'{row[0]}: there is no personality {name}'


def check_counts(text, rows):
    """What the page and the README say about the table."""
    if f'of the {len(rows)} drivers' not in README.read_text():
        yield f'{README} does not have {len(rows)} drivers'
    refused = sum(row[4].startswith('refused: ') for row in rows)
    for count in (f'Linux 6.12 has {len(rows)} drivers',
                  f'{len(rows) - refused} of them, and refuses'):
        if count not in text:
            yield f'the page does not say: {count}'


def check_engines(kernel_source):
    """All that is found."""
    text = PAGE.read_text()
    rows = read_rows(text)
    dma = pathlib.Path(kernel_source) / 'drivers/dma'
    for finding in (*check_kernel(dma, rows),
                    *check_tables(text, rows, DRIVER.read_text()),
                    *check_tests(text, rows, TESTS.read_text()),
                    *check_counts(text, rows)):
        yield f'{PAGE}: {finding}'


SIZES = {"__u8": 1, "__u32": 4, "__s32": 4, "__aligned_u64": 8,
         "int8": 1, "int32": 4, "int64": 8, "ptr64": 8, "vma64": 8}


def header_structs(text, numbers):
    """Names and sizes of members."""
    structs = {}
    for name, body in re.findall(r"^struct (\w+) \{\n(.*?)^\};", text,
                                 re.M | re.S):
        members = re.findall(r"^\t(\w+) (\w+)(?:\[(\w+)\])?;", body, re.M)
        structs[name] = [(member, SIZES[kind] * numbers.get(count, 1))
                         for kind, member, count in members]
    return structs


def size_of(kind, resources, numbers):
    """Of a type of syzkaller: the last type named in it that has a size."""
    array = re.match(r"array\[(\w+), (\w+)\]", kind)
    if array:
        return SIZES[array[1]] * numbers[array[2]]
    name = re.match(r"\w+", kind)[0]
    if name in SIZES or name in resources:
        return SIZES.get(name, 4)
    return SIZES[re.findall(r"int\d+", kind)[-1]]


def described_structs(text, resources, numbers):
    """The same, of the description."""
    structs = {}
    for name, body in re.findall(r"^(\w+) \{\n(.*?)^\}", text, re.M | re.S):
        members = re.findall(r"^\t(\w+)\t+([^\t\n]+)", body, re.M)
        structs[name] = [(member, size_of(kind, resources, numbers))
                         for member, kind in members]
    return structs


def check_syzkaller():
    """Each name that only one of them has, and each structure whose members, or the
    sizes of these, differ"""
    header = pathlib.Path("uapi/linux/dmacpy.h")
    description = pathlib.Path("userspace/tests/syzkaller/dmacpy.txt")
    uapi = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
    text = re.sub(r"^#.*\n", "", description.read_text(), flags=re.M)

    numbers = {name: int(value, 0) for name, value in
               re.findall(r"^#define (DMACPY_\w+)\t+(\w+)$", uapi, re.M)}
    # Of other files of syzkaller: numbers of files, of 32 bits.
    resources = set(re.findall(r"^resource (\w+)\[", text, re.M))
    resources |= {"fd_dma_buf", "fd_sync_file"}

    inside = {"DMACPY_TYPE"}
    names = set(re.findall(r"\bDMACPY_(?!CMD_)\w+", uapi)) - inside
    named = set(re.findall(r"(?<!\$)\bDMACPY_\w+", text))
    for name in sorted(names ^ named):
        yield f"{description if name in names else header}: no {name}"

    known = header_structs(uapi, numbers)
    described = described_structs(text, resources, numbers)
    op_size = re.search(r"^\top_size\t+const\[(\d+)", text, re.M)
    if int(op_size[1]) != sum(size for _, size in known["dmacpy_op"]):
        yield f"{description}: op_size is not that of dmacpy_op"
    for name in sorted(known.keys() | described.keys()):
        if known.get(name) != described.get(name):
            yield (f"{description}: {name}: {described.get(name)}, "
                   f"but in {header}: {known.get(name)}")


def main():
    """Print all that is found."""
    check = {'engines': check_engines, 'syzkaller': check_syzkaller}
    for finding in check[sys.argv[1]](*sys.argv[2:]):
        print(finding)


main()
