# SPDX-License-Identifier: GPL-2.0-or-later
"""A large tree, which two threads walk, while its directories are moved about."""

import os
import subprocess
import sys

import pytest

import model_operations as operations
from model_watch import Plan, Watching, check_probes, check_watches, directories_of
from program import wait_until

LEVELS = 11
# At some pace: a rename every fraction of a millisecond is far more than a tree sees, and enough to be met everywhere.
MOVER = """
import os, random, sys, time
random.seed(int(sys.argv[1]))
places = [os.fsencode(line.rstrip("\\n")) for line in sys.stdin]
sys.stdout.write("begun\\n")
sys.stdout.flush()
for number in range(10**9):
    time.sleep(0.0005)  # the pace; nothing is waited for
    at, to = random.choice(places), random.choice(places)
    try:
        os.rename(at, to + b"/moved%d" % number)
    except OSError:  # gone from there, or to go into itself
        pass
"""


@pytest.mark.parametrize("seed", range(4))
def test_directories_are_moved_while_the_tree_is_walked(inotifywait, room, monkeypatch, seed):
    monkeypatch.chdir(room)
    for number in range(2**LEVELS):
        os.makedirs(os.path.join(os.fsdecode(operations.INSIDE), *f"{number:0{LEVELS}b}"))
    places = sorted(os.fsdecode(path) for path in directories_of(operations.INSIDE).values())[1:]
    with subprocess.Popen([sys.executable, "-c", MOVER, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as mover:
        mover.stdin.write("\n".join(places))
        mover.stdin.close()
        assert mover.stdout.readline() == "begun\n"
        watching = Watching(inotifywait, room, Plan(events="create,delete,move"))
        try:
            wait_until(lambda: watching.has_said(b"Watches established"), "the watches")
            mover.kill()
            mover.wait()
            watching.settle()
            assert check_watches(watching, operations.INSIDE) == []
            assert check_probes(watching, operations.INSIDE, 0) == []
        finally:
            watching.close()
            mover.kill()
