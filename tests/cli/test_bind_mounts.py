# SPDX-License-Identifier: GPL-2.0-or-later
"""A directory of the tree that is mounted a second time within the tree: it has two names, and one watch."""

import subprocess

import pytest

from program import Program

pytestmark = pytest.mark.skipif(subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode != 0,
                                reason="user namespaces are not allowed here")
MOVED_AWAY = " MOVE_SELF \n"


@pytest.fixture(params=["the mount is found first", "the mount is found last"])
def watched(request, inotifywait, room):
    """(program, real, mounted): watches d, in which `mounted` is d/`real` once more."""
    home = room / "home"
    (home / "o").mkdir(parents=True)
    for name in ("a", "b"):
        (home / "d" / name).mkdir(parents=True)
    listed = subprocess.run(["ls", "-U", home / "d"], capture_output=True, text=True, check=True).stdout.split()
    real, mounted = listed if request.param.endswith("last") else reversed(listed)
    (home / "d" / real / "s").mkdir()
    watch = "exec inotifywait -m -r -q -e create,delete,move,move_self d"
    program = Program(inotifywait, f"exec unshare -Urm bash -c 'mount --bind d/{real} d/{mounted}; {watch}'".encode(),
                      home, room / "bin")
    program.settle()
    yield program, real, mounted
    program.close()


def said(program, command):
    program.shell(command.encode())
    return program.settle().out.decode()


def test_a_directory_renamed_under_a_mount_of_it(watched):
    program, real, mounted = watched
    first = said(program, f"touch d/{real}/s/f")
    assert first in (f"d/{real}/s/ CREATE f\n", f"d/{mounted}/s/ CREATE f\n")
    said(program, f"mv d/{real} d/new")
    name = "new" if first.startswith(f"d/{real}/") else mounted  # the one by which it was found, as it is now
    assert said(program, "touch d/new/g d/new/s/h") == f"d/{name}/ CREATE g\nd/{name}/s/ CREATE h\n"
    assert said(program, "mkdir -p d/new/t/u") == f"d/{name}/ CREATE,ISDIR t\nd/{name}/t/ CREATE,ISDIR u\n"


def test_a_directory_that_left_is_still_mounted_in_the_tree(watched):
    program, real, mounted = watched
    moved = said(program, f"mv d/{real} o/real")
    assert moved.startswith(f"d/ MOVED_FROM,ISDIR {real}\n") and moved.endswith(MOVED_AWAY)
    assert said(program, "touch o/real/g o/real/s/h") == f"d/{mounted}/ CREATE g\nd/{mounted}/s/ CREATE h\n"
    back = said(program, "mv o/real d/back")
    assert back.startswith("d/ MOVED_TO,ISDIR back\n") and back.endswith(MOVED_AWAY)
    assert said(program, "touch d/back/i d/back/s/k") == f"d/{mounted}/ CREATE i\nd/{mounted}/s/ CREATE k\n"
    assert said(program, "rm d/back/s/h d/back/s/k; rmdir d/back/s") == (
        f"d/{mounted}/s/ DELETE h\nd/{mounted}/s/ DELETE k\nd/{mounted}/ DELETE,ISDIR s\n")
