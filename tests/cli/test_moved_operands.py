# SPDX-License-Identifier: GPL-2.0-or-later
"""What is watched goes away for a while, itself or with the directory it stands in, and comes back."""

import os
import time

import pytest
from program import Program


@pytest.mark.parametrize("goes", ["above", "above/d"])
def test_what_is_made_while_it_is_away_is_watched_when_it_is_back(inotifywait, room, goes):
    home = room / "home"
    (home / "above/d/old").mkdir(parents=True)
    command = b"exec inotifywait -m -q -r -e create,move_self -o out above/d"
    program = Program(inotifywait, command, home, room / "bin")
    try:
        program.settle()
        os.rename(home / goes, home / "elsewhere")
        away = home / "elsewhere" / os.path.relpath("above/d", goes)
        (away / "new").mkdir()
        (away / "old/new/deep").mkdir(parents=True)
        program.settle()
        os.rename(home / "elsewhere", home / goes)
        (home / "above/d/back").touch()  # nobody tells of the return of what is above
        program.settle()
        (home / "above/d/new/file").touch()
        (home / "above/d/old/new/deep/file").touch()
        program.settle()
        said = [line for line in (home / "out").read_text().splitlines() if "MOVE_SELF" not in line]
        assert sorted(said) == sorted([
            "above/d/ CREATE,ISDIR new", "above/d/old/ CREATE,ISDIR new", "above/d/old/new/ CREATE,ISDIR deep",
            "above/d/ CREATE back", "above/d/new/ CREATE file", "above/d/old/new/deep/ CREATE file"])
    finally:
        program.close()


def test_what_is_away_again_at_once_is_still_waited_for(inotifywait, room):
    """Whether it is looked for before that or after, or both."""
    home = room / "home"
    (home / "d/a/b").mkdir(parents=True)
    program = Program(inotifywait, b"exec inotifywait -m -q -r -e create -o out d", home, room / "bin")
    try:
        program.settle()
        os.rename(home / "d", home / "away")
        (home / "away/a/b/x").mkdir()
        program.settle()
        for turn in range(40):
            os.rename(home / "away", home / "d")
            (home / f"d/{turn}").touch()
            there_until = time.perf_counter() + turn * 0.0001
            while time.perf_counter() < there_until:
                pass
            os.rename(home / "d", home / "away")
            program.settle()
        os.rename(home / "away", home / "d")
        (home / "d/back").touch()
        program.settle()
        (home / "d/a/b/x/file").touch()
        program.settle()
        assert (home / "out").read_text().endswith("d/ CREATE back\nd/a/b/x/ CREATE file\n")
    finally:
        program.close()


@pytest.mark.plain_build  # a sanitizer needs descriptors of its own
@pytest.mark.parametrize("where", ["", "a/"])
def test_where_descriptors_run_out_when_it_is_back_that_is_said(inotifywait, room, where):
    home = room / "home"
    (home / "d/a").mkdir(parents=True)
    program = Program(inotifywait, b"ulimit -n 5; exec inotifywait -m -q -r -e create d >out", home, room / "bin",
                      finite=True)  # what could not be opened is tried again now and then
    try:
        program.settle()
        os.rename(home / "d", home / "away")
        (home / f"away/{where}x").mkdir()
        program.settle()
        os.rename(home / "away", home / "d")
        (home / "d/back").touch()
        assert program.settle().err == f"Couldn't watch new directory d/{where}: Too many open files\n".encode()
    finally:
        program.close()
