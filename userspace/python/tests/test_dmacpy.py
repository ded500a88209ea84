#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the Python package, on a device: KTAP, or by unittest."""

import asyncio
import contextlib
import errno
import fcntl
import gc
import json
import mmap
import os
import random
import shutil
import struct
import subprocess
import sys
import threading
import time
import unittest
from unittest import mock

import dmacpy
from dmacpy import Access, Memory, Plane

FAKE_ENGINE = "/sys/kernel/debug/dmacpy_fake_dma/"
PAGE = mmap.PAGESIZE
# DMACPY_ALLOC
ALLOC = 0xb901


def fails_on_command(device):
    """Is its engine that of kunit/dmacpy_fake_dma.c?"""
    node = "/sys/class/misc/" + os.path.basename(device.path)
    parent = os.path.basename(os.path.realpath(node + "/device"))
    return (os.path.exists(FAKE_ENGINE) and
            (parent.endswith(".dmacpy-fake") or parent == "dmacpy.0"))


def knob(name, value):
    """Have the engine that fails on command do something."""
    with open(FAKE_ENGINE + name, "w", encoding="ascii") as file:
        file.write(str(value))


def wanted_errno(test, number):
    """The block raises OSError with that errno."""
    @contextlib.contextmanager
    def context():
        with test.assertRaises(OSError) as caught:
            yield
        test.assertEqual(errno.errorcode[number],
                         errno.errorcode[caught.exception.errno])
    return context()


@contextlib.contextmanager
def noted_calls(*names):
    """The names of those functions of the library that the block calls."""
    calls = []

    def noting(name, function):
        def call(*arguments):
            calls.append(name)
            return function(*arguments)
        return call
    library = dmacpy._lib.lib
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(mock.patch.object(
                library, name, noting(name, getattr(library, name))))
        yield calls


class Case(unittest.TestCase):
    """A stream, whose SRAM is all free afterwards."""

    def setUp(self):
        self.device = dmacpy.Device(os.environ.get("DMACPY_DEVICE"))
        self.free = self.device.info().sram_free
        self.stream = self.device.open_stream()
        self.random = random.Random(1)

    def tearDown(self):
        self.stream.close()
        gc.collect()
        # A work item of the driver frees the buffers.
        end = time.monotonic() + 10
        while (self.device.info().sram_free != self.free and
               time.monotonic() < end):
            time.sleep(0.01)
        self.assertEqual(self.device.info().sram_free, self.free)
        self.device.close()


