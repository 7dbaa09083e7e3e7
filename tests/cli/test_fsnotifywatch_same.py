# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifywatch through fanotify, side by side with Debian's fsnotifywatch: the same rows, the same counts, the same
messages and exit status.

Totals, and with them the order of the rows, are left out: they count records, and how many deeds the kernel puts into one
is chance. Not wanted of the reference are its " (deleted)", and with -S what lies outside of the operands."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

import watch_program
from fanotify_support import mounted, unmount_all
from watch_program import Watch

REFERENCE = Path("/usr/bin/fsnotifywatch")
pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="the reference's fsnotifywatch needs root"),
              pytest.mark.skipif(not REFERENCE.exists(), reason=f"needs {REFERENCE} (apt-get install inotify-tools)"),
              pytest.mark.skipif(not watch_program.OURS.exists(), reason=f"{watch_program.OURS}: build it first")]

TREE = "mkdir -p d/s/t e; echo x >d/f; echo y >g; echo z >d/s/h; ln -s d ln; ln -s g lg; printf 'd\\n@d/s\\n' >list"
STEPS = ["cat d/f", "echo z >>d/f", "chmod 600 d/f", "touch d/new", "mkdir d/sub", "mv d/new d/newer", "touch d/s/k",
         "mv d/s/k d/k", "rm d/newer", "cat g", "echo q >>g", "ln d/f d/hard", "rmdir d/sub", "touch e/o", "mv g d/g", "rm d/f"]
EVENTS = ["modify", "attrib", "close_write", "close_nowrite", "open", "moved_to", "move", "create", "delete", "create,delete",
          "modify,move,attrib"]
OPERANDS = ["d", "-r d", "-S d", "g", "d/f g", "-S -r d e", "d d/", "-r ."]
CASES = [f"-e {events} {operand}" for events in EVENTS for operand in ("d", "-r d", "-S d")]
CASES += [f"-e create,delete,move,attrib,close_write {operand}" for operand in OPERANDS]
CASES += [f"-e create,delete,move {words}" for words in (
    "-a create d", "-d delete -r d", "-a total d", "-I d", "-F -I d", "-I -F d", "-S -F d", "./d", "ln", "-P ln", "lg",
    "--exclude new d", "--include new -r d", "--fromfile list", "-r --fromfile list", "--exclude /s -r d")]
CASES += ["d", "-e move_self -r d", "-e create, d", "-e CREATE,Delete d", "missing", "-r missing", "-S missing", "", "-S", "-e bogus d",
          "-t x d", "-a move -e create d", "-e unmount d", "-S -e unmount d", "-Z d", "-e q_overflow d", "-e ignored d"]
# Of what -S tells of a file or directory alone, the reference does not know where that is.
ALONE = {"attrib", "move_self", "delete_self"}


def play(binary, words, room):
    """What is said, how it ended, and the rows: (path, {event: count})."""
    room.mkdir()
    link = room / "fsnotifywatch"
    link.symlink_to(binary)
    home = mounted("tmpfs", room)  # nobody else is at work there
    subprocess.run(["/bin/sh", "-ec", TREE], cwd=home, check=True)
    with Watch(link, shlex.split(words), home) as watch:
        watch.start_up()
        for step in STEPS:
            if not watch.ended():
                watch.step(step)
        watch.end()
        said = watch.err.decode().replace(str(link), "fsnotifywatch").replace("Failed to decode directory fid.\n", "")
        # The reference's -S counts the whole filesystem.
        below = tuple(f"~/{word}/" for word in words.split() if word in ("d", "e")) if "-S" in words else ("~/",)
        return said, watch.process.returncode, rows(watch.out.decode().replace(str(home), "~"), below)


def rows(table, below):
    titles, *lines = [line.split(None, 30) for line in table.splitlines()] or [[]]
    found = []
    for line in lines:
        *numbers, path = line[:len(titles) - 1] + [" ".join(line[len(titles) - 1:])]
        path = path.removesuffix(" (deleted)")
        if path[:1] in "~/" and not path.startswith(below):
            continue
        counts = {event: int(number) for event, number in zip(titles[1:], numbers[1:])
                  if int(number) and not (event in ALONE and len(below[0]) > 2)}
        if counts:
            found.append((path, counts))
    return sorted(found, key=lambda row: row[0])


@pytest.mark.parametrize("words", CASES)
def test_same(words, room):
    try:
        theirs = play(REFERENCE, words, room / "theirs")
        if any(reason in theirs[0] for reason in ("No such device", "not supported", "not implemented", "not permitted")):
            pytest.skip(f"a tmpfs cannot be watched so here: {theirs[0]}")
        ours = play(watch_program.OURS, words, room / "ours")
    finally:
        unmount_all(room)
    assert ours == theirs
