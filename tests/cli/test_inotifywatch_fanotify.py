# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifywatch through fanotify: a row for each path that something happened to, or with --by directory for each directory."""

import json
import os
import subprocess

import pytest

from program import wait_until
from watch_program import COLLECTING, OURS, Watch

pytestmark = pytest.mark.skipif(not OURS.exists(), reason=f"{OURS}: build it first, or say in NOTIFY_BUILD where it is")
TREE = "mkdir -p a/b; touch a/f a/b/g g"


@pytest.fixture(autouse=True)
def allowed(request, room, fanotify_refusal):
    """Skips what the kernel refuses."""
    whole = "option" in request.fixturenames and request.getfixturevalue("option") == "-S"
    if why_not := fanotify_refusal(room, filesystem=whole):
        pytest.skip(why_not)


def play(arguments, room, steps, expected, rows_are="path", program=OURS):
    """Plays the steps and asks for the counts until they are as expected: {path: {event: number}}."""
    home = room / "home"
    home.mkdir(parents=True)
    subprocess.run(["/bin/sh", "-ec", TREE], cwd=home, check=True)
    with Watch(program, ["--json", *arguments], home) as watch:
        watch.wait_for(COLLECTING)
        assert not watch.ended(), watch.err
        # What is made and removed before its directory is watched, nobody can report. A whole filesystem is, and never rests.
        for line in steps:
            watch.shell(line) if "-S" in arguments else watch.step(line)

        def counts():
            before = watch.out.count(b"\n")
            watch.signal("USR1")
            wait_until(lambda: watch.out.count(b"\n") > before, "an answer to SIGUSR1")
            rows = json.loads(watch.out.splitlines()[-1])["rows"]
            # With -S, what is shown of the outside depends on who else is at work.
            return {row[rows_are]: {name: row[name] for name in expected[row[rows_are]]} for row in rows if row[rows_are] in expected}

        wait_until(lambda: counts() == expected, lambda: f"{expected} in {watch.out!r}")
        watch.end()
        return watch.err


def absolute(room, counts):
    return {f"{os.path.realpath(room / 'home')}/{path}": events for path, events in counts.items()}


@pytest.mark.parametrize("option", ["-F", "-S"])
def test_trees(option, room):
    steps = ("touch a/n", "chmod 600 a/b/g", "mkdir a/c", "touch a/c/n", "mv a/b a/B", "touch a/B/n")
    expected = {"a/n": {"create": 1, "attrib": 1}, "a/b/g": {"attrib": 1}, "a/c": {"create": 1}, "a/b": {"moved_from": 1},
                "a/B": {"moved_to": 1}, "a/B/n": {"create": 1, "attrib": 1}}
    play([option, "-r", "-e", "create,move,attrib", "a"], room, steps, absolute(room, expected))


@pytest.mark.parametrize("option", ["-F", "-S"])
def test_trees_by_directory(option, room):
    steps = ("touch a/n", "chmod 600 a/b/g", "mkdir a/c", "touch a/c/n", "mv a/b a/B", "touch a/B/n")
    expected = {"a/": {"create": 2, "moved_from": 1, "moved_to": 1}, "a/B/": {"attrib": 2, "create": 1}, "a/c/": {"create": 1}}
    play([option, "-r", "--by", "directory", "-e", "create,move,attrib", "a"], room, steps, absolute(room, expected), "directory")


@pytest.mark.parametrize("option", ["-F", "-S"])
def test_rows_of_what_is_deleted_stay(option, room):
    steps = ("mkdir a/c", "touch a/c/n", "rm a/c/n", "rmdir a/c", "touch a/n")
    expected = {"a/c": {"create": 1, "delete": 1}, "a/c/n": {"create": 1, "delete": 1}, "a/n": {"create": 1}}
    play([option, "-r", "-e", "create,delete", "a"], room, steps, absolute(room, expected))


def test_by_another_name(room):
    room.joinpath("fsnotifywatch").symlink_to(OURS)
    play(["-e", "create", "a"], room, ("touch a/n",), absolute(room, {"a/n": {"create": 1}}), program=room / "fsnotifywatch")


def test_a_file_alone(room):
    """As fanotify has it, the file is an entry of its directory."""
    play(["-F", "-e", "attrib", "g"], room, ("chmod 600 g",), absolute(room, {"g": {"attrib": 1}}))