class Data(Case):
    def test_round_trip(self):
        """Catches: offsets, lengths or ends that are mixed up."""
        unit = self.device.info().user_align
        length = 3 * PAGE
        source = mmap.mmap(-1, length)
        result = mmap.mmap(-1, length)
        memory = self.stream.register(source, Access.READ)
        back = self.stream.register(result, Access.WRITE)
        sram = self.stream.alloc(length)
        for _ in range(50):
            source[:] = self.random.randbytes(length)
            model = bytearray(self.random.randbytes(length))
            result[:] = bytes(model)
            size = self.random.randrange(unit, length // 2, unit)
            a, b, c = (self.random.randrange(0, length - size, unit)
                       for _ in range(3))
            self.stream.copy(sram, memory, size, dst_offset=b, src_offset=a)
            self.stream.copy(back, sram, size, dst_offset=c, src_offset=b)
            model[c:c + size] = source[a:a + size]
            self.assertEqual(bytes(model), result[:])
        back.close()
        memory.close()

    def test_whole_buffers(self):
        """Catches: a default length that is not that of the shorter one."""
        data = bytearray(self.random.randbytes(2 * PAGE))
        sram = self.stream.alloc(PAGE)
        self.stream.copy(sram, self.stream.register(data))
        with sram.access(Access.READ) as view:
            self.assertEqual(view, data[:PAGE])
            self.assertEqual(len(view), sram.size)

    def test_move(self):
        """Catches: a move in the wrong direction."""
        sram = self.stream.alloc(PAGE)
        data = self.random.randbytes(PAGE)
        with sram.access(Access.WRITE) as view:
            view[:] = data
        self.stream.move(sram, 100, 0, 1000)
        with sram.access(Access.READ) as view:
            self.assertEqual(view, data[:100] + data[:1000] + data[1100:])

    def test_cpu_below(self):
        """Catches: arguments that do not reach the library."""
        sram = self.stream.alloc(PAGE)
        data = bytearray(self.random.randbytes(PAGE))
        memory = self.stream.register(data)
        self.stream.set_cpu_below(Memory.SRAM, Memory.USER, PAGE)
        self.stream.copy(sram, memory, PAGE // 2)
        with sram.access(Access.READ) as view:
            self.assertEqual(view[:PAGE // 2], data[:PAGE // 2])
        self.assertGreaterEqual(self.stream.tune(sram, memory, 1), 0)
        with wanted_errno(self, errno.EINVAL):
            self.stream.tune(sram, sram)
        with wanted_errno(self, errno.EINVAL):
            self.stream.set_cpu_below(2, Memory.USER, PAGE)
        imported = self.stream.import_fd(sram.fileno())
        with wanted_errno(self, errno.EOPNOTSUPP):
            self.stream.tune(imported, memory)

    def test_job(self):
        """Catches: a plane or a pattern that the library gets wrong."""
        sram = self.stream.alloc(PAGE)
        with sram.access(Access.WRITE) as view:
            view[:] = bytes(i % 256 for i in range(PAGE))
        other = self.stream.alloc(PAGE)
        job = self.stream.new_job()
        job.fill(other, 0x04030201).copy(other, sram, 8, dst_offset=24)
        job.copy_2d(Plane(other, 64, 16), Plane(sram, 40, 32), 8, 4).run()
        model = bytearray(b"\1\2\3\4" * (PAGE // 4))
        model[24:32] = bytes(range(8))
        for row in range(4):
            model[64 + 16 * row:72 + 16 * row] = \
                bytes(40 + 32 * row + i for i in range(8))
        with other.access(Access.READ) as view:
            self.assertEqual(view, model)

    def test_import(self):
        """Catches: an imported buffer that is another one."""
        sram = self.stream.alloc(PAGE)
        self.stream.new_job().fill(sram, 0x5a5a5a5a).run()
        with self.device.open_stream() as stream:
            imported = stream.import_fd(sram.fileno(), Access.READ)
            data = bytearray(PAGE)
            stream.copy(stream.register(data), imported)
        self.assertEqual(data, b"\x5a" * PAGE)

    def test_numpy(self):
        """Catches: an array that is no view of the buffer."""
        try:
            import numpy
        except ImportError:
            self.skipTest("no numpy")
        sram = self.stream.alloc(PAGE)
        with sram.access(dtype=numpy.uint16) as array:
            array[:] = 0x1234
            del array
        with sram.access(Access.READ) as view:
            self.assertEqual(view[:2], b"\x34\x12")
        sram.close()

    def test_threads(self):
        """Catches: state that streams share."""
        def work(seed):
            data = random.Random(seed).randbytes(PAGE)
            with self.device.open_stream() as stream:
                sram = stream.alloc(PAGE)
                back = bytearray(PAGE)
                memory = stream.register(bytearray(data))
                for _ in range(100):
                    stream.copy(sram, memory)
                    stream.copy(stream.register(back), sram)
                    if back != data:
                        wrong.append(seed)
        wrong = []
        threads = [threading.Thread(target=work, args=[i]) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class Life(Case):
    def test_no_view_after_free(self):
        """Catches: memory that is unmapped while a program can reach it."""
        sram = self.stream.alloc(PAGE)
        with sram.access() as view:
            part = view[1:3]
            with self.assertRaises(BufferError):
                sram.close()
        with self.assertRaises(ValueError):
            view[0] = 1
        with self.assertRaises(BufferError):
            sram.close()
        with self.assertRaises(BufferError):
            self.stream.close()
        part[0] = 1
        del part
        sram.close()
        with self.assertRaises(ValueError):
            sram.size
        with self.assertRaises(ValueError):
            with sram.access():
                pass

    def test_view_keeps_buffer(self):
        """Catches: a buffer that is collected under its view."""
        with self.stream.alloc(PAGE).access() as view:
            part = view[1:3]
        gc.collect()
        part[0] = 1
        self.assertEqual(part[0], 1)

    def test_read_only_view(self):
        """Catches: a view that writes outside of what it has asked for."""
        with self.stream.alloc(PAGE).access(Access.READ) as view:
            with self.assertRaises(TypeError):
                view[0] = 1

    def test_registered_memory_stays(self):
        """Catches: memory that is freed or moved while it is registered."""
        data = bytearray(PAGE)
        memory = self.stream.register(data)
        with self.assertRaises(BufferError):
            data.clear()
        with self.assertRaises(TypeError):
            self.stream.register(bytes(PAGE))
        memory.close()
        data.clear()

    def test_close_is_final(self):
        """Catches: a null pointer that gets into the library."""
        job = self.stream.new_job()
        sram = self.stream.alloc(PAGE)
        stream = self.device.open_stream()
        for closed in stream, job, sram:
            closed.close()
            closed.close()
        for use in (stream.flush, job.run, sram.fileno,
                    lambda: self.stream.copy(sram, sram),
                    lambda: self.stream.new_job().fill(sram, 0)):
            with self.assertRaises(ValueError):
                use()

    def test_closing_stream(self):
        """Catches: buffers or jobs that outlive their stream."""
        sram = self.stream.alloc(PAGE)
        job = self.stream.new_job()
        self.stream.close()
        for use in sram.fileno, job.run:
            with self.assertRaises(ValueError):
                use()

    def test_exception_with_view(self):
        """Catches: an exception that is lost, as its frames have a view."""
        def work():
            with self.device.open_stream() as stream, \
                    stream.alloc(PAGE) as sram, sram.access() as view:
                part = view[1:3]
                raise KeyError(part[0])
        with noted_calls("buffer_free", "stream_close") as calls:
            with self.assertRaises(KeyError):
                work()
            gc.collect()
        self.assertEqual(calls, ["buffer_free", "stream_close"])

    def test_access_that_fails(self):
        """Catches: an access that has begun and does not end."""
        sram = self.stream.alloc(PAGE)
        no_memory = mock.patch.object(dmacpy._lib.lib, "buffer_map",
                                      lambda *_: -errno.ENOMEM)
        with noted_calls("buffer_begin_access", "buffer_end_access") as calls:
            with no_memory, wanted_errno(self, errno.ENOMEM), sram.access():
                pass
        self.assertEqual(calls, [])
        try:
            with sram.access(Access(0)):
                pass
        except OSError:
            sram.close()

    def test_closed_buffer_of_job(self):
        """Catches: a job that runs on the buffer with a closed one's number."""
        sram = self.stream.alloc(PAGE)
        job = self.stream.new_job().fill(sram, 0x11111111)
        sram.close()
        other = self.stream.alloc(PAGE)
        for use in job.run, job.submit, job.prepare:
            with self.assertRaises(ValueError):
                use()
        self.stream.flush()
        with other.access(Access.READ) as view:
            self.assertEqual(view[:4], bytes(4))
        job.reset().fill(other, 0).run()

    def test_cycle(self):
        """Catches: what is freed after its stream, as a cycle has both."""
        with noted_calls("buffer_free", "job_free", "stream_close") as calls:
            cycle = {"stream": self.device.open_stream()}
            cycle["self"] = cycle
            cycle["sram"] = cycle["stream"].alloc(PAGE)
            cycle["job"] = cycle["stream"].new_job()
            del cycle
            gc.collect()
        self.assertEqual(sorted(calls[:2]), ["buffer_free", "job_free"])
        self.assertEqual(calls[2:], ["stream_close"])

    def test_memory_of_jobs_in_flight(self):
        """Catches: registered memory that is freed under a job."""
        with noted_calls("buffer_free", "stream_flush") as calls:
            memory = self.stream.register(mmap.mmap(-1, PAGE))
            self.stream.new_job().fill(memory, 0).submit()
            memory.close()
            self.assertEqual(calls, ["stream_flush", "buffer_free"])
            memory = self.stream.register(mmap.mmap(-1, PAGE))
            prepared = self.stream.new_job().fill(memory, 0).prepare()
            memory.close()
            calls.clear()
            prepared.submit()
            prepared.close()
            self.assertEqual(calls, ["stream_flush"])

    def test_child(self):
        """Catches: a child that frees what its parent uses."""
        sram = self.stream.alloc(2 * PAGE)
        job = self.stream.new_job().fill(sram, 0x11111111)
        prepared = job.prepare()
        child = os.fork()
        if not child:
            prepared.close()
            job.close()
            sram.close()
            self.stream.close()
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.stream.copy(sram, sram, PAGE, dst_offset=PAGE)
        job.run()
        prepared.run()

    def test_read_only_dmabuf(self):
        """Catches: a write that a read-only mapping ends the program for."""
        alloc = bytearray(struct.pack("IIQIi", 24, 0, PAGE, os.O_RDONLY, 0))
        fcntl.ioctl(self.stream, ALLOC, alloc)
        fd = struct.unpack_from("i", alloc, 20)[0]
        buffer = self.stream.import_fd(fd, Access.READ)
        os.close(fd)
        with self.assertRaises(PermissionError):
            with buffer.access():
                pass
        with buffer.access(Access.READ) as view:
            self.assertEqual(view[0], 0)

    def memory(self):
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * PAGE

    def test_ten_thousand_buffers(self):
        """Catches: a leak of SRAM, descriptors, handles or memory."""
        data = mmap.mmap(-1, PAGE)
        unit = self.device.info().user_align
        before = None
        for i in range(10000):
            sram = self.stream.alloc(unit)
            if i % 2:
                with sram.access(Access.WRITE) as view:
                    view[0] = 1
                self.stream.copy(self.stream.register(data), sram, unit)
                self.assertEqual(data[0], 1)
                sram.close()
            if i == 1000:
                before = self.memory(), len(os.listdir("/proc/self/fd"))
        del sram, view
        self.assertLess(self.memory(), before[0] + (512 << 10))
        self.assertLessEqual(len(os.listdir("/proc/self/fd")), before[1])


class Example(unittest.TestCase):
    def test_hello(self):
        """Catches: a first program that does not work."""
        here = os.path.dirname(os.path.abspath(__file__))
        for path in (os.path.join(here, "hello.py"),
                     os.path.join(here, "../../examples/hello.py")):
            if os.path.exists(path):
                output = subprocess.run([sys.executable, path], check=True,
                                        capture_output=True).stdout
                self.assertEqual(output, b"Hello from on-chip SRAM\n")
                return
        self.skipTest("no hello.py")


class Tool(unittest.TestCase):
    """The JSON of the command-line tool, which other tests take line by line.
    """

    def setUp(self):
        if not shutil.which("dmacpy"):
            self.skipTest("no dmacpy in $PATH")

    def parse(self, *arguments):
        def once(pairs):
            value = dict(pairs)
            self.assertEqual(len(value), len(pairs), "a member twice")
            return value
        output = subprocess.run(["dmacpy", *arguments], check=True,
                                capture_output=True).stdout
        return json.loads(output, object_pairs_hook=once,
                          parse_constant=self.fail)

    def test_devices(self):
        """Catches: JSON that a parser refuses; a member that the info lacks."""
        listed = self.parse("list", "--json")
        self.assertEqual([device["device"] for device in listed],
                         dmacpy.devices())
        info = self.parse("info", "--json")
        self.assertEqual(info.keys(), listed[0].keys())
        with dmacpy.Device() as device:
            wanted = device.info()._asdict()
        for name in wanted.keys() - {"opcodes", "submit_flags", "sram_free",
                                     "sram_largest"}:
            self.assertEqual(info[name], wanted[name], name)
        self.assertIn(info["coherent"], (True, False, None))

    def test_test(self):
        """Catches: a row that is not an object, or totals that are wrong."""
        report = self.parse("test", "--json", "wait", "latency", "aliases")
        self.assertEqual(len(report["rows"]), report["passed"] +
                         report["failed"] + report["skipped"])
        self.assertEqual({row["row"] for row in report["rows"]},
                         {"wait", "latency", "aliases"})

    def test_figures(self):
        """Catches: a number that is none, as of a division by zero."""
        self.assertTrue(self.parse("bench", "--json", "--iterations", "10"))
        self.assertTrue(self.parse("tune", "--json", "--seconds", "1",
                                   "--src", "user", "--dst", "user"))
        self.assertTrue(self.parse("top", "--json", "--once"))


class Errors(Case):
    def test_errno(self):
        """Catches: an error that is lost, or another one."""
        with wanted_errno(self, errno.ENOSPC):
            self.stream.alloc(self.device.info().sram_total + 1)
        with wanted_errno(self, errno.ENOTTY):
            dmacpy.Device("/dev/null")
        with self.assertRaises(FileNotFoundError):
            dmacpy.Device("/dev/dmacpy-none")
        with wanted_errno(self, errno.EBADF):
            self.stream.register(bytearray(PAGE)).fileno()
        with wanted_errno(self, errno.EBADF):
            self.stream.import_fd(-1)

    def test_refused_operation(self):
        """Catches: an index that counts from 1."""
        sram = self.stream.alloc(PAGE)
        job = self.stream.new_job().fill(sram, 0)
        job.copy(sram, sram, 8, dst_offset=4)
        with wanted_errno(self, errno.EINVAL):
            job.run()
        self.assertEqual(job.refused_operation, 1)
        job.reset().fill(sram, 0).run()
        self.assertIsNone(job.refused_operation)

    def test_out_of_range(self):
        """Catches: a number whose high bits are lost."""
        sram = self.stream.alloc(PAGE)
        job = self.stream.new_job()
        prepared = self.stream.new_job().fill(sram, 0).prepare()
        plane = Plane(sram, 0, 8)
        for use in (lambda: job.copy_2d(plane, plane, 8, (1 << 32) + 4),
                    lambda: job.copy_2d(plane, Plane(sram, 1 << 64, 8), 8, 4),
                    lambda: job.fill(sram, 1 << 32),
                    lambda: job.fill(sram, 0, -8),
                    lambda: prepared.submit(event=-1),
                    lambda: prepared.submit(in_fence=1 << 32),
                    lambda: job.submit(event=1 << 64),
                    lambda: self.stream.run([prepared], events=[-1]),
                    lambda: self.stream.alloc((1 << 64) + PAGE),
                    lambda: self.stream.tune(sram, sram, -1)):
            with self.assertRaises(ValueError):
                use()

    def test_long_timeout(self):
        """Catches: a long time that is none, or for ever."""
        times = []
        with mock.patch.object(dmacpy._lib.lib, "fence_wait",
                               lambda _, time: times.append(time) or 0):
            for timeout in None, -1, 1.5, 3e6, 4294967.296, float("inf"):
                dmacpy.wait_fence(-1, timeout)
        self.assertEqual(times, [-1, 0, 1500] + 3 * [(1 << 31) - 1])

    def test_info(self):
        """Catches: a structure that is not that of the header."""
        info = self.device.info()
        self.assertTrue(info.name)
        self.assertIn(self.device.path, dmacpy.devices())
        self.assertEqual(info.granule, PAGE)
        self.assertEqual(info.opcodes & 7, 7)
        self.assertGreaterEqual(info.sram_total, info.sram_free)
        self.assertGreater(info.max_user_handles, 0)


class Asynchronous(Case):
    def setUp(self):
        super().setUp()
        self.sram = self.stream.alloc(PAGE)
        self.job = self.stream.new_job().fill(self.sram, 0x11111111)
        info = self.device.info()
        self.max_jobs = min(info.max_jobs, info.max_events)

    async def start(self, count):
        """Tasks that have submitted the job, or wait for room."""
        tasks = [asyncio.create_task(self.job.run_async())
                 for _ in range(count)]
        await asyncio.sleep(0)
        return tasks

    def test_event(self):
        """Catches: members of a record that are mixed up."""
        self.job.submit(event=7)
        event, = self.stream.read_events()
        self.assertEqual(event[:3], (7, 0, PAGE))
        self.assertGreater(event.timestamp, 0)

    def test_fences(self):
        """Catches: a fence that does not wait, or is not waited for."""
        fence = self.job.submit(out_fence=True)
        other = self.stream.alloc(PAGE)
        copy = self.stream.new_job().copy(other, self.sram)
        last = copy.submit(in_fence=fence, out_fence=True, implicit=False)
        self.assertTrue(dmacpy.wait_fence(last))
        self.assertTrue(dmacpy.wait_fence(fence, 0))
        asyncio.run(dmacpy.fence_signalled(last))
        os.close(fence)
        os.close(last)
        with other.access(Access.READ) as view:
            self.assertEqual(view[:4], b"\x11\x11\x11\x11")
        other.close()

    def test_gather(self):
        """Catches: a task that is not woken, or a full stream that blocks."""
        data = bytearray(4 * 500)
        memory = self.stream.register(data)

        async def main():
            await asyncio.gather(*(
                self.stream.new_job().fill(memory, i, 4, dst_offset=4 * i)
                .run_async() for i in range(500)))
        if self.device.info().user_align > 4:
            memory = self.stream.alloc(len(data))
        asyncio.run(main())
        with memory.access(Access.READ) as view:
            self.assertEqual(view.cast("I")[:500].tolist(), list(range(500)))

    def test_cancelled_task(self):
        """Catches: the record of a job that nothing waits for."""
        async def main():
            task = asyncio.create_task(self.job.run_async())
            await asyncio.sleep(0)
            task.cancel()
            await self.job.run_async()
            with self.assertRaises(asyncio.CancelledError):
                await task
        asyncio.run(main())
        asyncio.run(main())

    def test_next_loop(self):
        """Catches: a loop that waits for jobs of the last one for ever."""
        async def cancelled():
            await self.start(self.max_jobs)
            # This loop ends before it sees that a job has ended.
            asyncio.get_running_loop().remove_reader(self.stream)
        asyncio.run(cancelled())
        asyncio.run(asyncio.wait_for(self.job.run_async(), 30))

    def test_closed_loop(self):
        """Catches: a stream that stays open, as its tasks cannot be woken."""
        loop = asyncio.new_event_loop()
        tasks = loop.run_until_complete(self.start(self.max_jobs + 1))
        loop.close()
        with noted_calls("stream_close") as calls:
            self.stream.close()
        self.assertEqual(calls, ["stream_close"])
        for task in tasks:
            # asyncio would complain.
            task._log_destroy_pending = False

    def test_closed_stream(self):
        """Catches: tasks that wait for ever for a stream that is closed."""
        async def main():
            tasks = await self.start(self.max_jobs + 3)
            self.stream.close()
            return await asyncio.wait_for(
                asyncio.gather(*tasks, return_exceptions=True), 30)
        errors = asyncio.run(main())
        self.assertEqual({error.errno for error in errors[:self.max_jobs]},
                         {errno.ECANCELED})
        self.assertEqual([type(error) for error in errors[self.max_jobs:]],
                         [ValueError] * 3)

    def test_stream_that_stays_open(self):
        """Catches: tasks that wait for ever after a close that has failed."""
        async def main():
            tasks = await self.start(2)
            with self.assertRaises(BufferError):
                self.stream.close()
            await asyncio.wait_for(asyncio.gather(*tasks), 30)
        with self.sram.access() as view:
            part = view[:1]
        asyncio.run(main())
        del part

    def test_few_records(self):
        """Catches: more jobs than there is room for records."""
        few = self.device.info()._replace(max_events=2)
        with mock.patch.object(self.device, "info", lambda: few):
            stream = self.device.open_stream()
        sram = stream.alloc(PAGE)
        self.job = stream.new_job().fill(sram, 0)

        async def main():
            with noted_calls("job_submit") as calls:
                tasks = await self.start(5)
                self.assertEqual(len(calls), 2)
                await asyncio.gather(*tasks)
        asyncio.run(main())
        stream.close()

    def test_records_of_others(self):
        """Catches: a record of the program that ends the wait of a task."""
        async def main():
            self.job.submit(event=1)
            await asyncio.wait_for(asyncio.gather(
                self.job.run_async(), self.job.run_async()), 60)
        asyncio.run(main())

    def test_tasks_of_a_fence(self):
        """Catches: a task that waits for ever, as another one does, too."""
        fence = self.job.submit(out_fence=True)

        async def main():
            await asyncio.wait_for(asyncio.gather(
                *(dmacpy.fence_signalled(fence) for _ in range(3))), 60)
        asyncio.run(main())
        os.close(fence)

    def test_fence_that_is_closed(self):
        """Catches: a wait for a descriptor that is the caller's to close."""
        fence = self.job.submit(out_fence=True)

        async def main():
            task = asyncio.create_task(dmacpy.fence_signalled(fence))
            await asyncio.sleep(0)
            os.close(fence)
            await asyncio.wait_for(task, 60)
        asyncio.run(main())

    def test_no_fence(self):
        """Catches: a descriptor that is lost; a success that is none."""
        async def main():
            before = os.listdir("/proc/self/fd")
            with open(__file__, "rb") as file, self.assertRaises(OSError):
                await dmacpy.fence_signalled(file.fileno())
            self.assertEqual(os.listdir("/proc/self/fd"), before)
            fence = self.job.submit(out_fence=True)
            with mock.patch.object(dmacpy._lib.lib, "fence_wait",
                                   lambda *_: -errno.ETIME), \
                    wanted_errno(self, errno.ETIME):
                await dmacpy.fence_signalled(fence)
            os.close(fence)
        asyncio.run(main())

    def test_failure_in_flight(self):
        """Catches: an error that flush() no longer raises."""
        if not fails_on_command(self.device):
            self.skipTest("no engine that fails on command")
        memory = self.stream.register(mmap.mmap(-1, PAGE))
        knob("next_failed", 1)
        self.stream.new_job().fill(memory, 0).submit()
        memory.close()
        with wanted_errno(self, errno.EIO):
            self.stream.flush()
        self.stream.flush()

    def test_failed_job(self):
        """Catches: a failure that a task does not see."""
        if not fails_on_command(self.device):
            self.skipTest("no engine that fails on command")

        async def main():
            knob("next_failed", 1)
            with wanted_errno(self, errno.EIO):
                await self.job.run_async()
            await self.job.run_async()
        asyncio.run(main())
        with wanted_errno(self, errno.EIO):
            self.stream.flush()
        self.stream.flush()


class Prepared(Case):
    def setUp(self):
        super().setUp()
        self.sram = self.stream.alloc(PAGE)
        self.fill = self.stream.new_job().fill(self.sram, 0x11111111)
        self.prepared = self.fill.prepare()

    def first_bytes(self):
        with self.sram.access(Access.READ) as view:
            return bytes(view[:4])

    def overwrite(self):
        self.stream.new_job().fill(self.sram, 0).run()

    def test_runs_again(self):
        """Catches: one that runs once, or the later operations of its job."""
        self.fill.reset().fill(self.sram, 0x22222222)
        for _ in range(3):
            self.overwrite()
            self.prepared.run()
            self.assertEqual(self.first_bytes(), b"\x11\x11\x11\x11")
        self.fill.close()
        self.overwrite()
        self.prepared.run()
        self.assertEqual(self.first_bytes(), b"\x11\x11\x11\x11")

    def test_submit(self):
        """Catches: members of struct dmacpy_run that are mixed up."""
        self.overwrite()
        fence = self.prepared.submit(event=7, out_fence=True)
        last = self.prepared.submit(in_fence=fence, out_fence=True,
                                    implicit=False)
        self.assertTrue(dmacpy.wait_fence(last))
        os.close(fence)
        os.close(last)
        event, = self.stream.read_events()
        self.assertEqual(event[:3], (7, 0, PAGE))
        self.assertEqual(self.first_bytes(), b"\x11\x11\x11\x11")

    def test_stream_run(self):
        """Catches: jobs out of order, or the record of another job."""
        other = self.stream.new_job().fill(self.sram, 0x22222222).prepare()
        both = [self.prepared, other]
        self.assertEqual(self.stream.run([self.prepared]), 1)
        self.stream.flush()
        self.assertEqual(self.first_bytes(), b"\x11\x11\x11\x11")
        self.assertEqual(self.stream.run(both * 8, events=range(16)), 16)
        records = []
        while len(records) < 16:
            records += self.stream.read_events()
        self.assertEqual([record[:3] for record in records],
                         [(i, 0, PAGE) for i in range(16)])
        self.assertEqual(self.first_bytes(), b"\x22\x22\x22\x22")
        self.assertEqual(self.stream.run(both[::-1], implicit=False), 2)
        self.stream.flush()
        self.assertEqual(self.first_bytes(), b"\x11\x11\x11\x11")

    def test_stream_runs_some(self):
        """Catches: a count that is lost when the records have no room."""
        info = self.device.info()
        count = info.max_jobs
        room = info.max_events
        while room >= count:
            self.assertEqual(self.stream.run([self.prepared] * count,
                                             events=range(count)), count)
            room -= count
        many = [self.prepared] * (room + 1)
        started = self.stream.run(many, events=range(room + 1)) if room else 0
        self.assertEqual(started, room)
        with wanted_errno(self, errno.EAGAIN):
            self.stream.run([self.prepared], events=[0])
        left = info.max_events
        while left:
            left -= len(self.stream.read_events())

    def test_refused(self):
        """Catches: a job of another stream by the same handle; no reason."""
        with self.device.open_stream() as stream:
            with self.assertRaises(ValueError):
                stream.run([self.prepared])
        with self.assertRaises(ValueError):
            self.stream.run([self.prepared], events=[1, 2])
        with wanted_errno(self, errno.EINVAL):
            self.stream.run([])
        self.fill.copy(self.sram, self.sram, 8, dst_offset=4)
        with wanted_errno(self, errno.EINVAL):
            self.fill.prepare()
        self.assertEqual(self.fill.refused_operation, 1)
        self.prepared.close()
        self.prepared.close()
        for use in (self.prepared.run, self.prepared.submit,
                    lambda: self.stream.run([self.prepared])):
            with self.assertRaises(ValueError):
                use()

    def test_keeps_memory(self):
        """Catches: memory that Python frees while the engine writes to it."""
        data = mmap.mmap(-1, 4 * PAGE)
        memory = self.stream.register(data)
        fill = self.stream.new_job().fill(memory, 0x33333333).prepare()
        memory.close()
        gc.collect()
        with self.assertRaises(BufferError):
            data.close()
        fill.run()
        self.assertEqual(data[:], b"\x33" * 4 * PAGE)
        fill.close()
        data.close()

    def test_asyncio(self):
        """Catches: a prepared job that an event loop cannot wait for."""
        async def main():
            await asyncio.gather(*(self.prepared.run_async()
                                   for _ in range(500)))
        self.overwrite()
        asyncio.run(main())
        self.assertEqual(self.first_bytes(), b"\x11\x11\x11\x11")

    def test_failed(self):
        """Catches: a failure that is not raised."""
        if not fails_on_command(self.device):
            self.skipTest("no engine that fails on command")
        knob("next_failed", 1)
        with wanted_errno(self, errno.EIO):
            self.prepared.run()
        knob("next_failed", 1)
        self.assertEqual(self.stream.run([self.prepared], events=[5]), 1)
        event, = self.stream.read_events()
        self.assertEqual(event[:2], (5, -errno.EIO))
        self.prepared.run()


class KtapResult(unittest.TestResult):
    """Prints a line for each test."""

    def __init__(self):
        super().__init__()
        self.number = 0

    def report(self, word, test, text="", why=""):
        self.number += 1
        for line in text.splitlines():
            print("#", line)
        name = test.id().removeprefix("__main__.")
        print(f"{word} {self.number} {name}{why}", flush=True)

    def addSuccess(self, test):
        self.report("ok", test)

    def addSkip(self, test, reason):
        self.report("ok", test, why=f" # SKIP {reason}")

    def addError(self, test, err):
        super().addError(test, err)
        self.report("not ok", test, self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.report("not ok", test, self.failures[-1][1])


def main():
    tests = unittest.defaultTestLoader.loadTestsFromModule(
        sys.modules["__main__"])
    print("TAP version 13")
    print(f"1..{tests.countTestCases()}", flush=True)
    result = KtapResult()
    tests.run(result)
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
