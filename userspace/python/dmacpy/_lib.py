# SPDX-License-Identifier: LGPL-2.1-or-later
"""The functions and structures of libdmacpy, as ctypes calls them."""

import ctypes
import errno
import os
from ctypes import (POINTER, byref, c_char, c_char_p, c_int, c_int32, c_size_t,
                    c_uint, c_uint32, c_uint64, c_void_p)

NAME_LEN = 32

SUBMIT_OUT_FENCE = 0x2
SUBMIT_IN_FENCE = 0x4
SUBMIT_EVENT = 0x8
SUBMIT_NO_IMPLICIT = 0x10


def _check_range(kept, value):
    """Refuse an integer of which ctypes has dropped the high bits."""
    if kept != value:
        raise ValueError(f"{value} is out of range")


class _Arguments(ctypes.Structure):
    """A structure that the program fills."""

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if not isinstance(value, c_void_p):
            _check_range(getattr(self, name), value)


class GetInfo(ctypes.Structure):
    """struct dmacpy_get_info"""
    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("sram_total", c_uint64),
        ("sram_free", c_uint64),
        ("sram_largest", c_uint64),
        ("max_bytes", c_uint64),
        ("max_ops", c_uint32),
        ("max_rows", c_uint32),
        ("granule", c_uint32),
        ("channels", c_uint32),
        ("copy_align", c_uint32),
        ("user_align", c_uint32),
        ("opcodes", c_uint32),
        ("submit_flags", c_uint32),
        ("name", c_char * NAME_LEN),
        ("max_jobs", c_uint32),
        ("max_events", c_uint32),
        ("max_user_bytes", c_uint64),
        ("max_user_jobs", c_uint32),
        ("max_user_streams", c_uint32),
        ("max_user_handles", c_uint32),
        ("reserved", c_uint32),
    ]


class Submit(_Arguments):
    """struct dmacpy_submit"""
    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("ops", c_uint64),
        ("op_count", c_uint32),
        ("op_size", c_uint32),
        ("user_data", c_uint64),
        ("in_fence", c_int32),
        ("out_fence", c_int32),
        ("refused_op", c_uint32),
        ("channels", c_uint32),
    ]


class Run(_Arguments):
    """struct dmacpy_run"""
    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("jobs", c_uint64),
        ("job_count", c_uint32),
        ("job_size", c_uint32),
        ("in_fence", c_int32),
        ("out_fence", c_int32),
    ]


class RunJob(_Arguments):
    """struct dmacpy_run_job"""
    _fields_ = [
        ("handle", c_uint32),
        ("reserved", c_uint32),
        ("user_data", c_uint64),
    ]


class RawEvent(ctypes.Structure):
    """struct dmacpy_event"""
    _fields_ = [
        ("user_data", c_uint64),
        ("result", c_int32),
        ("reserved", c_uint32),
        ("length", c_uint64),
        ("timestamp", c_uint64),
    ]


class RawPlane(_Arguments):
    """struct dmacpy_plane"""
    _fields_ = [
        ("buffer", c_void_p),
        ("offset", c_uint64),
        ("stride", c_uint64),
    ]


