# SPDX-License-Identifier: GPL-2.0-or-later
"""What all tests that run programs have in common: places and programs that everybody can reach."""

import ctypes
import os
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

os.umask(0o022)  # whatever the user's is: what a test makes, the programs of others are to see


def _is_for_everybody(path):
    path = path.resolve()
    bits = 0o001 if path.is_dir() else 0o004
    return path.stat().st_mode & bits and all(parent.stat().st_mode & 0o001 for parent in path.parents)


@pytest.fixture(scope="session")
def temporary_place():
    """A directory for temporary ones; that of the user may be for him alone, as his home is."""
    places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    return next((place for place in places if place.is_dir() and _is_for_everybody(place)), places[0])


def _with_libraries(program):
    linked = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    libraries = [os.path.normpath(found) for found in re.findall(r"=> (/\S+)", linked)]
    return [program, *(Path(found) for found in libraries if not found.startswith(("/usr/", "/lib")))]


@pytest.fixture(scope="session")
def for_everybody(temporary_place):
    """for_everybody(program) is one that an ordinary user can run: out of a build that is for root alone it is copied."""
    copies = {}
    place = Path(tempfile.mkdtemp(prefix="notify-programs-", dir=temporary_place))

    def copy(program):
        parts = _with_libraries(program)
        top = os.path.commonpath([part.parent for part in parts])
        for part in parts:  # they find each other by where they are
            other = place / part.relative_to(top)
            other.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(part, other)
        subprocess.run(["chmod", "-R", "755", place], check=True)
        if not _is_for_everybody(place):
            pytest.skip(f"neither {program} nor {place} can be reached by everybody")
        return place / program.relative_to(top)

    def reached(program):
        program = Path(program).absolute()
        if os.geteuid() != 0 or all(map(_is_for_everybody, _with_libraries(program))):
            return program
        if program not in copies:
            copies[program] = copy(program)
        return copies[program]

    yield reached
    shutil.rmtree(place)


FAN_REPORT_NAMES, FAN_MARK_ADD, FAN_MARK_FILESYSTEM, FAN_CREATE_OF_DIRECTORY = 0xE00, 0x1, 0x100, 0x40000100
_libc = ctypes.CDLL(None, use_errno=True)


def _opens_by_handle(place):
    handle, mount = ctypes.create_string_buffer(8 + 128), ctypes.c_int()
    struct.pack_into("=I", handle, 0, 128)
    if _libc.name_to_handle_at(-100, os.fsencode(place), handle, ctypes.byref(mount), 0) < 0:
        return False
    there = os.open(place, os.O_RDONLY)
    opened = _libc.open_by_handle_at(there, handle, os.O_PATH)
    for descriptor in (there, opened):
        if descriptor >= 0:
            os.close(descriptor)
    return opened >= 0


@pytest.fixture(scope="session")
def fanotify_refusal():
    """fanotify_refusal(place, filesystem=False): why the kernel lets us not watch it so; None if it does. The programs
    under test are not asked: what they cannot do, a test is not to be skipped for."""

    def refusal(place, filesystem=False):
        group = _libc.fanotify_init(FAN_REPORT_NAMES, 0)
        if group < 0:
            return f"fanotify_init: {os.strerror(ctypes.get_errno())}"
        try:
            flags = FAN_MARK_ADD | (FAN_MARK_FILESYSTEM if filesystem else 0)
            if _libc.fanotify_mark(group, flags, ctypes.c_uint64(FAN_CREATE_OF_DIRECTORY), -100, os.fsencode(place)) < 0:
                return f"fanotify_mark: {os.strerror(ctypes.get_errno())}"
            return None if not filesystem or _opens_by_handle(place) else "open_by_handle_at fails here"
        finally:
            os.close(group)

    return refusal
