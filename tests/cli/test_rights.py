# SPDX-License-Identifier: GPL-2.0-or-later
"""Directories that may not be watched or looked into, until somebody gives the watcher the right to."""

import os
import signal

import pytest
from program import Program, stop


@pytest.fixture
def started(for_everybody, inotifywait, room):
    """Starts an ordinary user's inotifywait on `d`, in a directory made for it."""
    programs = []

    def start(events, *directories):
        home = room / "home"
        home.mkdir()
        (home / "d").mkdir()
        for name, mode in directories:
            (home / "d" / name).mkdir(parents=True)
            (home / "d" / name.partition("/")[0]).chmod(mode)
        command = f"exec unprivileged inotifywait -m -q -r -e {events} --format '%w%f %e' d"
        programs.append(Program(for_everybody(inotifywait), command.encode(), home, room / "bin"))
        assert programs[0].settle().err == b""
        return programs[0], home / "d"

    yield start
    for program in programs:
        program.close()


def made(said):
    return sorted(line.split()[0] for line in said.out.decode().splitlines() if " CREATE" in line)


def refused(said):
    return [line.split()[4] for line in said.err.decode().splitlines() if line.endswith(": Permission denied")]


@pytest.mark.parametrize("events", ["create", "create,attrib", "create,open"])
@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_directory_born_without_rights_is_watched_when_it_has_them(started, events, mode):
    program, d = started(events)
    os.mkdir(d / "n", mode)
    said = program.settle()
    assert made(said) == ["d/n"] and refused(said) == (["d/n/:"] if mode == 0 else [])
    os.utime(d / "n")
    assert refused(program.settle()) == []  # that has been said
    (d / "n").chmod(0o755)
    (d / "n/s").mkdir()
    (d / "n/s/t").mkdir()
    assert made(program.settle()) == ["d/n/s", "d/n/s/t"]
    (d / "n/f").touch()
    (d / "n/s/t/f").touch()
    said = program.settle()
    assert made(said) == ["d/n/f", "d/n/s/t/f"] and said.err == b""


def test_what_came_with_directories_in_it_and_may_not_be_searched_is_said(started):
    program, d = started("create,move")
    (d.parent / "n/s").mkdir(parents=True)
    (d.parent / "n").chmod(0o444)
    os.rename(d.parent / "n", d / "n")
    assert refused(program.settle()) == ["d/n/s/:"]
    (d / "n").chmod(0o755)
    program.settle()
    (d / "n/s/f").touch()
    assert made(program.settle()) == ["d/n/s/f"]


@pytest.mark.parametrize("events", ["create", "create,attrib"])
def test_what_had_no_rights_at_the_start_is_watched_when_it_has_them(started, events):
    program, d = started(events, ("none/s", 0o000), ("shut/s", 0o444))
    for name in ("none", "shut"):
        (d / name).chmod(0o755)
    said = program.settle()
    assert made(said) == [] and said.err == b""  # what was there before is no news
    for name in ("none/f", "none/s/f", "shut/s/f"):
        (d / name).touch()
    assert made(program.settle()) == ["d/none/f", "d/none/s/f", "d/shut/s/f"]


def made_out_of_reach(program, d):
    """A directory in `d/a/b`, while nobody may pass `d/a`."""
    b = os.open(d / "a/b", os.O_RDONLY)
    (d / "a").chmod(0o000)
    os.mkdir("x", dir_fd=b)
    said = program.settle()
    assert made(said) == ["d/a/b/x"] and refused(said) == ["d/a/b/x/:"]
    os.utime(b)
    os.close(b)
    assert program.settle().err == b""


@pytest.mark.parametrize("events", ["create", "create,attrib", "create,open"])
def test_what_is_made_below_one_without_rights_is_watched_when_it_has_them(started, events):
    program, d = started(events, ("a/b", 0o755))
    for _ in range(2):  # also when it happens once more
        made_out_of_reach(program, d)
        (d / "a").chmod(0o755)
        program.settle()
        (d / "a/b/x/f").touch()
        assert made(program.settle()) == ["d/a/b/x/f"]
        (d / "a/b/x/f").unlink()
        (d / "a/b/x").rmdir()
        program.settle()


