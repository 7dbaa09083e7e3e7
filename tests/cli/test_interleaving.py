# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees that change between any two system calls of the watcher, and in the middle of some: where, is up to a seed alone."""

import os
import subprocess
from pathlib import Path

import pytest

from model_watch import build

# Each of these once met with a fault of its own.
MET_A_FAULT = [547, 921, 941, 1137, 1491, 1943, 2429, 3135, 3563, 4029, 4101, 4110, 4259, 4355, 4395, 5165, 5474,
               5480, 5701, 6174, 6354, 7012, 7212, 7746, 11694, 13267, 15870, 26557, 27984, 39715, 49476, 64662,
               69876, 75444, 103728, 147888, 169156, 183452, 215829, 217881, 267273, 272492, 274635, 294663, 297711,
               312423, 319659, 363645, 447854, 483645, 522007, 523267, 576571, 757434, 829439, 1000152, 1113703, 1117322,
               1142732, 2098420, 2113668]
# The same where nothing comes from elsewhere.
MET_A_FAULT_INSIDE = [3282, 5185, 8555, 9686, 11177, 11681, 16729, 38603, 50327, 57571, 89645, 91235, 102145, 110165,
                      111058, 254081]


def play(first, count, *options):
    # In memory: quick, and directories are listed in the same order everywhere.
    memory = {"TMPDIR": "/dev/shm"} if os.access("/dev/shm", os.W_OK) else {}
    done = subprocess.run([build() / "tests/interleaving/interleaving", *options, str(first), str(count)], text=True,
                          stdout=subprocess.PIPE, env={**os.environ, **memory})
    assert done.returncode == 0, done.stdout[-8000:]


def test_a_thousand_seeds():
    play(1, 1000)


@pytest.mark.parametrize("seed", MET_A_FAULT)
def test_a_seed_that_met_a_fault(seed):
    play(seed, 1)


def test_what_comes_to_be_inside_is_told():
    """Whatever directories hid it that were just made, and left again."""
    play(1, 1000, "--inside")


@pytest.mark.parametrize("seed", MET_A_FAULT_INSIDE)
def test_a_seed_that_met_a_fault_inside(seed):
    play(seed, 1, "--inside")
