# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees that change between any two system calls of the watcher, and in the middle of some: where, is up to a seed alone."""

import os
import subprocess
from pathlib import Path

import pytest

from model_watch import build

# Each of these once met with a fault of its own.
MET_A_FAULT = [4110, 5474, 5480, 6174, 6354, 7012, 7212, 7746, 11694, 15870, 27984, 49476, 64662, 69876, 75444,
               103728, 147888, 169156, 183452, 272492, 1000152, 1142732, 1117322, 2098420, 2113668, 215829, 217881,
               267273, 274635, 294663, 297711, 312423, 547, 921, 941, 1137, 1491, 1943, 2429, 3135, 3563, 4029, 4101,
               4259, 4355, 4395, 5165, 5701, 39715, 26557, 13267]


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
