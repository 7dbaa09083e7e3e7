# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that somebody chose to do harm: what a terminal obeys is shown to a person, and left alone for a script."""

import os
import pty
import signal
import subprocess

import pytest

from program import is_waiting, wait_until

NAME = b"\x1b]0;title\x07\x1b[2J\nCREATE fake\xc2\x9b31m"
SHOWN = rb"\x1b]0;title\x07\x1b[2J\nCREATE fake\xc2\x9b31m"


class OnTerminal:
    """A program whose standard error is a terminal that nobody interprets."""

    def __init__(self, command, room):
        ours, theirs = pty.openpty()
        self.out = open(room / "out", "wb")
        self.process = subprocess.Popen(command, cwd=room, stdin=subprocess.DEVNULL, stdout=self.out, stderr=theirs)
        os.close(theirs)
        self.ours = ours
        self.said = b""

    def end(self, number=None):
        """Its words until it has ended; a signal helps it to."""
        if number:
            self.process.send_signal(number)
        try:
            while chunk := os.read(self.ours, 4096):
                self.said += chunk
        except OSError:  # nobody has the other end any more
            pass
        os.close(self.ours)
        self.out.close()
        self.process.wait(30)
        return self.said.replace(b"\r\n", b"\n")


def test_a_terminal_is_not_told_what_to_do(inotifywait, room):
    (room / "d").mkdir()
    program = OnTerminal([inotifywait, "-m", "-r", "-e", "create", "d"], room)
    wait_until(lambda: is_waiting(program.process.pid), "the watches")
    os.mkdir(os.fsencode(room) + b"/d/" + NAME)
    wait_until(lambda: (room / "out").stat().st_size > 0 and is_waiting(program.process.pid), "the event")
    said = program.end(signal.SIGTERM)
    assert b"Watching new directory d/" + SHOWN + b"/\n" in said
    assert b"\x1b" not in said and b"\nCREATE fake" not in said
    assert (room / "out").read_bytes() == b"d/ CREATE,ISDIR " + NAME + b"\n"  # a line of output is raw, as ever


@pytest.mark.parametrize("tool", ["inotifywait", "inotifywatch"])
def test_an_operand_that_is_not_there_is_shown(inotifywait, room, tool):
    program = inotifywait.parents[1] / tool / tool
    said = OnTerminal([program, b"no" + NAME], room).end()
    assert SHOWN in said and b"\x1b" not in said


def test_a_script_reads_the_bytes(inotifywait, room):
    done = subprocess.run([inotifywait, b"no" + NAME], cwd=room, stdin=subprocess.DEVNULL, capture_output=True)
    assert b"no" + NAME in done.stderr