def test_what_was_renamed_as_soon_as_it_had_rights_is_found(started):
    program, d = started("create,move", ("a/b", 0o755))
    made_out_of_reach(program, d)
    stop(program.process)
    (d / "a").chmod(0o755)
    os.rename(d / "a/b", d / "a/c")
    program.signal(signal.SIGCONT)
    program.settle()
    (d / "a/c/x/f").touch()
    assert made(program.settle()) == ["d/a/c/x/f"]


def test_what_is_moved_out_of_one_without_rights_is_found(started):
    program, d = started("create,move", ("a/b", 0o755))
    made_out_of_reach(program, d)
    (d / "a").chmod(0o700)
    if os.geteuid() != 0:
        pytest.skip("whoever may move it may look into it")
    os.rename(d / "a/b", d / "b")
    program.settle()
    (d / "b/x/f").touch()
    assert made(program.settle()) == ["d/b/x/f"]


def test_an_operand_that_comes_back_brings_one_without_rights(started):
    program, d = started("create,move", ("a", 0o755))
    os.rename(d, d.parent / "elsewhere")
    (d.parent / "elsewhere/a/x").mkdir()
    program.settle()
    (d.parent / "elsewhere/a").chmod(0o000)
    os.rename(d.parent / "elsewhere", d)
    (d / "back").touch()
    assert refused(program.settle()) == ["d/a/:"]
    (d / "a").chmod(0o755)
    program.settle()
    (d / "a/x/f").touch()
    assert made(program.settle()) == ["d/a/x/f"]


@pytest.mark.parametrize("above", ["d", "."])
def test_what_is_made_while_the_way_to_the_operand_is_closed_is_watched_at_the_next_event(started, above):
    program, d = started("create", ("a", 0o755))
    a = os.open(d / "a", os.O_RDONLY)
    closed = os.open(d.parent / above, os.O_RDONLY)
    os.fchmod(closed, 0o000)
    os.mkdir("x", dir_fd=a)
    assert refused(program.settle()) == ["d/a/x/:"]
    os.fchmod(closed, 0o755)
    (d / "wake").touch()
    program.settle()
    (d / "a/x/f").touch()
    assert made(program.settle()) == ["d/a/x/f"]


@pytest.mark.parametrize("events", ["create", "create,attrib"])
@pytest.mark.parametrize("upper", [0o000, 0o111, 0o444])
@pytest.mark.parametrize("order", [("a", "a/b"), ("a/b", "a")])
def test_of_two_without_rights_either_may_have_them_first(started, events, upper, order):
    program, d = started(events, ("a/b/c", 0o755))
    c = os.open(d / "a/b/c", os.O_RDONLY)
    b = os.open(d / "a/b", os.O_RDONLY)
    os.fchmod(b, 0o000)
    (d / "a").chmod(upper)
    os.mkdir("x", dir_fd=c)
    program.settle()
    for name in order:
        os.fchmod(b, 0o755) if name == "a/b" else (d / "a").chmod(0o755)
        program.settle()
    (d / "a/b/c/x/f").touch()
    assert made(program.settle()) == ["d/a/b/c/x/f"]
    os.close(b)
    os.close(c)


def test_in_one_that_is_let_in_there_may_be_another_that_is_not(started):
    program, d = started("create")
    os.mkdir(d.parent / "n", 0o755)
    os.mkdir(d.parent / "n/m", 0o755)
    os.mkdir(d.parent / "n/m/s")
    (d.parent / "n/m").chmod(0o444)
    (d.parent / "n").chmod(0o000)
    os.rename(d.parent / "n", d / "n")
    assert refused(program.settle()) == ["d/n/:"]
    (d / "n").chmod(0o755)
    assert refused(program.settle()) == ["d/n/m/s/:"]
    (d / "n/m").chmod(0o755)
    program.settle()
    (d / "n/m/f").touch()
    (d / "n/m/s/f").touch()
    assert made(program.settle()) == ["d/n/m/f", "d/n/m/s/f"]
