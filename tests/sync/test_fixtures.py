# SPDX-License-Identifier: GPL-2.0-or-later
"""The fixtures themselves: what they compare must be able to differ, what they start must answer."""

import os
import subprocess

from sync_support import differences


def rsync(*arguments):
    return subprocess.run(["rsync", *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_daemon_takes_files(source, start_daemon):
    daemon = start_daemon("web1")
    (source / "a file").write_text("content")
    done = rsync("-a", f"--password-file={daemon.password_file}", f"{source}/", daemon.url)
    assert done.returncode == 0, done.stderr
    assert differences(source, daemon.root) == []


def test_sshd_lets_us_in(source, folder, ssh_server):
    (source / "file").write_text("content")
    done = rsync("-a", "-e", f"ssh -F {ssh_server.client_config}", f"{source}/", f"node:{folder}/over-ssh/")
    assert done.returncode == 0, done.stderr
    assert differences(source, folder / "over-ssh") == []


def test_every_difference_is_seen(folder):
    a, b = folder / "a", folder / "b"
    for top in (a, b):
        (top / "dir").mkdir(parents=True)
        for name in ("content", "mode", "time", "linked"):
            (top / name).write_text("same")
            os.utime(top / name, ns=(0, 1))
        os.link(top / "linked", top / "link")
        (top / "symlink").symlink_to("content")
    assert differences(a, b) == []
    (b / "content").write_text("SAME")
    os.utime(b / "content", ns=(0, 1))
    (b / "mode").chmod(0o600)
    os.utime(b / "time", ns=(0, 2))
    (b / "link").unlink()
    (b / "link").write_text("same")
    os.utime(b / "link", ns=(0, 1))
    (b / "symlink").unlink()
    (b / "symlink").symlink_to("mode")
    (b / "dir").rmdir()
    (b / "extra").write_text("")
    assert len(differences(a, b)) == 8
