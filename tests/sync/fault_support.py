# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of faults have in common."""

import os
import random
import shutil
import subprocess
import sys

import pytest
from sync_support import wait_identical

RSYNC = shutil.which("rsync")
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


def put_rsync(place, target):
    (place / "rsync.new").symlink_to(target)
    (place / "rsync.new").rename(place / "rsync")


def fake_rsync(place, name, text):
    """A program that stands in for rsync, in Python; REAL is the real one."""
    program = place / name
    program.write_text(f"#!{sys.executable}\nimport os, subprocess, sys\nREAL = {RSYNC!r}\n{text}")
    program.chmod(0o755)
    put_rsync(place, program)
