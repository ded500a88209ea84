# SPDX-License-Identifier: LGPL-2.1-or-later
"""The objects of libdmacpy."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import enum
import errno
import fcntl
import itertools
import os
import weakref
from typing import (Any, Iterable, Iterator, NamedTuple, Optional, Sequence,
                    Union)

from . import _lib
from ._lib import call, check, lib, new


class Access(enum.IntFlag):
    """What the engine, or the CPU, does with a buffer."""
    READ = 1
    WRITE = 2
    READ_WRITE = 3


class Memory(enum.IntEnum):
    """Kinds of memory: of buffers from register() and from alloc()."""
    USER = 0
    SRAM = 1


class Info(NamedTuple):
    """The properties of a device, as struct dmacpy_get_info has them."""
    name: str
    sram_total: int
    sram_free: int
    sram_largest: int
    granule: int
    channels: int
    copy_align: int
    user_align: int
    max_bytes: int
    max_ops: int
    max_rows: int
    max_jobs: int
    max_events: int
    max_user_bytes: int
    max_user_jobs: int
    max_user_streams: int
    max_user_handles: int
    opcodes: int
    submit_flags: int


class Event(NamedTuple):
    """The record of a job that has ended.

    ``result`` is 0 or a negative errno, ``length`` the bytes that were copied,
    ``timestamp`` the nanoseconds of CLOCK_MONOTONIC.
    """
    user_data: int
    result: int
    length: int
    timestamp: int


class Plane(NamedTuple):
    """Where the rows of a picture or matrix lie in a buffer."""
    buffer: Buffer
    offset: int
    stride: int


def devices() -> list[str]:
    """Return the paths of all devices, in the order of their numbers."""
    paths = ctypes.POINTER(ctypes.c_char_p)()
    count = check(lib.device_list(ctypes.byref(paths)))
    try:
        return [os.fsdecode(paths[i]) for i in range(count)]
    finally:
        _lib.libc_free(paths)


def _milliseconds(timeout: float) -> int:
    # The C library takes no more, which is 24 days.
    return round(min(timeout * 1000, 2**31 - 1))


def wait_fence(fence: int, timeout: Optional[float] = None) -> bool:
    """Wait for the file descriptor of a sync_file.

    Return False if it has not signalled within ``timeout`` seconds. Raise the
    error that it has signalled with. After a signal that does not raise an
    exception, the timeout begins anew.
    """
    milliseconds = -1 if timeout is None else max(0, _milliseconds(timeout))
    try:
        call(lib.fence_wait, fence, milliseconds)
    except OSError as error:
        if error.errno != errno.ETIME:
            raise
        return False
    return True


async def fence_signalled(fence: int) -> None:
    """Wait for the file descriptor of a sync_file in an event loop."""
    loop = asyncio.get_running_loop()
    signalled = loop.create_future()
    # Several tasks may wait, and a loop has one reader for each descriptor.
    copy = os.dup(fence)
    try:
        loop.add_reader(copy, lambda: signalled.done() or
                        signalled.set_result(None))
        await signalled
        # The caller may have closed its own descriptor.
        if not wait_fence(copy, 0):
            raise OSError(errno.ETIME, os.strerror(errno.ETIME))
    finally:
        loop.remove_reader(copy)
        os.close(copy)


class _Object:
    """What is behind a pointer of the library, until it is closed."""

    _pointer: Optional[ctypes.c_void_p] = None

    @property
    def _handle(self) -> ctypes.c_void_p:
        if self._pointer is None:
            raise ValueError(f"the {type(self).__name__.lower()} is closed")
        return self._pointer

    def close(self) -> None:
        """Close it; later calls do nothing."""
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, kind: Optional[type[BaseException]],
                 *_: object) -> None:
        try:
            self.close()
        except BufferError:
            # The frames of an exception keep their views, and the program
            # needs to see that exception. __del__() closes it later.
            if kind is None:
                raise

    def __del__(self) -> None:
        self.close()


class _Child(_Object):
    """An object of a stream, which is freed before that is closed."""

    _stream: Stream

    def _join(self, stream: Stream, free: Any,
              pointer: ctypes.c_void_p) -> None:
        self._stream = stream
        self._pointer = pointer
        self._number = next(stream._numbers)
        stream._owned[self._number] = free, pointer
        stream._children.add(self)

    def _leave(self) -> None:
        """Free it, unless its stream has done that, or is another process's."""
        self._pointer = None
        free, pointer = self._stream._owned.pop(self._number, (None, None))
        if free and self._stream._is_own():
            free(pointer)


