# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifywait -F and -S: where events are said to happen, on the filesystems people have."""

import subprocess

import pytest

from fanotify_support import MODES, NAMES, Watching, home, needs_root, shell, told, top  # noqa: F401
from program import wait_until


@pytest.mark.parametrize("mode", MODES)
def test_a_day_in_a_tree(mode, inotifywait, home):
    shell("mkdir -p d/s", home)
    with Watching(inotifywait, *mode, "-e", NAMES, "d", cwd=home) as watching:
        shell("touch d/f; mkdir d/n; touch d/s/g; mv d/s d/t; touch d/t/h; mv d/t d/n/u; touch d/n/u/i; rm d/f;"
              "mv d/n/u out; touch out/silent; touch out/again; touch d/end", home)
        lines = watching.lines_until("CREATE end")
    assert lines == [
        f"{home}/d/ CREATE f", f"{home}/d/ CREATE,ISDIR n", f"{home}/d/s/ CREATE g",
        f"{home}/d/ MOVED_FROM,ISDIR s", f"{home}/d/ MOVED_TO,ISDIR t", f"{home}/d/t/ CREATE h",
        f"{home}/d/ MOVED_FROM,ISDIR t", f"{home}/d/n/ MOVED_TO,ISDIR u", f"{home}/d/n/u/ CREATE i",
        f"{home}/d/ DELETE f", f"{home}/d/n/ MOVED_FROM,ISDIR u", f"{home}/d/ CREATE end"]


@pytest.mark.parametrize("mode", MODES)
def test_every_filesystem(mode, inotifywait, top):
    shell("mkdir -p d/s", top)
    try:
        watching = Watching(inotifywait, *mode, "-e", NAMES, "d", cwd=top)
    except AssertionError as error:
        assert "no file handles" in str(error), error
        return pytest.skip(f"this filesystem cannot be watched so, and that was said: {error}")
    with watching:
        shell("touch d/s/f; mv d/s d/t; mkdir d/t/n; touch d/t/n/g", top)
        made = [line for line in watching.lines_until("CREATE g") if "MOVE_SELF" not in line]
        shell("rm -r d/t; touch d/end", top)
        removed = watching.lines_until("CREATE end")[-5:]
    assert made == [f"{top}/d/s/ CREATE f", f"{top}/d/ MOVED_FROM,ISDIR s", f"{top}/d/ MOVED_TO,ISDIR t",
                    f"{top}/d/t/ CREATE,ISDIR n", f"{top}/d/t/n/ CREATE g"]
    # Which comes first in a directory is the filesystem's choice.
    assert sorted(removed[:3]) == [f"{top}/d/t/ DELETE f", f"{top}/d/t/ DELETE,ISDIR n", f"{top}/d/t/n/ DELETE g"]
    assert removed[3:] == [f"{top}/d/ DELETE,ISDIR t", f"{top}/d/ CREATE end"]


def test_every_event_of_a_file_in_a_watched_directory(inotifywait, home):
    shell("mkdir d; echo x >d/f", home)
    with Watching(inotifywait, "d", cwd=home) as watching:
        shell("cat d/f; echo y >>d/f; chmod 600 d/f; mv d/f d/g; rm d/g; touch d/end", home)
        lines = watching.lines_until("end")
    f, g = f"{home}/d/f", f"{home}/d/g"
    assert told(lines, "end") >= {
        (f, "OPEN"), (f, "ACCESS"), (f, "CLOSE_NOWRITE"), (f, "MODIFY"), (f, "CLOSE_WRITE"), (f, "ATTRIB"),
        (f, "MOVED_FROM"), (g, "MOVED_TO"), (g, "DELETE")}
    assert "(deleted)" not in "".join(lines) and "fid" not in "".join(lines)


def test_a_file_is_named_by_its_directory_and_its_end_as_given(inotifywait, home):
    shell("mkdir d; echo x >d/f", home)
    with Watching(inotifywait, "-e", "open,delete_self", "d/f", cwd=home) as watching:
        shell("cat d/f", home)
        watching.lines_until("OPEN")
        shell("rm d/f", home)
        lines = watching.lines_until("DELETE_SELF")
    assert lines == [f"{home}/d/ OPEN f", "d/f DELETE_SELF "]


@needs_root
def test_a_watched_directory_that_is_renamed_has_its_new_name(inotifywait, home):
    shell("mkdir d", home)
    with Watching(inotifywait, "-e", "create,move_self", "d", cwd=home) as watching:
        shell("mv d e; touch e/f", home)
        lines = watching.lines_until("CREATE")
    assert lines[-1] == f"{home}/e/ CREATE f"


def test_new_directories_are_followed_and_nothing_in_them_is_lost(inotifywait, home):
    shell("mkdir d", home)
    with Watching(inotifywait, "-r", "-e", "create", "d", cwd=home) as watching:
        shell("for i in $(seq 100); do mkdir -p d/$i/a/b/c; touch d/$i/a/b/c/f; done; touch d/end", home)
        lines = watching.lines_until(" end")
        wait_until(lambda: len(watching.lines_until(" end")) >= 501, "all of it is said")
        lines = watching.lines_until(" end")
    paths = [path for path, _ in sorted(told(lines, " end"))]
    assert len(lines) == 501
    assert paths == sorted(f"{home}/d/{i}{below}" for i in range(1, 101)
                           for below in ("", "/a", "/a/b", "/a/b/c", "/a/b/c/f"))


@needs_root
def test_what_happens_in_a_directory_that_has_just_left_is_nobodys(inotifywait, home):
    """Its mark is still there for a moment."""
    shell("mkdir -p d/{1..500} o", home)
    with Watching(inotifywait, "-r", "-e", NAMES, "d", cwd=home) as watching:
        for i in range(1, 501):
            (home / f"d/{i}").rename(home / f"o/{i}")
            for name in "abcdefgh":
                (home / f"o/{i}/{name}").touch()
        (home / "d/end").touch()
        lines = watching.lines_until(" end")
    assert [line for line in lines if "/o/" in line] == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("operands", ["g", "d", "d g", "g d"])
def test_it_ends_when_all_that_was_watched_is_gone(mode, operands, inotifywait, home):
    """Whatever was asked for."""
    shell("mkdir d; touch g", home)
    command = [inotifywait, *mode, "-e", "create", *operands.split()]
    with subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as waiting:
        try:
            wait_until(lambda: b"established" in waiting.stderr.readline(), "the watches are established")
            shell("rm -r " + operands, home)
            assert waiting.communicate(timeout=60) == (b"", b"") and waiting.returncode == 1
        finally:
            waiting.kill()


# While a program is stopped, the kernel adds what is done to what it has queued.
@pytest.mark.parametrize("option, hidden", [("@d/x", "x"), ("--exclude=/x(/|$)", "x")])
def test_what_is_excluded(option, hidden, inotifywait, home):
    shell("mkdir -p d/x d/y", home)
    with Watching(inotifywait, "-r", "-e", "create", option, "d", cwd=home) as watching:
        shell("touch d/x/f d/y/g d/end", home)
        lines = watching.lines_until(" end")
    assert lines == [f"{home}/d/y/ CREATE g", f"{home}/d/ CREATE end"]
