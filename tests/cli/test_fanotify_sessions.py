# SPDX-License-Identifier: GPL-2.0-or-later
"""fsnotifywait, ours beside the reference: the same steps in twin directories, and after each of them the same events
said of the same paths. Which of them share a line is chance (the kernel merges what is not read at once), and the
reference's debugging lines and its " (deleted)" are not wanted."""

import os
import re
from pathlib import Path

import pytest

from fanotify_support import told
from program import Program

REFERENCE = Path("/usr/bin/fsnotifywait")

BEFORE = ("mkdir -p d/s/t; echo x >d/f; echo y >g; ln -s d ln; ln -s g lg; ln -s nowhere dangling;"
          "mkdir 'sp ace'; touch 'sp ace/a b'; chmod 755 d")
STEPS = [
    "cat d/f", "echo z >>d/f", "chmod 600 d/f", "ls d", "ls d/s", "touch d/new", "mkdir d/sub", "touch d/sub/y",
    "mv d/new d/newer", "mv d/newer outside", "mv outside d/back", "mv d/sub d/s/", "touch d/s/sub/k", "rm d/back",
    "ln d/f d/hard", "ln -s f d/soft", "cat d/soft", "rm d/soft", "truncate -s 0 d/f", "touch -d yesterday d/f",
    "cat g", "echo 1 >>g", "touch 'sp ace/c d'", "mkfifo d/p", "mv d/f d/hard2", "echo q >d/hard2"]
EVENTS = ["access", "modify", "attrib", "close_write", "close_nowrite", "close", "open", "moved_to", "moved_from",
          "move", "move_self", "create", "delete", "all_events", "unmount", "create,delete", "modify,move,attrib"]
OPERANDS = ["d", "d/", "-r -F d", "g", "d g", "ln"]
# Merely in these do ours and the reference's differ: a directory that was renamed below a watched one is said to have
# moved by its old name there.
OLD_NAMES = {"-m -e move_self -r -F d", "-m -e all_events -r -F d", "-m -r d", "-m -r ."}
COMMANDS = [f"-m -e {event} {operand}" for event in EVENTS for operand in OPERANDS] + [
    "-m d", "-m -P ln", "-m lg", "-m dangling", "-m missing", "-m 'sp ace'", "-m ./d", "-m .", "-m d d", "-m d ln", "-q -m d",
    "-qq -m d", "-e create d", "-m --exclude f d", "-m --include f d", "-m @d d", "-I -m d",
    "-F -I -m -e create d", "-m -e bogus d", "-t x d", "-m", "-r -m -e create,delete,move d", "-e delete -r d",
    "-m -r -e modify,create 'sp ace'", "-e moved_to -r d", "-m -e create -r d/s", "-m --excludei F d",
    "-m -e isdir d", "-m -e isdir,create d", "-m -e attrib d/f", "-m -e attrib,modify,delete_self d/f", "-m d/f"]


def play(binary, command, room):
    """What is said, step by step, and how it ended."""
    home, links = room / "home", room / "bin"
    home.mkdir(parents=True)
    links.mkdir()
    (links / "fsnotifywait").symlink_to(binary)
    before = Program(Path("/bin/true"), BEFORE.encode(), home, room / "none")
    before.wait_end()
    before.close()
    program = Program(binary, f"exec fsnotifywait {command}".encode(), home, links)
    try:
        transcript = [("start", program.settle())]
        for step in STEPS:
            if transcript[-1][1].status is not None:
                break
            program.shell(f"{{ {step}; }} 2>/dev/null".encode())
            transcript.append((step, program.settle()))
    finally:
        program.close()
    return [(step, *readable(said, home)) for step, said in transcript]


def readable(said, home):
    lines = [line.replace(" (deleted)", "") for line in said.out.decode().replace(str(home), "~").splitlines()
             if not line.startswith("[fid=")]
    errors = re.sub(r"Watching new directory .*\n|Error removing watch on .*\n", "", said.err.decode())
    return told(lines), errors, said.status


@pytest.mark.skipif(os.geteuid() != 0, reason="the reference's fsnotifywait needs root")
@pytest.mark.parametrize("command", COMMANDS)
def test_same_as_reference(command, inotifywait, reference, room):
    if not REFERENCE.exists():
        pytest.skip(f"needs {REFERENCE}")
    theirs = play(REFERENCE, command, room / "theirs")
    ours = play(inotifywait, command, room / "ours")
    if command in OLD_NAMES:
        theirs, ours = ([(step, {one for one in events if one[1] != "MOVE_SELF"}, *rest) for step, events, *rest in each]
                        for each in (theirs, ours))
    assert ours == theirs
