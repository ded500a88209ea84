# SPDX-License-Identifier: LGPL-2.1-or-later
"""On-chip SRAM, and copies by a DMA engine, through libdmacpy.

    import dmacpy

    with dmacpy.Device() as device, device.open_stream() as stream:
        memory = stream.register(bytearray(b"by DMA" * 1000))
        sram = stream.alloc(6000)
        stream.copy(sram, memory)
        with sram.access(dmacpy.Access.READ) as view:
            print(bytes(view[:6]))

A device has streams, a stream has buffers and jobs; each is a context manager,
and closing a stream frees what it has. Failures are OSError with the errno that
the C library returns. Different streams can be used by different threads; a
stream with its buffers and jobs by one thread at a time.
"""

from ._objects import (Access, Buffer, Device, Event, Info, Job, Memory, Plane,
                       Prepared, Stream, devices, fence_signalled, wait_fence)

__all__ = ["Access", "Buffer", "Device", "Event", "Info", "Job", "Memory",
           "Plane", "Prepared", "Stream", "devices", "fence_signalled",
           "wait_fence"]
