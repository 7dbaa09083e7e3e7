# SPDX-License-Identifier: GPL-2.0-or-later
"""Targets that come back as they were long ago, or elsewhere, and an rsync that says that all is well and does nothing:
in the end all is right, without an audit."""

import shutil

import pytest
from fault_support import LATE, RSYNC, fake_rsync, others_go_on, put_rsync, roots, write
from sync_support import wait_identical, wait_until


def test_a_module_that_moves_to_another_place_and_back(source, folder, daemons, sync):
    for name in ("a/file", "b/file"):
        write(source / name)
    sync()
    moved, *healthy = daemons
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    moved.reconfigure(path=elsewhere)
    write(source / "tells", "that the connection was lost")
    wait_identical(source, elsewhere, deadline=LATE)
    shutil.rmtree(source / "a")
    write(source / "b/file", "changed")
    write(source / "c/file")
    wait_identical(source, elsewhere, *roots(healthy), deadline=LATE)
    moved.reconfigure(path=moved.root)
    write(source / "tells", "it again")
    wait_identical(source, *roots(daemons), deadline=LATE)


def test_a_target_that_others_have_emptied(source, folder, daemons, sync):
    """A change at the top shows it, where no directory has to be made for it."""
    for name in ("page", "other", "a/file"):
        write(source / name)
    sync()
    emptied = daemons[0].root
    for name in ("page", "other"):
        (emptied / name).unlink()
    shutil.rmtree(emptied / "a")
    write(source / "page", "changed")
    wait_identical(source, *roots(daemons), deadline=LATE)


@pytest.mark.parametrize("left", ["nothing", "a file", "no right"])
@pytest.mark.parametrize("renamed", ["file", "directory"])
def test_a_rename_into_a_directory_that_others_have_removed(source, daemons, sync, renamed, left):
    """It would be linked there from its old place; what else was in the removed directory comes back, too."""
    write(source / "to/in/other")
    write(source / "from/file", "x" * 600_000)
    for n in range(150):
        write(source / f"from/directory/{n}", str(n))
    sync()
    changed = daemons[0].root
    shutil.rmtree(changed / "to")
    if left == "a file":
        write(changed / "to")
    if left == "no right":
        (changed / "to").mkdir(mode=0o555)
    (source / "from" / renamed).rename(source / "to/in" / renamed)
    wait_identical(source, *roots(daemons), deadline=LATE)
    write(source / "later")
    wait_identical(source, *roots(daemons), deadline=LATE)


def test_a_target_that_is_put_back_to_an_older_state(source, folder, daemons, sync):
    for name in ("kept", "changed", "gone"):
        write(source / name)
    program = sync()
    away, *healthy = daemons
    shutil.copytree(away.root, folder / "backup")
    write(source / "changed", "later")
    (source / "gone").unlink()
    wait_identical(source, *roots(daemons), deadline=LATE)
    away.stop()
    shutil.rmtree(away.root)
    (folder / "backup").rename(away.root)
    others_go_on(source, healthy)
    program.wait_said("again in", deadline=LATE)
    away.start()
    wait_identical(source, *roots(daemons), deadline=LATE)


def test_what_others_put_in_the_place_of_directories(source, folder, daemons, sync):
    """It is seen when something below changes; and nothing is written where a link leads."""
    write(folder / "outside/s/file", "theirs")
    for name in "abc":
        write(source / name / "s/file")
        write(source / name / "untouched")
    sync()
    for root in roots(daemons):
        for name in "abc":
            shutil.rmtree(root / name)
        (root / "a").symlink_to(folder / "outside")
        write(root / "b", "a file")
    for name in "abc":
        write(source / name / "s/file", "changed")
    wait_identical(source, *roots(daemons), deadline=LATE)
    assert (folder / "outside/s/file").read_text() == "theirs"


@pytest.mark.parametrize("words", ["", "import random\nsys.stdout.buffer.write(random.randbytes(5000))\n"])
def test_an_rsync_that_does_nothing_and_says_that_all_is_well(source, daemons, sync, path, words):
    for n in range(3):
        write(source / f"d{n}/file")
    program = sync(environment={"PATH": str(path)})
    fake_rsync(path, "rsync-idle", f"{words}sys.exit(0)\n")
    shutil.rmtree(source / "d0")
    for n in range(3):  # what waits connected still takes one batch
        write(source / f"new{n}/file")
        wait_until(lambda n=n: "is it rsync?" in program.output()
                   or all((d.root / f"new{n}/file").exists() for d in daemons), program.output, LATE)
    write(source / "d1/file", "changed")
    program.wait_said("is it rsync?", deadline=LATE)
    put_rsync(path, RSYNC)
    wait_identical(source, *roots(daemons), deadline=LATE)
    program.wait_said("reachable again", deadline=LATE)
