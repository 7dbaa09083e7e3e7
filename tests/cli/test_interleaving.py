# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees that change between any two system calls of the watcher: where, is up to a seed alone."""

import os
import subprocess
from pathlib import Path

import pytest

from model_watch import build

# Each of these once met with a fault of its own.
MET_A_FAULT = [4031, 4110, 5474, 5480, 5531, 6105, 6174, 6354, 7012, 7212, 7746, 8083, 9093, 11694, 12315, 12317, 12995, 15870,
               19147, 24715, 27891, 27984, 38603, 42139, 49476, 57217, 64662, 69876, 75444, 98705,
               103728, 121553, 147888, 169156, 183452, 272492, 695083, 1000152, 1099311, 1105429, 1142732,
               1035311, 1117322, 2098420, 2113668]


def play(first, count):
    # In memory: quick, and directories are listed in the same order everywhere.
    memory = {"TMPDIR": "/dev/shm"} if os.access("/dev/shm", os.W_OK) else {}
    done = subprocess.run([build() / "tests/interleaving/interleaving", str(first), str(count)], text=True,
                          stdout=subprocess.PIPE, env={**os.environ, **memory})
    assert done.returncode == 0, done.stdout[-8000:]


def test_a_thousand_seeds():
    play(1, 1000)


@pytest.mark.parametrize("seed", MET_A_FAULT)
def test_a_seed_that_met_a_fault(seed):
    play(seed, 1)
