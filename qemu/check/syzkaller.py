#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: qemu/check/syzkaller.py HEADER DESCRIPTION
#
# Is the description of the interface for syzkaller that of the header? Prints
# each name that only one of them has, and each structure whose members, or the
# sizes of these, differ.
import re
import sys

SIZES = {"__u8": 1, "__u32": 4, "__s32": 4, "__aligned_u64": 8,
         "int8": 1, "int32": 4, "int64": 8, "ptr64": 8, "vma64": 8}


def header_structs(text, numbers):
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
    structs = {}
    for name, body in re.findall(r"^(\w+) \{\n(.*?)^\}", text, re.M | re.S):
        members = re.findall(r"^\t(\w+)\t+([^\t\n]+)", body, re.M)
        structs[name] = [(member, size_of(kind, resources, numbers))
                         for member, kind in members]
    return structs


def main(header, description):
    with open(header, encoding="utf-8") as file:
        uapi = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    with open(description, encoding="utf-8") as file:
        text = re.sub(r"^#.*\n", "", file.read(), flags=re.M)

    numbers = {name: int(value, 0) for name, value in
               re.findall(r"^#define (DMACPY_\w+)\t+(\w+)$", uapi, re.M)}
    # Of other files of syzkaller: numbers of files, of 32 bits.
    resources = set(re.findall(r"^resource (\w+)\[", text, re.M))
    resources |= {"fd_dma_buf", "fd_sync_file"}

    inside = {"DMACPY_TYPE"}
    names = set(re.findall(r"\bDMACPY_(?!CMD_)\w+", uapi)) - inside
    named = set(re.findall(r"(?<!\$)\bDMACPY_\w+", text))
    for name in sorted(names ^ named):
        print(f"{description if name in names else header}: no {name}")

    known = header_structs(uapi, numbers)
    described = described_structs(text, resources, numbers)
    op_size = re.search(r"^\top_size\t+const\[(\d+)", text, re.M)
    if int(op_size[1]) != sum(size for _, size in known["dmacpy_op"]):
        print(f"{description}: op_size is not that of dmacpy_op")
    for name in sorted(known.keys() | described.keys()):
        if known.get(name) != described.get(name):
            print(f"{description}: {name}: {described.get(name)}, "
                  f"but in {header}: {known.get(name)}")


main(*sys.argv[1:])
