# SPDX-License-Identifier: GPL-2.0-or-later
"""A filesystem as a broken disk has it: one directory, which can be opened but not listed. It speaks FUSE by itself."""

import ctypes
import errno
import os
import struct
import threading
from contextlib import contextmanager

import pytest

FORGET, INIT, GETATTR, STATFS, OPENDIR, RELEASEDIR = 2, 26, 3, 17, 27, 29
HEADER = struct.Struct("=IIQQIIII")  # length, operation, number, inode, user, group, process, padding
REPLY = struct.Struct("=IiQ")  # length, -errno, number
MNT_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def _attributes():
    mode, links = 0o40755, 1
    inode, size, blocks, seconds = 1, 0, 0, (0, 0, 0)
    return struct.pack("=6Q10I", inode, size, blocks, *seconds, 0, 0, 0, mode, links, os.getuid(), os.getgid(), 0, 4096, 0)


def _answer(operation, body):
    """(errno, bytes)"""
    if operation == INIT:
        major, minor = struct.unpack_from("=II", body)
        return 0, struct.pack("=IIIIHHIIHH8I", major, min(minor, 31), 0, 0, 1, 1, 4096, 1, 1, 0, *[0] * 8)
    if operation == GETATTR:
        return 0, struct.pack("=QII", 0, 0, 0) + _attributes()
    if operation == OPENDIR:
        return 0, struct.pack("=QII", 0, 0, 0)
    if operation == STATFS:
        return 0, bytes(80)
    if operation == RELEASEDIR:
        return 0, b""
    return errno.EIO, b""


def _serve(device):
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError as error:
            if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                continue
            return  # ENODEV: it is unmounted
        _, operation, number, *_ = HEADER.unpack_from(request)
        if operation == FORGET:
            continue
        error, answer = _answer(operation, request[HEADER.size:])
        os.write(device, REPLY.pack(REPLY.size + len(answer), -error, number) + answer)


@contextmanager
def broken_disk(place):
    """Mounted at the directory `place`; skips the test where that cannot be."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        pytest.skip(f"/dev/fuse: {error.strerror}")
    server = threading.Thread(target=_serve, args=(device,), daemon=True)
    try:
        options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if _libc.mount(b"broken", os.fsencode(place), b"fuse", 0, options.encode()) != 0:
            pytest.skip(f"mount of a FUSE filesystem: {os.strerror(ctypes.get_errno())}")
        server.start()
        try:
            yield
        finally:
            _libc.umount2(os.fsencode(place), MNT_DETACH)
            server.join(30)
    finally:
        os.close(device)
