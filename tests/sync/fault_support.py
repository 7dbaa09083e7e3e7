# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of faults have in common."""

import os
import random
import shutil
import subprocess

import pytest
from sync_support import RSYNC, fake_rsync, put_rsync, wait_identical  # noqa: F401

LATE = float(os.environ.get("NOTIFY_DEADLINE", "60"))  # seconds


def may_mount():
    command = ["unshare", "-Urm", "sh", "-c", "mount -t tmpfs none /mnt"]
    return shutil.which("unshare") and subprocess.run(command, capture_output=True).returncode == 0


needs_mounts = pytest.mark.skipif(not may_mount(), reason="no user and mount namespaces here")


def write(path, text="content"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def big(seed=0, size=3_000_000):
    return random.Random(seed).randbytes(size)


def roots(daemons):
    return [daemon.root for daemon in daemons]


def others_go_on(source, healthy):
    for n in range(3):
        write(source / f"while-{n}", f"{n}")
        wait_identical(source, *roots(healthy), deadline=LATE)


def holds(path, *contents):
    """True once the file is the last of the contents; never may it be anything but one of them."""
    found = path.read_bytes() if path.exists() else None
    assert found in contents, f"{path} is torn: {len(found)} bytes"
    return found == contents[-1]
