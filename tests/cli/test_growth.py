# SPDX-License-Identifier: GPL-2.0-or-later
"""Weeks in a minute: a million events, and a hundred thousand directories born and gone, leave nothing behind."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from program import wait_until, watch_lines

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build")).absolute()
PROGRAMS = {
    "inotifywait": ["inotifywait", "-m", "-r"],
    "inotifywatch": ["inotifywatch", "-r"],
}


class Watched:
    """A program at work. Its output is thrown away, but for inotifywatch's table."""

    def __init__(self, command, top):
        self.name = command[0]
        program = BUILD / "tools" / command[0] / command[0]
        self.errors = open(top.parent / "errors", "w+b")
        self.table = top.parent / "table"
        with open(self.table if self.name == "inotifywatch" else os.devnull, "wb") as out:
            self.process = subprocess.Popen([program, *command[1:], top], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=self.errors)
        self.pid = self.process.pid
        self.until(lambda: b"stablish" in Path(self.errors.name).read_bytes().split(b"\n", 1)[-1])

    def until(self, condition, seconds=60):
        def met():
            assert self.process.poll() is None, Path(self.errors.name).read_text()
            return condition()

        wait_until(met, "what was waited for has not come", seconds)

    def idle(self):
        """Waits until it used no processor time for a tenth of a second."""
        last = [-1.0, 0.0]

        def quiet():
            used = time.clock_gettime((~self.pid << 3) | 2)
            if used != last[0]:
                last[:] = used, time.monotonic()
            return time.monotonic() - last[1] > 0.1
        self.until(quiet)

    def watches(self):
        return len(watch_lines(self.pid))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no RssAnon")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.errors.close()

    def rows(self):
        """Of the table, once it has ended; 0 for inotifywait."""
        return len(self.table.read_bytes().splitlines()) if self.table.exists() else 0


@pytest.fixture(params=sorted(PROGRAMS))
def watched(request, tmp_path):
    top = tmp_path / "tree"
    top.mkdir()
    program = Watched(PROGRAMS[request.param], top)
    yield program, top
    program.end()


def load(*arguments):
    subprocess.run([str(a) for a in (BUILD / "tests/bench/load", *arguments)], check=True, stdout=subprocess.DEVNULL,
                   timeout=300)


def grown_by(program, work):
    """How much memory the second to tenth time of `work` cost; the first fills the buffers."""
    work()
    program.idle()
    before, descriptors = program.memory(), program.descriptors()
    for _ in range(9):
        work()
        program.idle()
    assert program.descriptors() == descriptors
    assert program.watches() == 1
    grown = program.memory() - before
    print(f"grown by {grown} bytes")
    return grown


@pytest.mark.slow
@pytest.mark.plain_build
def test_a_million_events(watched):
    """Only the buffers of one read and of what is said about it, of about a million bytes each, may still fill."""
    program, top = watched
    assert grown_by(program, lambda: load("events", top, 100_000, 400_000)) < 2 * 1024 * 1024


@pytest.mark.slow
@pytest.mark.plain_build
def test_a_hundred_thousand_lives(watched):
    """inotifywatch keeps the row of a directory in whose life something was counted: of most it comes too late to watch
    them, but the busier the machine, the less so. And of each that it watched a number of four bytes."""
    program, top = watched
    grown = grown_by(program, lambda: load("lives", top, 10_000))
    program.end()
    print(f"{program.rows()} rows")
    numbers = 4 * 2 * 100_000 if program.name == "inotifywatch" else 0
    assert grown < 512 * 1024 + numbers + 512 * program.rows()


@pytest.mark.plain_build
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="needs valgrind (apt-get install valgrind)")
@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_valgrind_finds_nothing_from_start_to_stop(program, tmp_path):
    (tmp_path / "a/b/c").mkdir(parents=True)
    command = ["valgrind", "-q", "--error-exitcode=77", "--leak-check=full", "--track-fds=no",
               BUILD / "tools" / program / program, *PROGRAMS[program][1:], "-t", "1", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode != 77, done.stderr
    assert "==" not in done.stderr
