# SPDX-License-Identifier: GPL-2.0-or-later
"""A directory whose listing fails, as on a broken disk: one line says so, and all else is watched."""

import pytest

from broken_disk import broken_disk
from program import Program


@pytest.mark.parametrize("options, times", [("", 1), ("-q", 1), ("-qq", 0)])
def test_it_is_said_and_the_rest_is_watched(inotifywait, room, options, times):
    home = room / "home"
    for name in ("d/a", "d/broken", "d/z/s"):
        (home / name).mkdir(parents=True)
    with broken_disk(home / "d/broken"):
        program = Program(inotifywait, f"exec inotifywait -m -r {options} -e create -o out d".encode(), home, room / "bin")
        try:
            said = program.settle()
            for name in ("d", "d/a", "d/z/s"):
                (home / name / "file").touch()
            program.settle()
            lines = (home / "out").read_text().splitlines()
        finally:
            program.close()
    complaints = [line for line in said.err.decode().splitlines() if "broken" in line]
    assert complaints == ["Couldn't watch all of d/broken/: Input/output error"] * times
    assert lines == ([] if options == "-qq" else ["d/ CREATE file", "d/a/ CREATE file", "d/z/s/ CREATE file"])
