# SPDX-License-Identifier: GPL-2.0-or-later
"""One running inotifywait (or any program that waits in inotify), seen from outside.

Nothing here sleeps to let something happen. The kernel wakes a waiting program in the same call that queues an
event, so a program that is blocked in its wait, with an empty inotify queue, has said all it had to say.
"""

import ctypes
import fcntl
import os
import platform
import re
import signal
import struct
import subprocess
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path

DEADLINE = float(os.environ.get("NOTIFY_DEADLINE", "30"))  # seconds that anything in these tests may take

# System calls in which a program waits, with the position of the argument that says for how long. An argument of 0
# (a null pointer) or -1 means: for ever.
if platform.machine() == "x86_64":
    READ, WAITS = 0, {7: 2, 23: 4, 270: 4, 271: 2, 232: 3, 281: 3, 441: 3}
else:  # arm64, riscv64: the generic table
    READ, WAITS = 63, {72: 4, 73: 2, 22: 3, 441: 3}
FOREVER = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
POLL_STYLE = (7, 232, 22, 281)  # here a timeout of 0 is "at once", in milliseconds
PIDFD_GETFD = 438

_libc = ctypes.CDLL(None, use_errno=True)


class TooLate(AssertionError):
    """Something did not happen before the deadline."""


def wait_until(condition, what, deadline=DEADLINE):
    """Calls condition() until it returns something true, and returns that. A file that it reads may be still to come."""
    end = time.monotonic() + deadline
    pause = 0.0001
    while True:
        try:
            result = condition()
        except FileNotFoundError:
            result = None
        if result:
            return result
        if time.monotonic() > end:
            raise TooLate(f"waited {deadline:g} s in vain: {what() if callable(what) else what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.005)


def inotify_descriptors(pid):
    """The numbers of the inotify and fanotify descriptors that a process holds."""
    found = []
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(entry.path) in ("anon_inode:inotify", "anon_inode:[fanotify]"):
                    found.append(int(entry.name))
            except OSError:
                pass
    except OSError:
        pass
    return found


def watch_lines(pid):
    """What /proc says of every watch or mark of a process, a line each; of one that is gone, or another user's, nothing."""
    lines = []
    try:
        for number in os.listdir(f"/proc/{pid}/fdinfo"):
            try:
                text = Path(f"/proc/{pid}/fdinfo/{number}").read_text()
            except OSError:
                continue  # it was closed after the directory was listed
            lines += [line for line in text.splitlines() if line.startswith(("inotify wd:", "fanotify ino:"))]
    except OSError:
        pass
    return lines


def watch_key(place):
    """What watched_inodes() calls a directory, by its path or a descriptor."""
    status = os.lstat(place) if isinstance(place, (str, bytes, os.PathLike)) else os.fstat(place)
    if status.st_dev not in _superblocks:
        _superblocks[status.st_dev] = _superblock(place)
    return status.st_ino, _superblocks[status.st_dev]


_superblocks = {}  # {st_dev: the device as fdinfo has it}


def _superblock(place):
    """The device of the filesystem itself: st_dev is another one in a subvolume of btrfs."""
    opened = os.open(place, os.O_PATH | os.O_NOFOLLOW) if not isinstance(place, int) else os.dup(place)
    try:
        mount = re.search(r"^mnt_id:\s*(\d+)$", Path(f"/proc/self/fdinfo/{opened}").read_text(), re.M)[1]
        mounts = Path("/proc/self/mountinfo").read_text()
    finally:
        os.close(opened)
    major, minor = re.search(rf"^{mount} \d+ (\d+):(\d+) ", mounts, re.M).groups()
    return int(major) << 20 | int(minor)


def watched_inodes(pid):
    """{(inode, device)} of everything the process watches."""
    inodes = set()
    for line in watch_lines(pid):
        fields = dict(part.split(":", 1) for part in line.split()[1:] if ":" in part)
        inodes.add((int(fields["ino"], 16), int(fields["sdev"], 16)))
    return inodes


def queued_bytes(pid, number):
    """Bytes of events which wait in another process's inotify queue."""
    pidfd = os.pidfd_open(pid)
    try:
        copy = _libc.syscall(PIDFD_GETFD, pidfd, number, 0)
        if copy < 0:
            return 0  # the process has just closed it, or may not be looked into
        try:
            return struct.unpack("i", fcntl.ioctl(copy, termios.FIONREAD, b"\0" * 4))[0]
        finally:
            os.close(copy)
    finally:
        os.close(pidfd)


def is_waiting(pid, finite=False):
    """True if the process is blocked, waiting for events, and none is queued. `finite`: a wait with a timeout counts."""
    descriptors = inotify_descriptors(pid)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        call = Path(f"/proc/{pid}/syscall").read_text().split()
    except OSError:
        return False
    if state != "S" or not descriptors or not call[0].isdigit():
        return False
    number, arguments = int(call[0]), [int(word, 16) for word in call[1:7]]
    if number == READ:
        blocked = arguments[0] in descriptors
    elif number in WAITS:
        timeout = arguments[WAITS[number]]
        if number in POLL_STYLE and timeout == 0:
            return False
        blocked = finite or timeout in FOREVER
    else:
        blocked = False
    try:
        return blocked and all(queued_bytes(pid, descriptor) == 0 for descriptor in descriptors)
    except OSError:
        return False


# Runs a command as nobody, where we are root; else as we are.
UNPRIVILEGED = """#!/bin/sh
[ "$(id -u)" = 0 ] && exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
exec "$@"
"""


# Read by every shell of a test. A program that is told to stop may still read what comes next, until it has stopped.
FUNCTIONS = """kill() {
  builtin kill "$@" || return
  [ "$1" != -STOP ] || while grep -qs '^State:[[:space:]]*[^TtZX[:space:]]' "/proc/$2/status"; do :; done
}
"""


def furnish(bin_directory, binary):
    """A directory for PATH in which `inotifywait` is the program under test and `unprivileged` drops root's rights."""
    bin_directory.mkdir(parents=True, exist_ok=True)
    if not (bin_directory / "inotifywait").is_symlink():
        (bin_directory / "inotifywait").symlink_to(Path(binary).resolve(strict=True))
        (bin_directory / "unprivileged").write_text(UNPRIVILEGED)
        (bin_directory / "unprivileged").chmod(0o755)
        (bin_directory / "functions").write_text(FUNCTIONS)


def stop(process):
    """Until it has stopped: one that is told to still reads what comes next."""
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: "\nState:\tT" in Path(f"/proc/{process.pid}/status").read_text(), "SIGSTOP")


