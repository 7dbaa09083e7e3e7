# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifywait -S where no descriptor is left to climb from a directory to those above it."""

import subprocess
from pathlib import Path

import pytest

from fanotify_support import Watching, mounted, needs_root, preloaded, shell, unmount_all

pytestmark = [needs_root, pytest.mark.plain_build]  # a sanitizer is to be loaded first


@pytest.fixture
def place(room):
    """Below the top of a filesystem on which nobody else is at work; `d/none` in it takes the way up away."""
    path = Path(mounted("tmpfs", room)) / "place"
    path.mkdir()
    yield path
    unmount_all(room)


def no_way_up(place):
    return preloaded("no_way_up") | {"NO_WAY_UP": str(place / "d/none")}


def test_a_directory_that_could_not_be_found_once_is_found_later(inotifywait, place):
    shell("mkdir -p d/known d/a/b", place)
    with Watching(inotifywait, "-S", "-e", "create", "d", cwd=place, environment=no_way_up(place)) as watching:
        shell("touch d/known/f", place)
        watching.lines_until(" f")
        shell("touch d/none d/a/b/lost d/known/g", place)
        watching.lines_until(" g")
        watching.wait_said("1 events were lost: where they happened cannot be told any more")
        shell("rm d/none; touch d/a/b/found", place)
        assert watching.lines_until(" found")[-1] == f"{place}/d/a/b/ CREATE found"
        shell("mv d/a d/c; touch d/c/b/moved", place)
        assert watching.lines_until(" moved")[-1] == f"{place}/d/c/b/ CREATE moved"


def test_a_directory_is_not_taken_for_a_whole_filesystem(inotifywait, place):
    shell("mkdir d; touch d/none", place)
    done = subprocess.run([inotifywait, "-q", "-S", "-e", "create", "-t", "1", "d"], cwd=place, capture_output=True,
                          text=True, env=no_way_up(place))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Couldn't add filesystem watch d: Too many open files\n"
