# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of inotifywatch, played step by step and seen from outside.

A case is a tree, a command line and what is then done to the files. Every step is a line for the shell, or a signal
("^USR1"); before the next one, the program has read all that the kernel had to say and waits again. In the end it is
interrupted, unless it has ended by itself.
"""

import difflib
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from program import READ, is_waiting, wait_until

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build")).absolute()
OURS = Path(os.environ.get("NOTIFY_WATCH_SUBJECT", BUILD / "tools/inotifywatch/inotifywatch")).absolute()
REFERENCE = Path(os.environ.get("NOTIFY_WATCH_REFERENCE", "/usr/bin/inotifywatch"))
REFERENCE_RELEASE = "inotifywatch 3.22.6.0"
TIMED = re.compile(r"-[a-zA-Z]*t|--t|--interval")
COLLECTING = b"now collecting statistics.\n"


@dataclass
class Case:
    name: str
    arguments: list
    tree: str = ""          # lines for the shell, before the start
    steps: tuple = ()
    stdin: bytes = b""
    environment: tuple = ()


@dataclass
class Outcome:
    status: int
    out: bytes
    err: bytes

    def shown(self, binary):
        """For comparison: messages begin with the name by which the program was called."""
        err = self.err.replace(os.fsencode(binary), b"inotifywatch")
        lines = [f"{mark} {line}" for mark, text in (("|", self.out), ("!", err))
                 for line in text.decode(errors="surrogateescape").split("\n") if text]
        return [*lines, f"? {self.status}"]


def differences(theirs, ours):
    return "\n".join(difflib.unified_diff(theirs, ours, "reference", "ours", lineterm="", n=99))


class Watch:
    """A running inotifywatch."""

    def __init__(self, binary, arguments, directory, feed=b"", environment=(), **popen):
        self.finite = any(TIMED.match(word) for word in arguments)  # waiting for a limited time is idle enough
        self.room = directory
        kept = {name: value for name, value in os.environ.items()
                if name not in ("POSIXLY_CORRECT", "LANG") and not name.startswith("LC_")}
        self.files = [open(directory.parent / f"{directory.name}.{name}", "w+b") for name in ("out", "err", "in")]
        out, err, fed = self.files
        fed.write(feed)
        fed.seek(0)
        popen = {"stdin": fed, "stdout": out, "stderr": err} | popen
        self.process = subprocess.Popen([binary, *arguments], cwd=directory, env=kept | dict(environment), **popen)
        self.pid = self.process.pid

    def _read(self, stream):
        return Path(stream.name).read_bytes()

    @property
    def out(self):
        return self._read(self.files[0])

    @property
    def err(self):
        return self._read(self.files[1])

    def ended(self):
        return self.process.poll() is not None

    def wait_for(self, text):
        """Waits until the program has said `text` on stderr, or has ended."""
        wait_until(lambda: self.ended() or text in self.err, lambda: f"{text!r} in {self.err!r}")

    def settle(self):
        """Waits until the program has counted everything and waits again, or has ended."""
        wait_until(lambda: self.ended() or is_waiting(self.pid, self.finite), lambda: f"idle; said {self.err!r}")

    def reads_operands(self):
        """Waits until the program waits for more of its standard input."""
        def reading():
            call = Path(f"/proc/{self.pid}/syscall").read_text().split()
            return call[0] == str(READ) and int(call[1], 16) == 0
        wait_until(lambda: self.ended() or reading(), "a read of standard input")

    def start_up(self):
        self.wait_for(COLLECTING)
        self.settle()

    def shell(self, line):
        subprocess.run(["/bin/sh", "-c", line], cwd=self.room, check=False, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def signal(self, name):
        self.process.send_signal(getattr(signal, "SIG" + name))

    def step(self, line):
        if line.startswith("^"):
            self.signal(line[1:])
        else:
            self.shell(line)
        self.settle()

    def end(self, name="INT"):
        if not self.ended():
            self.signal(name)
        wait_until(self.ended, lambda: f"the end; said {self.err!r}")
        return Outcome(self.process.returncode, self.out, self.err)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.ended():
            self.process.kill()
            self.process.wait()
        for stream in self.files:
            stream.close()


def play(case, binary, room):
    """Plays a case in a directory of its own below `room`."""
    home = room / "home"
    home.mkdir(parents=True)
    subprocess.run(["/bin/sh", "-ec", case.tree], cwd=home, check=True)
    with Watch(binary, case.arguments, home, case.stdin, case.environment) as watch:
        watch.start_up()
        for line in case.steps:
            if not watch.ended():
                watch.step(line)
        return watch.end()


def counts_of(out):
    """The last table as {name of row: {column: number}}."""
    lines = out.decode(errors="surrogateescape").rstrip("\n").split("\n\n")[-1].splitlines()
    titles = lines[0].split()
    rows = [line.split(maxsplit=len(titles) - 1) for line in lines[1:]]
    return {row[-1]: dict(zip(titles, map(int, row[:-1]))) for row in rows}
