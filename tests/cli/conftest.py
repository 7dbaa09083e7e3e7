# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the programs are, and rooms to play in.

NOTIFY_BUILD      the meson build directory (default: build/ at the project's root)
NOTIFY_SUBJECT    the inotifywait under test, if it is another one
NOTIFY_REFERENCE  the inotifywait it is held against (default: /usr/bin/inotifywait of Debian 12, release 3.22.6.0)
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

ROOT = Path(__file__).resolve().parents[2]
REFERENCE_RELEASE = "inotifywait 3.22.6.0"


def _subject():
    build = Path(os.environ.get("NOTIFY_BUILD", ROOT / "build"))
    return Path(os.environ.get("NOTIFY_SUBJECT", build / "tools/inotifywait/inotifywait")).absolute()


def _reference():
    return Path(os.environ.get("NOTIFY_REFERENCE", "/usr/bin/inotifywait"))


def _release(program):
    try:
        return subprocess.run([program, "--help"], capture_output=True, text=True).stdout.partition("\n")[0]
    except OSError as error:
        return str(error)


@pytest.fixture(scope="session")
def inotifywait():
    """Our inotifywait."""
    program = _subject()
    assert program.exists(), f"{program}: build it first, or say in NOTIFY_BUILD where it is"
    return program


@pytest.fixture(scope="session")
def reference():
    """Debian's inotifywait; without it, what needs it is skipped."""
    found = _release(_reference())
    if found != REFERENCE_RELEASE:
        pytest.skip(f"needs the reference, {REFERENCE_RELEASE} (apt-get install inotify-tools); found: {found}")
    return _reference()


@pytest.fixture
def room(temporary_place):
    """An empty directory that everybody may enter, away from long paths; gone afterwards, whatever was put into it."""
    path = Path(tempfile.mkdtemp(prefix="notify-", dir=temporary_place))
    path.chmod(0o755)
    yield path
    subprocess.run(["chmod", "-R", "u+rwx", path], check=False, stderr=subprocess.DEVNULL)
    shutil.rmtree(path, ignore_errors=True)
