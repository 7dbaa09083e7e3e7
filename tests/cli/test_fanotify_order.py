# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifywait -F and -S: what happened in which order, though the kernel merges deeds into one record."""

import os
import signal
from pathlib import Path

import pytest

from fanotify_support import MODES, NAMES, Watching, home, needs_root, shell  # noqa: F401
from program import wait_until

def said_after(deeds, count, inotifywait, home, mode):
    """The first `count` lines said of what is done in `d` meanwhile."""
    with Watching(inotifywait, *mode, "-e", NAMES, "d", cwd=home) as watching:
        watching.process.send_signal(signal.SIGSTOP)
        os.chdir(home / "d")
        try:
            deeds()
        finally:
            os.chdir("/")
            watching.process.send_signal(signal.SIGCONT)
        lines = wait_until(lambda: watching.lines()[count - 1:] and watching.lines(), lambda: f"{count} lines in {watching.lines()}")
    return [line.removeprefix(f"{home}/d/").replace(",ISDIR", "") for line in lines]


def rename(*pairs):
    for old, new in pairs:
        os.rename(old, new)


BOTH_KINDS = pytest.mark.parametrize("make", [os.mkdir, lambda path: Path(path).touch()], ids=["directory", "file"])


@needs_root
@BOTH_KINDS
@pytest.mark.parametrize("mode", MODES)
def test_renamed_to_and_fro_and_away_again(mode, make, inotifywait, home):
    """Of three renames the kernel tells two, as the third is the first once more; where it stands tells the third."""
    shell("mkdir d", home)
    make(home / "d/a")
    said = said_after(lambda: rename("ab", "ba", "ab"), 6, inotifywait, home, mode)
    assert said == [" MOVED_FROM a", " MOVED_TO b", " MOVED_FROM b", " MOVED_TO a", " MOVED_FROM a", " MOVED_TO b"]


@needs_root
@BOTH_KINDS
@pytest.mark.parametrize("mode", MODES)
def test_renamed_to_and_fro_and_on(mode, make, inotifywait, home):
    shell("mkdir d", home)
    make(home / "d/a")
    said = said_after(lambda: rename("ab", "ba", "ab", "bc"), 8, inotifywait, home, mode)
    assert said == [" MOVED_FROM a", " MOVED_TO b", " MOVED_FROM b", " MOVED_TO a", " MOVED_FROM a", " MOVED_TO b",
                    " MOVED_FROM b", " MOVED_TO c"]


@needs_root
@BOTH_KINDS
@pytest.mark.parametrize("mode", MODES)
def test_renamed_to_and_fro_and_removed(mode, make, inotifywait, home):
    shell("mkdir d", home)
    make(home / "d/a")
    remove = os.rmdir if make is os.mkdir else os.unlink
    said = said_after(lambda: (rename("ab", "ba", "ab"), remove("b")), 7, inotifywait, home, mode)
    assert said == [" MOVED_FROM a", " MOVED_TO b", " MOVED_FROM b", " MOVED_TO a", " MOVED_FROM a", " MOVED_TO b", " DELETE b"]


@needs_root
@pytest.mark.parametrize("mode", MODES)
def test_a_file_made_renamed_to_and_fro_and_removed(mode, inotifywait, home):
    """The removal joins the record of the creation."""
    shell("mkdir d", home)
    said = said_after(lambda: (Path("a").touch(), rename("ab", "ba"), os.unlink("a")), 6, inotifywait, home, mode)
    assert said == [" CREATE a", " MOVED_FROM a", " MOVED_TO b", " MOVED_FROM b", " MOVED_TO a", " DELETE a"]


@needs_root
def test_a_directory_ends_after_what_happened_in_it(inotifywait, home):
    shell("mkdir d", home)

    def deeds():
        os.makedirs("x/y")
        Path("x/y/f").touch()
        os.unlink("x/y/f")
        os.removedirs("x/y")
        Path("g").touch()

    said = said_after(deeds, 7, inotifywait, home, ["-S"])
    assert said == [" CREATE x", "x/ CREATE y", "x/y/ CREATE f", "x/y/ DELETE f", "x/ DELETE y", " DELETE x", " CREATE g"]


@needs_root
@pytest.mark.parametrize("before", [lambda: None, lambda: os.chmod("a", 0o700)], ids=["alone", "after a chmod"])
def test_a_known_directory_that_ends_in_a_new_one_is_told_with_its_contents(before, inotifywait, home):
    """The kernel adds MOVE_SELF to the record of the chmod: it stands ahead of the rename."""
    shell("mkdir -p d/a && touch d/a/f", home)

    def deeds():
        os.mkdir("n")
        before()
        os.rename("a", "n/a")

    said = said_after(deeds, 4, inotifywait, home, ["-F", "-r"])
    assert said == [" CREATE n", " MOVED_FROM a", "n/ CREATE a", "n/a/ CREATE f"]