class Ending:
    """What has a `process`, and ends it with the block of `with`."""

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


@dataclass
class Said:
    """What came out of a program between two moments, and how it ended if it did (as Popen.returncode says it)."""

    out: bytes = b""
    err: bytes = b""
    status: int | None = None


@dataclass
class Program:
    """A command line run by bash in a directory of its own, with `binary` standing in for inotifywait."""

    binary: Path
    command: bytes
    directory: Path
    bin_directory: Path
    finite: bool = False  # waiting for a limited time is idle enough
    said: Said = field(default_factory=Said)

    def __post_init__(self):
        furnish(self.bin_directory, self.binary)
        self.process = subprocess.Popen(
            [b"/bin/bash", b"-c", self.command], cwd=self.directory, env=self.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.pid = self.process.pid
        for pipe in (self.process.stdout, self.process.stderr):
            os.set_blocking(pipe.fileno(), False)

    def environment(self):
        kept = {name: value for name, value in os.environ.items()
                if name not in ("POSIXLY_CORRECT", "LANG", "LANGUAGE") and not name.startswith("LC_")}
        return kept | {"PATH": f"{self.bin_directory}:{os.environ['PATH']}", "TZ": "UTC"}

    def shell(self, command):
        """Runs a command in the program's directory, to its end, and returns what it printed; $PID is the program."""
        environment = self.environment() | {"PID": str(self.pid), "BASH_ENV": str(self.bin_directory / "functions")}
        return subprocess.run([b"/bin/bash", b"-c", command], cwd=self.directory, env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False).stdout

    def _drain(self):
        for pipe, name in ((self.process.stdout, "out"), (self.process.stderr, "err")):
            while chunk := self._read(pipe):
                setattr(self.said, name, getattr(self.said, name) + chunk)

    @staticmethod
    def _read(pipe):
        try:
            return os.read(pipe.fileno(), 1 << 20)
        except BlockingIOError:
            return b""

    def _at_rest(self):
        self._drain()
        if self.process.poll() is not None:
            self.said.status = self.process.returncode
        elif not is_waiting(self.pid, self.finite):
            return False
        self._drain()
        return True

    def settle(self):
        """Waits until the program waits or has ended; returns what it said since the last time."""
        wait_until(self._at_rest, lambda: f"{self.command!r} neither waits nor ends; said {self.said}")
        said, self.said = self.said, Said()
        return said

    def wait_end(self):
        """Waits until the program has ended by itself."""
        def ended():
            self._drain()
            return self.process.poll() is not None
        wait_until(ended, lambda: f"{self.command!r} does not end; said {self.said}")
        return self.settle()

    def signal(self, number):
        self.process.send_signal(number)

    def watched(self):
        return watched_inodes(self.pid)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
