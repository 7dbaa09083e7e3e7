# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is not root may not enter or change everything."""

import os
import subprocess

import pytest
from sync_support import wait_identical, wait_until, write

# With all that root owns, and none of root's rights.
AS_A_USER = ["unshare", "-U", "--map-user=1000", "--map-group=1000", "--"]
NAMESPACES = subprocess.run([*AS_A_USER, "true"], capture_output=True).returncode == 0

pytestmark = [pytest.mark.skipif(not NAMESPACES, reason="user namespaces are not allowed here"),
              pytest.mark.skipif(os.getuid() != 0, reason="nobody but root can do what the program may not")]


def test_what_is_made_where_it_may_not_enter_is_found_when_it_may(folder, source, run):
    write(source / "d/file")
    program = run("--delete", source, folder / "copy", through=AS_A_USER)
    program.wait_said("in step")
    (source / "d").chmod(0)
    write(source / "d/new/deep/file")
    program.wait_said("d/new/ not watched, a full pass follows: Permission denied")
    (source / "d").chmod(0o755)
    wait_identical(source, folder / "copy")
    write(source / "d/new/deep/later")
    wait_identical(source, folder / "copy")


def test_a_renamed_directory_that_may_not_be_written(folder, source, run):
    write(source / "top/v1/below/file")
    for path in ("top/v1/below", "top/v1"):
        (source / path).chmod(0o555)
    program = run("--delete", source, folder / "copy", through=AS_A_USER)
    program.wait_said("in step")
    (source / "top/v1").rename(source / "top/v2")
    wait_identical(source, folder / "copy")
    wait_until(lambda: not (folder / "copy/top/v1").exists(), "the old name is gone")
