# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees that grow, shrink and move faster than anybody can watch: every entry once, no directory unwatched."""

import os
import random
from collections import Counter

import pytest

from program import Program, watch_key


def start(inotifywait, room, options):
    home = room / "home"
    (home / "d").mkdir(parents=True, exist_ok=True)
    program = Program(inotifywait, f"exec inotifywait -m -q -r {options} -o out d".encode(), home, room / "bin")
    program.settle()
    return program, home


def lines(home):
    return (home / "out").read_text().splitlines()


def directories(top):
    """{(inode, device as the kernel writes it)} of a tree."""
    return {watch_key(path) for path, _, _ in os.walk(top)}


def expected_of_branches(count):
    """The lines for `mkdir -p N/b/c/d && touch N/b/c/d/f` in d, for N below count."""
    expected = []
    for n in range(count):
        expected += [f"d/ CREATE,ISDIR {n}", f"d/{n}/ CREATE,ISDIR b", f"d/{n}/b/ CREATE,ISDIR c",
                     f"d/{n}/b/c/ CREATE,ISDIR d", f"d/{n}/b/c/d/ CREATE f"]
    return expected


def check_branches(program, home, count):
    program.settle()
    said = Counter(lines(home))
    expected = expected_of_branches(count)
    missing = [line for line in expected if said[line] == 0]
    twice = [line for line in expected if said[line] > 1]
    strange = set(said) - set(expected)
    assert (len(missing), len(twice), strange) == (0, 0, set()), f"missing {missing[:5]}, twice {twice[:5]}"
    assert program.watched() == directories(home / "d")
    order = {line: position for position, line in enumerate(lines(home))}
    for branch in range(0, len(expected), 5):
        positions = [order[line] for line in expected[branch:branch + 5]]
        assert positions == sorted(positions), f"a child before its parent: {expected[branch:branch + 5]}"


def test_every_entry_of_2000_trees_once(inotifywait, room):
    program, home = start(inotifywait, room, "-e create")
    try:
        for n in range(2000):
            os.makedirs(home / f"d/{n}/b/c/d")
            (home / f"d/{n}/b/c/d/f").touch()
        check_branches(program, home, 2000)
    finally:
        program.close()


def test_the_same_by_a_shell_loop(inotifywait, room):
    program, home = start(inotifywait, room, "-e create")
    try:
        program.shell(b"for n in {0..199}; do mkdir -p d/$n/b/c/d && touch d/$n/b/c/d/f; done")
        check_branches(program, home, 200)
    finally:
        program.close()


def test_without_recovery_every_directory_is_watched_all_the_same(inotifywait, room):
    program, home = start(inotifywait, room, "--no-recover -e create")
    try:
        program.shell(b"for n in {0..99}; do mkdir -p d/$n/b/c/d && touch d/$n/b/c/d/f; done")
        program.settle()
        said = Counter(lines(home))
        assert max(said.values()) == 1
        assert set(said) <= set(expected_of_branches(100))
        assert [f"d/ CREATE,ISDIR {n}" for n in range(100)] == [line for line in lines(home) if line.startswith("d/ ")]
        assert program.watched() == directories(home / "d")
    finally:
        program.close()


def test_a_copied_tree(inotifywait, room):
    program, home = start(inotifywait, room, "-e create")
    try:
        for n in range(300):
            (home / f"from/{n % 7}/{n % 11}/{n}").mkdir(parents=True)
            (home / f"from/{n % 7}/{n % 11}/{n}/file").write_text("text")
        program.shell(b"cp -r from d/to")
        program.settle()
        made = ["d/ CREATE,ISDIR to"]
        for path, names, files in os.walk(home / "d/to"):
            shown = os.path.relpath(path, home)
            made += [f"{shown}/ CREATE,ISDIR {name}" for name in names] + [f"{shown}/ CREATE {name}" for name in files]
        assert Counter(lines(home)) == Counter(made)
        assert program.watched() == directories(home / "d")
    finally:
        program.close()


def test_a_directory_with_5000_watched_below_is_renamed(inotifywait, room):
    for n in range(5000):
        (room / f"home/d/a/{n % 50}/{n}").mkdir(parents=True)
    program, home = start(inotifywait, room, "-e create,move")
    try:
        os.rename(home / "d/a", home / "d/b")
        program.settle()
        assert lines(home) == ["d/ MOVED_FROM,ISDIR a", "d/ MOVED_TO,ISDIR b"]
        for n in range(0, 5000, 7):
            (home / f"d/b/{n % 50}/{n}/f").touch()
        program.settle()
        assert lines(home)[2:] == [f"d/b/{n % 50}/{n}/ CREATE f" for n in range(0, 5000, 7)]
    finally:
        program.close()


def test_a_tree_moved_out_is_unwatched(inotifywait, room):
    for n in range(200):
        (room / f"home/d/a/{n}/s").mkdir(parents=True)
    program, home = start(inotifywait, room, "-e create,move")
    try:
        os.rename(home / "d/a", home / "elsewhere")
        program.settle()
        assert program.watched() == directories(home / "d")
        (home / "elsewhere/7/s/f").touch()
        program.settle()
        assert lines(home) == ["d/ MOVED_FROM,ISDIR a"]
    finally:
        program.close()


def test_watches_of_deleted_directories_are_forgotten(inotifywait, room):
    program, home = start(inotifywait, room, "-e create")
    try:
        for round_ in range(20):
            program.shell(b"mkdir -p d/a/b/c d/x/y; touch d/a/b/c/f; rm -r d/a d/x")
        program.shell(b"mkdir -p d/a/b; touch d/a/b/f")
        program.settle()
        assert program.watched() == directories(home / "d")
        assert lines(home)[-1] == "d/a/b/ CREATE f"
    finally:
        program.close()


def change_at_random(home, dice):
    """One change to the tree home/d; `outside` serves as the place to move things to and from."""
    inside = [path for path, _, _ in os.walk(home / "d")]
    name = f"{dice.choice(inside)}/{dice.choice('abcdef')}"
    what = dice.randrange(6)
    try:
        if what <= 1:
            os.makedirs(f"{name}/{dice.choice('uvw')}/{dice.choice('xyz')}")
        elif what == 2:
            os.rename(dice.choice(inside[1:]), name)
        elif what == 3:
            os.rename(dice.choice(inside[1:]), home / f"outside/{dice.randrange(1000)}")
        elif what == 4:
            os.rename(dice.choice(sorted((home / "outside").iterdir())), name)
        else:
            os.rmdir(dice.choice(inside[1:]))
    except (OSError, IndexError):
        pass  # it cannot be done, or there is nothing to do it to


@pytest.mark.parametrize("seed", range(8))
def test_after_any_changes_the_tree_is_watched_under_its_names(inotifywait, room, seed):
    (room / "home/outside").mkdir(parents=True)
    program, home = start(inotifywait, room, "-e create,move")
    dice = random.Random(seed)
    try:
        for _ in range(40):
            for _ in range(dice.randrange(1, 30)):
                change_at_random(home, dice)
            program.settle()
        assert program.watched() == directories(home / "d")
        paths = sorted(path for path, _, _ in os.walk(home / "d"))
        said_before = len(lines(home))
        for number, path in enumerate(paths):
            open(f"{path}/probe{number}", "w").close()
        program.settle()
        expected = [f"{os.path.relpath(path, home)}/ CREATE probe{number}" for number, path in enumerate(paths)]
        assert lines(home)[said_before:] == expected
    finally:
        program.close()
