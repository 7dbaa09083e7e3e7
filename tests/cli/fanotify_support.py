# SPDX-License-Identifier: GPL-2.0-or-later
"""A watching program, and filesystems to watch.

What a program says is read up to a sentinel: a file made after everything else. fanotify may merge what one process does
to one entry into one line, sooner or later; `told` takes lines apart into (path, event) again, repetitions left out."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from program import Ending, wait_until

BUILD = Path(os.environ.get("NOTIFY_BUILD", Path(__file__).resolve().parents[2] / "build")).absolute()
BROUGHT_BY_OTHERS = {"CLOSE"}  # said along with CLOSE_WRITE and CLOSE_NOWRITE


class Watching(Ending):
    """A program that watches; `with` ends it."""

    def __init__(self, program, *arguments, name="fsnotifywait", cwd=None, user=None, environment=None):
        self.link = Path(cwd) / f".{name}"
        self.link.symlink_to(program)
        self.out, self.err = Path(cwd).parent / "out", Path(cwd).parent / "err"
        for path in (self.out, self.err):
            path.write_bytes(b"")
            path.chmod(0o666)
        self.process = subprocess.Popen(
            [name, "-m", *map(str, arguments)], executable=self.link, cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=self.out.open("wb"), stderr=self.err.open("wb"), user=user, env={**os.environ, **(environment or {})})
        self.link.unlink  # stays until it has started
        wait_until(self._ready, lambda: f"not ready; said {self.err.read_text()!r}")
        self.link.unlink()

    def _ready(self):
        assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.err.read_text()}"
        return "Watches established." in self.err.read_text()

    def lines(self):
        """All lines said up to now, whole ones."""
        return self.out.read_text(errors="surrogateescape").rpartition("\n")[0].splitlines()

    def lines_until(self, text):
        """All lines said up to now, once one of them holds `text`."""
        wait_until(lambda: text in "\n".join(self.lines()),
                   lambda: f"{text!r} was never said; said {self.out.read_text()[-2000:]!r}")
        return self.lines()

    def wait_said(self, text):
        """Until standard error holds it."""
        wait_until(lambda: text in self.err.read_text(), lambda: f"{text!r} in {self.err.read_text()!r}")


def told(lines, sentinel=None):
    """{(path, event)}: the standard lines taken apart. Events of the sentinel are left out."""
    seen = []
    for line in lines:
        if sentinel and sentinel in line:
            continue
        watched, events, name = re.fullmatch(r"(.*?) ([A-Z_,]+) (.*)", line).groups()
        seen += [(watched + name, event) for event in events.split(",") if event not in BROUGHT_BY_OTHERS | {"ISDIR"}]
    return set(seen)


def shell(command, cwd):
    subprocess.run(["/bin/bash", "-ec", command], cwd=cwd, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)


def _mount(arguments, place):
    place.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *arguments, place], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mount {' '.join(map(str, arguments))}: {done.stderr.strip()}")


def mounted(kind, room):
    """A filesystem of that kind mounted in the room; its top."""
    top = room / "mounted"
    if kind == "tmpfs":
        _mount(["-t", "tmpfs", "none"], top)
    elif kind in ("ext4", "xfs", "btrfs"):
        image = room / "image"
        with image.open("wb") as file:
            file.truncate({"ext4": 32, "xfs": 300, "btrfs": 128}[kind] << 20)
        if not shutil.which(f"mkfs.{kind}"):
            pytest.skip(f"no mkfs.{kind} here")
        made = subprocess.run([f"mkfs.{kind}", "-q", image], capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"mkfs.{kind}: {made.stderr.strip()}")
        _mount(["-o", "loop", image], top)
    elif kind == "bind":
        (room / "bound").mkdir()
        _mount(["--bind", room / "bound"], top)
    else:
        base = room / "base"
        _mount(["-t", "tmpfs", "none"], base)
        for name in ("lower", "upper", "work"):
            (base / name).mkdir()
        (base / "lower/below").mkdir()
        _mount(["-t", "overlay", "-o", f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work,"
                + ("nfs_export=on,index=on" if kind == "overlay" else "nfs_export=off"), "none"], top)
    return top


def unmount_all(room):
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        place = line.split()[4]
        if place.startswith(f"{room}/"):
            subprocess.run(["umount", "-l", place], check=False)


def overflow_by(make):
    """make(number) for more numbers than the kernel queues events; each must make one that is like no other."""
    limit = int(Path("/proc/sys/fs/fanotify/max_queued_events").read_text())
    if limit > 100_000:
        pytest.skip("fs.fanotify.max_queued_events is too large to fill")
    for number in range(limit + 100):
        make(number)


def preloaded(name):
    """The environment of a program into which one of the modules of tests/meson.build is loaded first."""
    library = BUILD / f"tests/lib{name}.so"
    assert library.exists(), f"{library}: build it first"
    return {"LD_PRELOAD": str(library)}


@pytest.fixture
def limited_queue():
    """The environment in which the queue of a program that root starts is limited."""
    return preloaded("limited_queue")


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a whole filesystem is watched, and mounted, by root only")


NAMES = "create,delete,move"
MODES = [pytest.param(["-F", "-r"], id="-F -r"), pytest.param(["-S"], id="-S", marks=needs_root)]


@pytest.fixture
def home(room, fanotify_refusal):
    if why_not := fanotify_refusal(room):
        pytest.skip(why_not)
    directory = room / "home"
    directory.mkdir()
    return directory


@pytest.fixture(params=["tmpfs", "ext4", "xfs", "btrfs", "overlay", "overlay without nfs_export", "bind"])
def top(request, room):
    """The top of a mounted filesystem of each kind."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    try:
        yield mounted(request.param, room)
    finally:
        unmount_all(room)
