# SPDX-License-Identifier: GPL-2.0-or-later
"""The scripts that people run."""

import os
import signal
import subprocess

from sync_support import BUILD, ROOT, wait_identical, wait_until


def test_quickstart():
    done = subprocess.run([ROOT / "scripts/quickstart"], env={**os.environ, "NOTIFY_BUILD": str(BUILD)},
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The three trees are identical to the source" in done.stdout


def test_the_classic_loop(source, start_daemon):
    daemon = start_daemon("web1")
    path = f"{BUILD}/tools/inotifywait:{os.environ['PATH']}"
    loop = subprocess.Popen(
        [ROOT / "scripts/recipes/seed-loop", f"{source}/", daemon.url, daemon.password_file],
        env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        def pushed():
            with open(source / "file", "a") as file:  # again and again: its watches may not be up yet
                file.write("more")
            return (daemon.root / "file").exists()

        wait_until(pushed, "the first push")
        (source / "file").write_text("as long as it has never been before " * 50)
        (source / "later").write_text("more")
        wait_identical(source, daemon.root)
    finally:
        os.killpg(loop.pid, signal.SIGKILL)
        loop.wait()


def test_quickstart_takes_no_arguments():
    done = subprocess.run([ROOT / "scripts/quickstart", "--help"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == "usage: scripts/quickstart (it takes no arguments)\n"
