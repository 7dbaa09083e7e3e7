# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs that are measured, and one run of one of them."""

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from program import Ending, watch_lines  # noqa: E402

F_SETPIPE_SZ = 1031


def processor_time(pid):
    """Seconds of processor time of all threads of a process, ended ones too; to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED of another process, see clock_getcpuclockid(3)


def status_of(pid, field):
    """A line of /proc/PID/status, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def read_and_write_calls(pid):
    values = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(values["syscr"]) + int(values["syscw"])


def watches_of(pid):
    """How many inotify watches a process has."""
    return len(watch_lines(pid))


def watches_left():
    """How many watches this user may still add."""
    limit = int(Path("/proc/sys/fs/inotify/max_user_watches").read_text())
    used = 0
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and process.stat().st_uid == os.getuid():
                used += watches_of(process.name)
        except OSError:
            pass
    return limit - used


def wait_until(condition, seconds, pause=0.01):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def quiet(measure, seconds):
    """A condition, for wait_until: measure() has said the same for so long. Its attribute `since` is when that began."""
    last = [None]

    def is_quiet():
        now = measure()
        if now != last[0]:
            last[0], is_quiet.since = now, time.monotonic()
        return time.monotonic() - is_quiet.since > seconds
    return is_quiet


def idle(pid, seconds):
    """A condition: the process has used no processor time for so long."""
    return quiet(lambda: processor_time(pid), seconds)


@dataclass
class Program:
    name: str
    executable: Path
    kind: str  # "inotifywait", "inotifywatch", "floor", "fswatch": how it is called and what it says when it is ready
    environment: dict = None

    def command(self, directory, recursive, events):
        """events: "" for all, "create" for births and renames, "modify" for one line a write."""
        if self.kind == "floor":
            return [self.executable, "wait", directory, *(["create"] if events == "create" else [])]
        if self.kind == "fswatch":
            wanted = {"": [], "create": ["--event=Created", "--event=MovedTo"], "modify": ["--event=Updated"]}[events]
            return [self.executable, "-m", "inotify_monitor", "-x", *(["-r"] if recursive else []), *wanted, directory]
        asked = {"": [], "create": ["-e", "create,move"], "modify": ["-e", "modify"]}[events]
        return [self.executable, "-m", *(["-r"] if recursive else []), *asked, directory]

    def counting_command(self, directory):
        if self.kind == "floor":
            return [self.executable, "count", directory]
        return [self.executable, directory]


class Run(Ending):
    """One program at work. Ready when it has watched everything; `started` to `ready` is its set-up."""

    def __init__(self, program, command, stdout, directories, room):
        self.errors = Path(room) / "errors"
        self.started = time.monotonic()
        with open(self.errors, "wb") as errors:
            environment = dict(os.environ, **(program.environment or {}))
            self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=stdout,
                                            stderr=errors, env=environment)
        self.pid = self.process.pid
        pause = 0.002 if program.kind != "fswatch" else 0.1
        ready = (lambda: watches_of(self.pid) >= directories) if program.kind == "fswatch" else self._says_ready
        if not wait_until(lambda: ready() or self.process.poll() is not None, 120, pause):
            self.end()
            raise TimeoutError(f"{program.name} is not ready")
        if self.process.poll() is not None:
            raise RuntimeError(f"{program.name} ended: {self.errors.read_text().strip()}")
        self.ready = time.monotonic()

    def _says_ready(self):
        said = self.errors.read_bytes()
        return b"Watches established" in said or b"ready " in said or b"Finished establishing watches" in said

    def said_overflow(self):
        return b"overflow" in self.errors.read_bytes().lower()


class CallCounter:
    """Counts the system calls of a running process by strace(1), which slows it: nothing else is measured meanwhile."""

    def __init__(self, pid, room):
        self.table, self.said = Path(room) / "calls", Path(room) / "strace"
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(["strace", "-c", "-f", "-o", str(self.table), "-p", str(pid)],
                                            stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        wait_until(lambda: b"attached" in self.said.read_bytes() or self.process.poll() is not None, 30)
        if self.process.poll() is not None:
            raise RuntimeError(self.said.read_text().strip())

    def end(self):
        """How many there were."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        totals = [line.split() for line in self.table.read_text().splitlines() if line.endswith("total")]
        return int(totals[-1][3])  # % time, seconds, us a call, calls


class Reader:
    """The far end of a pipe: counts lines until told that the last one came."""

    def __init__(self):
        self.fd, self.write_end = os.pipe()
        self.lines = 0
        self.tail = b""
        fcntl.fcntl(self.fd, F_SETPIPE_SZ, 1 << 16)  # what a pipe is unless the writer asks for more

    def started(self):
        os.close(self.write_end)

    def take(self):
        """Reads what is there. Returns the bytes, with the end of what was read before."""
        if not select.select([self.fd], [], [], 0.001)[0]:
            return b""
        chunk = os.read(self.fd, 1 << 20)
        self.lines += chunk.count(b"\n")
        seen = self.tail + chunk
        self.tail = chunk[-64:]
        return seen

    def close(self):
        os.close(self.fd)
