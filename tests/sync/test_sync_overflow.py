# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifysync --fanotify when events are lost: the kernel's queue overflows (root's has no limit; here it is given one),
or the directory of an event cannot be found."""

import os
import signal
from pathlib import Path

import pytest
from sync_support import BUILD, wait_identical, write

LIMIT = Path("/proc/sys/fs/fanotify/max_queued_events")

pytestmark = [pytest.mark.skipif(os.getuid() != 0, reason="only root may watch a filesystem"),
              pytest.mark.plain_build]  # a sanitizer is to be loaded first


def library(name):
    """What is to be loaded before the program."""
    path = (BUILD / f"tests/lib{name}.so").absolute()
    assert path.exists(), f"{path}: build it first"
    return str(path)


@pytest.fixture(autouse=True)
def allowed(source, fanotify_refusal):
    if why_not := fanotify_refusal(source, filesystem=True):
        pytest.skip(why_not)


def test_what_was_lost_reaches_the_targets(source, daemons, run):
    limit = int(LIMIT.read_text())
    if limit > 100_000:
        pytest.skip("fs.fanotify.max_queued_events is too large to fill")
    for name in ("known", "later", "gone"):
        write(source / name / "below/file", name)
    program = run("-v", "--fanotify", "--delete", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons), environment={"LD_PRELOAD": library("limited_queue")})
    program.wait_said("in step", times=len(daemons))
    assert "not watched" not in program.output()
    write(source / "known/below/file", "changed")  # from now on it is known where that is
    wait_identical(source, *(d.root for d in daemons))
    program.process.send_signal(signal.SIGSTOP)
    (source / "known").rename(source / "renamed")
    for number in range(limit + 100):
        (source / f"{number}").touch()
        (source / f"{number}").unlink()
    # Of what follows, nothing is told.
    (source / "later").rename(source / "moved")
    (source / "gone/below/file").unlink()
    (source / "gone/below").rmdir()
    write(source / "new/below/file", "new")
    write(source / "moved/below/file", "changed while nothing was told")
    program.process.send_signal(signal.SIGCONT)
    program.wait_said("the kernel's queue overflowed")
    wait_identical(source, *(d.root for d in daemons))
    write(source / "moved/below/file", "told again")
    write(source / "renamed/below/file", "this, too")
    wait_identical(source, *(d.root for d in daemons))
    assert program.running()


def test_a_directory_that_cannot_be_found_is_told_by_a_full_pass(source, folder, daemons, run):
    """An event names its directory by a handle, which leads nowhere."""
    write(source / "never/seen/file")
    program = run("-v", "--fanotify", "--delete", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons),
                  environment={"LD_PRELOAD": library("lost_directories"), "NO_HANDLE_LEADS_ANYWHERE": str(folder / "lost")})
    program.wait_said("in step", times=len(daemons))
    assert "not watched" not in program.output()
    (folder / "lost").touch()
    write(source / "never/seen/file", "changed")
    wait_identical(source, *(d.root for d in daemons))
    (folder / "lost").unlink()
    write(source / "never/seen/file", "found again")
    wait_identical(source, *(d.root for d in daemons))
    assert program.running()