class Device(_Object):
    """An open device: ``path``, or the first one of devices()."""

    def __init__(self, path: Optional[str] = None) -> None:
        name = None if path is None else os.fsencode(path)
        self._pointer = new(lib.device_open, name)

    @property
    def path(self) -> str:
        """The path that it was opened by."""
        return os.fsdecode(lib.device_path(self._handle))

    def info(self) -> Info:
        """Return its properties, and how much SRAM is free."""
        raw = _lib.GetInfo()
        check(lib.device_info(self._handle, ctypes.byref(raw),
                              ctypes.sizeof(raw)))
        fields = {field: getattr(raw, field) for field in Info._fields}
        fields["name"] = os.fsdecode(raw.name)
        return Info(**fields)

    def open_stream(self) -> Stream:
        """Open a stream, on the channel with the fewest bytes to copy."""
        return Stream(self)

    def close(self) -> None:
        """Close the device. Its streams stay open."""
        pointer, self._pointer = self._pointer, None
        lib.device_close(pointer)


class Stream(_Object):
    """A sequence of jobs, which one channel runs one after the other."""

    def __init__(self, device: Device) -> None:
        self._children: weakref.WeakSet[_Child] = weakref.WeakSet()
        # When a cycle of objects is freed, the stream may come first, and no
        # longer know its children: what they point to is kept here, too.
        self._owned: dict[int, tuple[Any, ctypes.c_void_p]] = {}
        self._numbers = itertools.count()
        self._pid = os.getpid()
        self._error = 0
        info = device.info()
        # The end of each job that a task waits for makes a record.
        self._waiting = _Waiting(
            self, min(info.max_jobs, info.max_events) or 1)
        self._pointer = new(lib.stream_open, device._handle)

    def _is_own(self) -> bool:
        return self._pid == os.getpid()

    def _wait(self) -> None:
        """Wait for all jobs, and keep their first error for flush()."""
        result = -errno.EINTR
        while result == -errno.EINTR:
            result = lib.stream_flush(self._handle)
        self._error = self._error or result

    def _settle(self) -> None:
        """Wait for jobs that may use memory that is about to be freed."""
        if self._pointer is not None and self._is_own():
            self._wait()

    def fileno(self) -> int:
        """Return its file descriptor, for select and poll."""
        return lib.stream_fd(self._handle)

    def alloc(self, length: int) -> Buffer:
        """Allocate a buffer of SRAM, which is zero."""
        return Buffer(self, new(lib.buffer_alloc, self._handle, length))

    def import_fd(self, fd: int,
                  access: Access = Access.READ_WRITE) -> Buffer:
        """Make a dma-buf of any driver usable. The caller keeps ``fd``."""
        return Buffer(self, new(lib.buffer_import, self._handle, fd, access))

    def register(self, memory: Any,
                 access: Access = Access.READ_WRITE) -> Buffer:
        """Make memory of the program usable.

        ``memory`` is anything with a writable buffer, such as a bytearray, an
        mmap or a numpy array. It is pinned, and cannot be resized until the
        Buffer is closed. Nothing but the engine may change it while a job
        uses it.
        """
        view = memoryview(memory).cast("B")
        array = (ctypes.c_ubyte * view.nbytes).from_buffer(view)
        pointer = new(lib.buffer_register, self._handle,
                      ctypes.addressof(array), view.nbytes, access)
        return Buffer(self, pointer, array)

    def copy(self, dst: Buffer, src: Buffer, length: Optional[int] = None, *,
             dst_offset: int = 0, src_offset: int = 0) -> None:
        """Copy, and return when it is done.

        Without ``length`` it is as much as fits in both.
        """
        if length is None:
            length = min(dst.size - dst_offset, src.size - src_offset)
        call(lib.stream_copy, self._handle, dst._handle, dst_offset,
             src._handle, src_offset, length)

    def move(self, buffer: Buffer, dst_offset: int, src_offset: int,
             length: int) -> None:
        """Copy within a buffer, as memmove() does."""
        call(lib.stream_move, self._handle, buffer._handle, dst_offset,
             src_offset, length)

    def set_cpu_below(self, dst: Memory, src: Memory, length: int) -> None:
        """Have the CPU make copies of fewer bytes, where it is faster.

        0, the default, leaves all copies to the engine. It always makes those
        of imported dma-bufs.
        """
        call(lib.stream_set_cpu_below, self._handle, dst, src, length)

    def tune(self, dst: Buffer, src: Buffer, timeout: float = 0.1) -> int:
        """Measure below which length the CPU is faster, and return it.

        Calls set_cpu_below() with it for the kinds of memory of the two
        buffers. ``dst`` is overwritten.
        """
        below = ctypes.c_uint64()
        call(lib.stream_tune, self._handle, dst._handle, src._handle,
             _milliseconds(timeout), ctypes.byref(below))
        return below.value

    def new_job(self) -> Job:
        """Make a job without operations."""
        return Job(self)

    def run(self, jobs: Sequence[Prepared], *,
            events: Optional[Iterable[int]] = None,
            implicit: bool = True) -> int:
        """Start prepared jobs with one system call, in their order.

        With ``events``, a number for each, the end of each makes a record for
        read_events(). ``implicit`` is as for Job.submit().

        Return how many have started: fewer than all when one was refused. A
        second call that begins with that one raises the reason.
        """
        numbers = [0] * len(jobs) if events is None else list(events)
        if len(numbers) != len(jobs):
            raise ValueError("not one event for each job")
        if any(job._stream is not self for job in jobs):
            raise ValueError("a prepared job of another stream")
        raw = (_lib.RunJob * len(jobs))(
            *(_lib.RunJob(lib.prepared_handle(job._handle), 0, number)
              for job, number in zip(jobs, numbers)))
        return call(lib.stream_run, self._handle, raw, len(jobs),
                    _submit_flags(events is not None, implicit))

    def read_events(self, count: int = 64) -> list[Event]:
        """Return the next records, at least one, for which it waits."""
        records = (_lib.RawEvent * count)()
        count = call(lib.stream_read_events, self._handle, records, count)
        return [Event(*(getattr(record, field) for field in Event._fields))
                for record in records[:count]]

    def flush(self) -> None:
        """Wait for all jobs; raise the first error since the last flush."""
        self._wait()
        error, self._error = self._error, 0
        check(error)

    def close(self) -> None:
        """Close its buffers and jobs, and the stream.

        Wait for jobs that were started, as they may use registered memory.
        Tasks that still wait in run_async() raise OSError with ECANCELED, or
        ValueError if their job has not started. In a child process nothing is
        closed: the stream is the parent's. Raise BufferError if a buffer has a
        view that still exists.
        """
        if self._pointer is None:
            return
        if not self._is_own():
            self._pointer = None
            return
        self._settle()
        for child in list(self._children):
            child.close()
        # Only now, as the stream stays open if a buffer cannot be closed.
        self._waiting.stop(
            OSError(errno.ECANCELED, os.strerror(errno.ECANCELED)))
        pointer, self._pointer = self._pointer, None
        for free, owned in self._owned.values():
            free(owned)
        self._owned.clear()
        lib.stream_close(pointer)