# Of each function what it returns, and its arguments
_PROTOTYPES = {
    "device_list": (c_int, POINTER(POINTER(c_char_p))),
    "device_open": (c_int, c_char_p, POINTER(c_void_p)),
    "device_close": (None, c_void_p),
    "device_path": (c_char_p, c_void_p),
    "device_info": (c_int, c_void_p, POINTER(GetInfo), c_size_t),
    "stream_open": (c_int, c_void_p, POINTER(c_void_p)),
    "stream_close": (None, c_void_p),
    "stream_fd": (c_int, c_void_p),
    "stream_copy": (c_int, c_void_p, c_void_p, c_uint64, c_void_p, c_uint64,
                    c_uint64),
    "stream_move": (c_int, c_void_p, c_void_p, c_uint64, c_uint64, c_uint64),
    "stream_set_cpu_below": (c_int, c_void_p, c_uint, c_uint, c_uint64),
    "stream_tune": (c_int, c_void_p, c_void_p, c_void_p, c_uint,
                    POINTER(c_uint64)),
    "stream_read_events": (c_int, c_void_p, POINTER(RawEvent), c_uint),
    "stream_flush": (c_int, c_void_p),
    "stream_run": (c_int, c_void_p, POINTER(RunJob), c_uint32, c_uint32),
    "fence_wait": (c_int, c_int, c_int),
    "buffer_alloc": (c_int, c_void_p, c_uint64, POINTER(c_void_p)),
    "buffer_import": (c_int, c_void_p, c_int, c_uint32, POINTER(c_void_p)),
    "buffer_register": (c_int, c_void_p, c_void_p, c_size_t, c_uint32,
                        POINTER(c_void_p)),
    "buffer_free": (None, c_void_p),
    "buffer_map": (c_int, c_void_p, POINTER(c_void_p)),
    "buffer_begin_access": (c_int, c_void_p, c_uint32),
    "buffer_end_access": (c_int, c_void_p, c_uint32),
    "buffer_fd": (c_int, c_void_p),
    "buffer_size": (c_uint64, c_void_p),
    "job_new": (c_int, c_void_p, POINTER(c_void_p)),
    "job_free": (None, c_void_p),
    "job_reset": (None, c_void_p),
    "job_add_copy": (c_int, c_void_p, c_void_p, c_uint64, c_void_p, c_uint64,
                     c_uint64),
    "job_add_copy_2d": (c_int, c_void_p, POINTER(RawPlane), POINTER(RawPlane),
                        c_uint64, c_uint32),
    "job_add_fill": (c_int, c_void_p, c_void_p, c_uint64, c_uint64, c_uint32),
    "job_submit": (c_int, c_void_p, POINTER(Submit)),
    "job_refused_op": (c_uint32, c_void_p),
    "job_run": (c_int, c_void_p),
    "job_prepare": (c_int, c_void_p, POINTER(c_void_p)),
    "prepared_free": (None, c_void_p),
    "prepared_handle": (c_uint32, c_void_p),
    "prepared_submit": (c_int, c_void_p, c_uint64, POINTER(Run)),
    "prepared_run": (c_int, c_void_p),
}


_INTEGERS = (c_int, c_size_t, c_uint, c_uint32, c_uint64)


def _with_checked_range(function, kinds):
    """Return it, or what calls it with integers that are in range."""
    integers = [(i, kind) for i, kind in enumerate(kinds) if kind in _INTEGERS]
    if not integers:
        return function

    def checked(*arguments):
        for i, kind in integers:
            _check_range(kind(arguments[i]).value, arguments[i])
        return function(*arguments)
    return checked


class _Library:
    """libdmacpy.so.0, with the functions without their prefix dmacpy_"""

    def __init__(self) -> None:
        library = ctypes.CDLL("libdmacpy.so.0")
        for name, (result, *arguments) in _PROTOTYPES.items():
            function = getattr(library, "dmacpy_" + name)
            function.restype = result
            function.argtypes = arguments
            setattr(self, name, _with_checked_range(function, arguments))


lib = _Library()
libc_free = ctypes.CDLL(None).free
libc_free.restype = None
libc_free.argtypes = [c_void_p]


def check(result: int) -> int:
    """Raise OSError if a function has returned a negative errno."""
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def call(function, *arguments) -> int:
    """Call a function again after each signal, and check what it returns.

    Handlers of signals, which may raise an exception, run in between.
    """
    while True:
        result = function(*arguments)
        if result != -errno.EINTR:
            return check(result)


def new(function, *arguments) -> c_void_p:
    """Call a function that makes an object, and return that."""
    pointer = c_void_p()
    call(function, *arguments, byref(pointer))
    return pointer
