# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifywait -F and -S when the kernel's queue overflows. Root's has no limit; here it is given one."""

import signal
from pathlib import Path

import pytest

from fanotify_support import NAMES, Watching, home, mounted, limited_queue, needs_root, overflow_by, shell, unmount_all  # noqa: F401
from program import is_waiting, wait_until

pytestmark = [needs_root, pytest.mark.plain_build]  # a sanitizer is to be loaded first


@pytest.mark.parametrize("mode", ["-F -r", "-S"])
def test_it_is_said_and_paths_are_right_afterwards(mode, inotifywait, room, limited_queue):
    try:
        top = Path(mounted("tmpfs", room))
        shell("mkdir -p d/known/s d/later/s d/out/s d/gone/s o", top)
        with Watching(inotifywait, *mode.split(), "-e", NAMES, "d", cwd=top, environment=limited_queue) as watching:
            for name in ("known", "later", "out", "gone"):
                (top / f"d/{name}/s/before").touch()
            watching.lines_until("gone/s/ CREATE before")
            watching.process.send_signal(signal.SIGSTOP)
            (top / "d/known").rename(top / "d/renamed")
            overflow_by(lambda number: (top / f"d/renamed/{number}").touch())
            # Of what follows, nothing is told.
            (top / "d/later").rename(top / "d/moved")
            (top / "d/out").rename(top / "o/out")
            shell("rm -r d/gone; mkdir -p d/new/s", top)
            watching.process.send_signal(signal.SIGCONT)
            watching.wait_said("overflowed")
            wait_until(lambda: is_waiting(watching.process.pid), "the tree has been read again")
            places = ["d/renamed/s", "d/moved/s", "d/new/s", "o/out/s", "d"]
            for place in places:
                (top / place / "probe").touch()
            lines = watching.lines_until(f"{top}/d/ CREATE probe")
            said = watching.err.read_text()
        assert [line for line in lines if line.endswith(" probe")] == [
            f"{top}/{place}/ CREATE probe" for place in places if place != "o/out/s"]
        assert said.count("overflowed") == 1, said
    finally:
        unmount_all(room)


def test_what_was_in_the_queue_is_handed_on_first(inotifywait, home, limited_queue):
    shell("mkdir d", home)
    with Watching(inotifywait, "-S", "-e", "create,q_overflow", "d", cwd=home, environment=limited_queue) as watching:
        watching.process.send_signal(signal.SIGSTOP)
        (home / "d/first").touch()
        overflow_by(lambda number: (home / f"d/{number}").touch())
        watching.process.send_signal(signal.SIGCONT)
        lines = watching.lines_until("Q_OVERFLOW")
    assert lines[0] == f"{home}/d/ CREATE first"
    assert [line.strip() for line in lines if "Q_OVERFLOW" in line] == ["Q_OVERFLOW"]
