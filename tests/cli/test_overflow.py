# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's queue overflows: events are lost for ever, but it is said, and the tree of watches is right afterwards."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from program import Program, is_waiting, wait_until
from test_new_directories import directories

QUEUE = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
SAID = "overflow"  # the word by which the line on stderr is known


def stopped(program):
    state = Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


def flood(directory):
    """More events than the queue holds, none like its neighbour."""
    for n in range(QUEUE // 2 + 1000):
        name = directory / f"flood{n}"
        name.touch()
        name.unlink()


def overflow(program, directory):
    """Makes so many files that some are not told of. What the program said meanwhile."""
    program.settle()
    program.signal(signal.SIGSTOP)
    wait_until(lambda: stopped(program), "SIGSTOP")
    for n in range(QUEUE + 1000):
        (directory / f"{n}").touch()
    program.signal(signal.SIGCONT)
    return program.settle()


@pytest.mark.skipif(QUEUE > 200_000, reason="fs.inotify.max_queued_events is too large to fill")
@pytest.mark.parametrize("options", ["-q", "", "-q -e create,delete,move", "-qq"])
def test_overflow_is_said_and_repaired(inotifywait, room, options):
    home = room / "home"
    (home / "d/old/s").mkdir(parents=True)
    (home / "d/gone/s").mkdir(parents=True)
    program = Program(inotifywait, f"exec inotifywait -m -r {options} -o out d".encode(), home, room / "bin")
    try:
        program.settle()
        program.signal(signal.SIGSTOP)
        wait_until(lambda: stopped(program), "SIGSTOP")
        flood(home / "d")
        (home / "d/new/a/b").mkdir(parents=True)
        os.rename(home / "d/old", home / "d/renamed")
        os.rename(home / "d/gone", home / "outside")
        program.signal(signal.SIGCONT)
        said = program.settle()
        complaints = [line for line in said.err.decode().splitlines() if SAID in line.lower()]
        assert len(complaints) == 1, said.err
        assert program.watched() == directories(home / "d")
        written = (home / "out").read_text()
        for place in ("d/new/a/b", "d/renamed/s", "d"):
            (home / place / "probe").touch()
        program.settle()
        new_lines = (home / "out").read_text()[len(written):].splitlines()
        shown = [line for line in new_lines if line.endswith("CREATE probe")]
        expected = ["d/new/a/b/ CREATE probe", "d/renamed/s/ CREATE probe", "d/ CREATE probe"]
        assert shown == ([] if options == "-qq" else expected)
    finally:
        program.close()


@pytest.mark.skipif(QUEUE > 200_000, reason="fs.inotify.max_queued_events is too large to fill")
def test_the_event_is_printed_where_it_was_asked_for(inotifywait, room):
    home = room / "home"
    (home / "d").mkdir(parents=True)
    command = b"exec inotifywait -m -q -e q_overflow,create --format '%e|%w|%f' -o out d"
    program = Program(inotifywait, command, home, room / "bin")
    try:
        overflow(program, home / "d")
        lines = (home / "out").read_text().splitlines()
        assert lines[:QUEUE] == [f"CREATE|d/|{n}" for n in range(QUEUE)]
        assert [line for line in lines if "Q_OVERFLOW" in line] == lines[QUEUE:]
        assert len(lines) == QUEUE + 1
    finally:
        program.close()


@pytest.mark.skipif(QUEUE > 200_000, reason="fs.inotify.max_queued_events is too large to fill")
def test_overflow_without_recursion(inotifywait, room):
    home = room / "home"
    (home / "d").mkdir(parents=True)
    program = Program(inotifywait, b"exec inotifywait -m -q -e create -o out d", home, room / "bin")
    try:
        said = overflow(program, home / "d")
        assert said.err.decode().lower().count(SAID) == 1
        assert (home / "out").read_text().splitlines() == [f"d/ CREATE {n}" for n in range(QUEUE)]
        (home / "d/probe").touch()
        program.settle()
        assert (home / "out").read_text().splitlines()[-1] == "d/ CREATE probe"
    finally:
        program.close()


@pytest.mark.skipif(QUEUE > 200_000, reason="fs.inotify.max_queued_events is too large to fill")
@pytest.mark.parametrize("options", ["-r", ""])
def test_an_operand_that_is_deleted_while_the_queue_is_full_has_ended(inotifywait, room, options):
    """The kernel's word of it is lost, too, and nothing leads to it any more."""
    home = room / "home"
    for operand in "de":
        (home / operand).mkdir(parents=True)
    program = Program(inotifywait, f"exec inotifywait -m {options} --end-when-gone -o out d e".encode(), home, room / "bin")
    try:
        program.settle()
        program.signal(signal.SIGSTOP)
        wait_until(lambda: stopped(program), "SIGSTOP")
        flood(home / "d")
        shutil.rmtree(home / "d")
        program.signal(signal.SIGCONT)
        program.settle()
        assert program.process.poll() is None
        (home / "e/probe").touch()
        program.settle()
        assert (home / "out").read_text().splitlines()[-1].startswith("e/ CLOSE")
        (home / "e/probe").unlink()
        (home / "e").rmdir()
        program.wait_end()
        assert program.process.returncode == 1
    finally:
        program.close()


@pytest.mark.skipif(QUEUE > 200_000, reason="fs.inotify.max_queued_events is too large to fill")
def test_nothing_is_lost_where_the_reader_of_the_pipe_is_slow(inotifywait, room):
    """More than the pipe and the queue hold together, and nobody reads until all of it is there."""
    name = "x" * 200
    total = (1 << 20) // len(name) + 3 * QUEUE
    process = subprocess.Popen([inotifywait, "-m", "-q", "-e", "create", "."], cwd=room, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: is_waiting(process.pid), "the start")
        for n in range(total):
            os.close(os.open(room / f"{name}{n}", os.O_CREAT | os.O_WRONLY))
            os.unlink(room / f"{name}{n}")
            if n % (QUEUE // 4) == 0:
                wait_until(lambda: is_waiting(process.pid), "the queue to be read while the pipe is full")
        lines = [process.stdout.readline() for _ in range(total)]
        assert lines == [b"./ CREATE %s%d\n" % (name.encode(), n) for n in range(total)]
    finally:
        process.kill()
        assert process.communicate()[1] == b""


@pytest.mark.parametrize("how", ["terminated", "reader gone"])
def test_it_ends_while_the_pipe_is_full(inotifywait, room, how):
    process = subprocess.Popen([inotifywait, "-m", "-q", "-e", "create", "."], cwd=room, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    name = "x" * 200
    try:
        wait_until(lambda: is_waiting(process.pid), "the start")
        for n in range((2 << 20) // len(name)):
            os.close(os.open(room / f"{name}{n}", os.O_CREAT | os.O_WRONLY))
        wait_until(lambda: is_waiting(process.pid), "the queue to be read while the pipe is full")
        if how == "terminated":
            process.terminate()
        process.stdout.close()
        assert process.wait(30) == (-signal.SIGTERM if how == "terminated" else -signal.SIGPIPE)
    finally:
        process.kill()
        process.stderr.close()
