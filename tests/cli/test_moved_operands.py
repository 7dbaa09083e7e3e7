# SPDX-License-Identifier: GPL-2.0-or-later
"""What is watched goes away for a while, itself or with the directory it stands in, and comes back."""

import os

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