class _Waiting:
    """The jobs of a stream that tasks of an event loop wait for."""

    def __init__(self, stream: Stream, max_jobs: int) -> None:
        self._stream = weakref.ref(stream)
        self._max_jobs = max_jobs
        # A program has other numbers for its own jobs.
        self._numbers = itertools.count(1 << 63)
        # The jobs are kept, and so are their buffers.
        self._jobs: dict[int, tuple[asyncio.Future[None],
                                    _Runnable]] = {}
        self._loop: Optional[asyncio.AbstractEventLoop] = None

    async def run(self, job: _Runnable) -> None:
        """Submit a job, and wait for it."""
        loop = asyncio.get_running_loop()
        stream = self._stream()
        assert stream
        if loop is not self._loop:
            self.stop()
            self._loop = loop
            # Jobs of an earlier loop take room until their records are read.
            self._room = asyncio.Semaphore(self._max_jobs - len(self._jobs))
            if self._jobs:
                loop.add_reader(stream.fileno(), self._on_events, stream)
        await self._room.acquire()
        number = next(self._numbers)
        try:
            job.submit(event=number)
        except BaseException:
            self._room.release()
            raise
        future = loop.create_future()
        self._jobs[number] = future, job
        loop.add_reader(stream.fileno(), self._on_events, stream)
        await future

    def _on_events(self, stream: Stream) -> None:
        try:
            events = stream.read_events()
        except OSError as error:
            # The device is gone, and all records have been read.
            self.stop(error)
            return
        for event in events:
            self._finish(event.user_data, event.result)
        if not self._jobs:
            self.stop()

    def _finish(self, number: int, result: int) -> None:
        future, _ = self._jobs.pop(number, (None, None))
        if not future:
            return
        # A loop that is closed cannot wake the tasks that wait for room.
        if self._loop and not self._loop.is_closed():
            self._room.release()
        if future.done() or future.get_loop().is_closed():
            return
        if result:
            future.set_exception(OSError(-result, os.strerror(-result)))
        else:
            future.set_result(None)

    def stop(self, error: Optional[OSError] = None) -> None:
        """Read no more records; with an error, nobody waits for them."""
        stream = self._stream()
        if self._loop and not self._loop.is_closed() and stream:
            self._loop.remove_reader(stream.fileno())
        if error:
            for number in list(self._jobs):
                self._finish(number, -(error.errno or errno.EIO))


