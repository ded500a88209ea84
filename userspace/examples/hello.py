#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Copies a text into on-chip SRAM and prints it from there."""

import dmacpy
from dmacpy import Access

# 24 bytes: some engines copy only whole words.
TEXT = b"Hello from on-chip SRAM\n"

with dmacpy.Device() as device, device.open_stream() as stream:
    memory = stream.register(bytearray(TEXT), Access.READ)
    sram = stream.alloc(len(TEXT))
    stream.copy(sram, memory)
    with sram.access(Access.READ) as view:
        print(bytes(view[:len(TEXT)]).decode(), end="")
