# SPDX-License-Identifier: GPL-2.0-or-later
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from fault_support import RSYNC, put_rsync
from sync_support import Inotifysync, RsyncDaemon, SshServer


@pytest.fixture
def folder():
    in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="inotifysync-test-", dir=in_memory))
    yield path
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():  # an ordinary user has to open what a test has closed
        subprocess.run(["chmod", "-R", "u+rwx", path], check=False)
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def source(folder):
    (folder / "source").mkdir()
    return folder / "source"


@pytest.fixture
def path(folder):
    """A PATH in which `rsync` is what a test puts there; first of all the real one."""
    place = folder / "bin"
    place.mkdir()
    put_rsync(place, RSYNC)
    return place


@pytest.fixture
def start_daemon(folder):
    """start_daemon(name, settings...) starts one more rsync daemon."""
    started = []

    def start(name, **settings):
        daemon = RsyncDaemon(folder, name, {k.replace("_", " "): v for k, v in settings.items()})
        started.append(daemon)
        return daemon.start()

    yield start
    for daemon in started:
        daemon.stop()


@pytest.fixture
def daemons(start_daemon):
    return [start_daemon(f"web{n}") for n in (1, 2, 3)]


@pytest.fixture
def ssh_server(folder, monkeypatch):
    if pwd.getpwuid(os.getuid()).pw_shell.endswith(("nologin", "false")):
        pytest.skip("this user may not log in")
    # For the sockets of a program that is killed. Their paths are short ones.
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        server = SshServer(folder / "ssh").start()
        yield server
        server.stop()


@pytest.fixture
def run(folder):
    """run(arguments...) starts inotifysync; whatever still runs at the end is killed."""
    started = []

    def start(*arguments, **more):
        started.append(Inotifysync(folder, *arguments, **more))
        return started[-1]

    yield start
    for program in started:
        program.kill()


@pytest.fixture
def sync(run, source, daemons):
    """sync(arguments...) keeps `source` on the three daemons and returns once all three are identical."""

    def start(*arguments, **more):
        program = run("--delete", "--password-file", daemons[0].password_file, *arguments, f"{source}/",
                      *(d.url for d in daemons), **more)
        program.wait_said("in step", times=len(daemons))
        return program

    return start