class Buffer(_Child):
    """Memory that the engine of a stream reaches.

    Made by the methods alloc(), import_fd() and register() of a stream.
    """

    def __init__(self, stream: Stream, pointer: ctypes.c_void_p,
                 registered: Any = None) -> None:
        self._registered = registered
        self._views: Optional[weakref.ref[Any]] = None
        self._join(stream, lib.buffer_free, pointer)

    @property
    def size(self) -> int:
        """Its length in bytes; that of SRAM is in whole pages."""
        return lib.buffer_size(self._handle)

    def fileno(self) -> int:
        """Return the file descriptor of its dma-buf, which it keeps.

        Registered memory has none: OSError with EBADF.
        """
        return check(lib.buffer_fd(self._handle))

    def _array(self) -> Any:
        """Return the mapped memory; all views of it refer to one object."""
        array = self._views() if self._views else None
        if array is None:
            address = new(lib.buffer_map, self._handle)
            kind = type("_Memory", (ctypes.c_ubyte * self.size,), {})
            array = kind.from_address(address.value)
            array._buffer = self
            self._views = weakref.ref(array)
        return array

    def _is_writable(self) -> bool:
        """Return False if its mapping is read-only, as its dma-buf is."""
        if self._registered is not None:
            return True
        flags = fcntl.fcntl(self.fileno(), fcntl.F_GETFL)
        return flags & os.O_ACCMODE != os.O_RDONLY

    @contextlib.contextmanager
    def access(self, access: Access = Access.READ_WRITE,
               dtype: Any = None) -> Iterator[Any]:
        """Map it for the CPU, as a memoryview, or with ``dtype`` for numpy.

            with buffer.access(Access.WRITE) as view:
                view[:5] = b"hello"

        It waits for the jobs that the access must not overtake. The view must
        not be used after the block: a memoryview raises ValueError then; of
        slices and arrays that are kept, what they show is undefined, and
        close() raises BufferError as long as there is one. Writing to a dma-buf
        that was opened read-only raises PermissionError.
        """
        if access & Access.WRITE and not self._is_writable():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        # This can fail, and so comes before an access that has to end.
        view = memoryview(self._array()).cast("B")
        if not access & Access.WRITE:
            view = view.toreadonly()
        try:
            check(lib.buffer_begin_access(self._handle, access))
            try:
                if dtype is None:
                    yield view
                else:
                    import numpy
                    yield numpy.frombuffer(view, dtype)
            finally:
                check(lib.buffer_end_access(self._handle, access))
        finally:
            with contextlib.suppress(BufferError):
                view.release()

    def close(self) -> None:
        """Free it. SRAM is given back when nobody else has it.

        If it is registered memory, wait for the jobs that were started. Raise
        BufferError if a view of it still exists.
        """
        if self._pointer is None:
            return
        if self._views and self._views():
            raise BufferError("a view of the buffer exists")
        if self._registered is not None:
            self._stream._settle()
        self._leave()
        self._registered = None


def _submit_flags(event: bool, implicit: bool) -> int:
    return ((_lib.SUBMIT_EVENT if event else 0) |
            (0 if implicit else _lib.SUBMIT_NO_IMPLICIT))


