# SPDX-License-Identifier: GPL-2.0-or-later
"""Directories of which nothing would be printed, and which are therefore left unwatched."""

import os

import pytest

from program import Program, watch_key

# One at a time, so that the order of the lines is no matter of chance.
PLAY = [b"touch d/kept/f d/build/f d/build/a/f d/kept/build/b/f", b"mkdir d/build/new", b"mkdir d/build/new/below",
        b"mkdir d/kept/new", b"mkdir d/kept/rebuild", b"mkdir d/kept/rebuild/below", b"touch d/build/new/f d/kept/new/f",
        b"touch d/kept/rebuild/below/f", b"mv d/build/a d/kept/a", b"touch d/kept/a/b/f", b"mv d/kept/new d/build/moved",
        b"touch d/build/moved/g", b"rm -r d/kept/build", b"touch d/last"]


def play(inotifywait, room, pattern, name):
    """What is printed, and below which directories of d there are watches: at the start and at the end."""
    home = room / name
    for directory in ("kept", "build/a/b", "kept/build/b"):
        (home / "d" / directory).mkdir(parents=True)
    start = f"exec inotifywait -m -q -r -e create,delete,move {pattern} -o out d"
    program = Program(inotifywait, start.encode(), home, room / f"bin-{name}")
    try:
        said = program.settle()
        assert program.process.poll() is None, said
        before = watched_paths(program, home)
        for command in PLAY:
            program.shell(command)
            program.settle()
        return (home / "out").read_text().splitlines(), before, watched_paths(program, home)
    finally:
        program.close()


def watched_paths(program, home):
    """The watched directories, by their paths; a watch for each, and none beside them."""
    watched = program.watched()
    paths = {os.path.relpath(path, home) for path, _, _ in os.walk(home / "d") if watch_key(path) in watched}
    assert len(watched) == len(paths)
    return paths


@pytest.mark.parametrize("unanchored, anchored", [
    ("--exclude build", "--exclude '(build.*)$'"),
    ("--excludei BUILD/", "--excludei 'BUILD/(.*)$'"),
])
def test_what_an_unanchored_pattern_excludes_is_not_watched(inotifywait, room, unanchored, anchored):
    """Nothing is left unwatched by a pattern with an end anchor: it says what the same lines are."""
    said, before, after = play(inotifywait, room, unanchored, "pruned")
    expected, all_before, all_after = play(inotifywait, room, anchored, "whole")
    assert said == expected and any("last" in line for line in said)
    assert before == {"d", "d/kept"}
    assert all_before == {"d", "d/kept", "d/build", "d/build/a", "d/build/a/b", "d/kept/build", "d/kept/build/b"}
    assert after == {path for path in all_after if "build" not in path}
