# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifysync --fanotify when the kernel's queue overflows. Root's has no limit; here it is given one."""

import os
import signal
from pathlib import Path

import pytest
from sync_support import BUILD, wait_identical, write

LIMIT = Path("/proc/sys/fs/fanotify/max_queued_events")
LIBRARY = (BUILD / "tests/liblimited_queue.so").absolute()

pytestmark = [pytest.mark.skipif(os.getuid() != 0, reason="only root may watch a filesystem"),
              pytest.mark.plain_build]  # a sanitizer is to be loaded first


def test_what_was_lost_reaches_the_targets(source, daemons, run):
    limit = int(LIMIT.read_text())
    if limit > 100_000:
        pytest.skip("fs.fanotify.max_queued_events is too large to fill")
    assert LIBRARY.exists(), f"{LIBRARY}: build it first"
    for name in ("known", "later", "gone"):
        write(source / name / "below/file", name)
    program = run("-v", "--fanotify", "--delete", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons), environment={"LD_PRELOAD": str(LIBRARY)})
    program.wait_said("in step", times=len(daemons))
    if "not watched" in program.output():
        pytest.skip(program.output().splitlines()[0])
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