class _Runnable(_Child):
    """What a stream runs: a job, or a prepared one."""

    _how: Union[type[_lib.Submit], type[_lib.Run]]

    def _start(self, how: Any, user_data: int) -> None:
        raise NotImplementedError

    def submit(self, *, event: Optional[int] = None,
               in_fence: Optional[int] = None, out_fence: bool = False,
               implicit: bool = True) -> Optional[int]:
        """Start it. Its buffers must not be closed before it has ended.

        With ``event``, a number, its end makes a record for read_events();
        with ``out_fence`` the file descriptor of a sync_file is returned, which
        the caller closes. It starts when the sync_file ``in_fence`` has
        signalled. Without ``implicit`` it neither waits for the fences in the
        dma-bufs nor adds its own.
        """
        how = self._how(size=ctypes.sizeof(self._how),
                        flags=_submit_flags(event is not None, implicit))
        if in_fence is not None:
            how.flags |= _lib.SUBMIT_IN_FENCE
            how.in_fence = in_fence
        if out_fence:
            how.flags |= _lib.SUBMIT_OUT_FENCE
        self._start(how, event or 0)
        return how.out_fence if out_fence else None

    async def run_async(self) -> None:
        """Run it, and wait in the event loop until it is done.

        The stream's records are read for that, so nothing else may read them.
        When the task is cancelled, the job goes on.
        """
        await self._stream._waiting.run(self)


class Job(_Runnable):
    """A list of operations, which take effect in the order they were added.

    Made by new_job() of a stream. The methods that add an operation return the
    job. It keeps its buffers until reset() or close().
    """

    _how = _lib.Submit

    def __init__(self, stream: Stream) -> None:
        self._buffers: set[Buffer] = set()
        self._join(stream, lib.job_free, new(lib.job_new, stream._handle))

    def copy(self, dst: Buffer, src: Buffer, length: Optional[int] = None, *,
             dst_offset: int = 0, src_offset: int = 0) -> Job:
        """Add a copy, without ``length`` of as much as fits in both."""
        if length is None:
            length = min(dst.size - dst_offset, src.size - src_offset)
        check(lib.job_add_copy(self._handle, dst._handle, dst_offset,
                               src._handle, src_offset, length))
        self._buffers.update((dst, src))
        return self

    def copy_2d(self, dst: Plane, src: Plane, row_length: int,
                rows: int) -> Job:
        """Add a copy of a rectangle."""
        raw = [_lib.RawPlane(plane.buffer._handle, plane.offset, plane.stride)
               for plane in (dst, src)]
        check(lib.job_add_copy_2d(self._handle, raw[0], raw[1], row_length,
                                  rows))
        self._buffers.update((dst.buffer, src.buffer))
        return self

    def fill(self, dst: Buffer, pattern: int, length: Optional[int] = None, *,
             dst_offset: int = 0) -> Job:
        """Add a fill with a pattern of 32 bits, by default to the end."""
        if length is None:
            length = dst.size - dst_offset
        check(lib.job_add_fill(self._handle, dst._handle, dst_offset, length,
                               pattern))
        self._buffers.add(dst)
        return self

    def reset(self) -> Job:
        """Take all operations out."""
        lib.job_reset(self._handle)
        self._buffers.clear()
        return self

    @property
    def _checked_handle(self) -> ctypes.c_void_p:
        # The kernel gives the number of a closed buffer to the next one.
        for buffer in self._buffers:
            buffer._handle
        return self._handle

    def run(self) -> None:
        """Run it, and return when it is done."""
        call(lib.job_run, self._checked_handle)

    def prepare(self) -> Prepared:
        """Have it checked once, to run it many times."""
        return Prepared(self)

    def _start(self, how: _lib.Submit, user_data: int) -> None:
        how.user_data = user_data
        call(lib.job_submit, self._checked_handle, how)

    @property
    def refused_operation(self) -> Optional[int]:
        """The index of the operation that the last call was refused for."""
        number = lib.job_refused_op(self._handle)
        return number - 1 if number else None

    def close(self) -> None:
        """Free it. If it was started, it goes on."""
        if self._pointer is not None:
            self._leave()
        self._buffers = set()


class Prepared(_Runnable):
    """A job that the kernel has checked, to be run many times.

    Made by prepare() of a job, which can be reset or closed at once. It keeps
    the memory of its buffers until close(), even if they are closed before. It
    can be started again before it has ended.
    """

    _how = _lib.Run

    def __init__(self, job: Job) -> None:
        self._registered = [buffer._registered for buffer in job._buffers]
        self._join(job._stream, lib.prepared_free,
                   new(lib.job_prepare, job._checked_handle))

    def run(self) -> None:
        """Run it, and return when it is done."""
        call(lib.prepared_run, self._handle)

    def _start(self, how: _lib.Run, user_data: int) -> None:
        call(lib.prepared_submit, self._handle, user_data, how)

    def close(self) -> None:
        """Free it. With registered memory, wait for what was started."""
        if self._pointer is None:
            return
        if any(memory is not None for memory in self._registered):
            self._stream._settle()
        self._leave()
        self._registered = []
