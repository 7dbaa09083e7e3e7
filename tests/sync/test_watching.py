# SPDX-License-Identifier: GPL-2.0-or-later
"""How the source is watched: by fanotify(7), and with fewer watches than it has directories."""

import json
import os
import signal
import subprocess

import pytest
from sync_support import wait_identical, wait_until, write


def test_by_fanotify(source, daemons, run, fanotify_refusal):
    if why_not := fanotify_refusal(source, filesystem=True):
        pytest.skip(why_not)
    write(source / "a/b/file")
    write(source / "large", "x" * 1_000_000)
    program = run("-v", "--fanotify", "--delete", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons))
    program.wait_said("in step", times=3)
    assert "not watched" not in program.output()
    write(source / "a/b/file", "changed")
    write(source / "new/below/file")
    wait_identical(source, *(d.root for d in daemons))
    (source / "a").rename(source / "c")
    (source / "large").rename(source / "c/large")
    (source / "new/below/file").unlink()
    (source / "c/b").chmod(0o700)
    wait_identical(source, *(d.root for d in daemons))
    assert "full pass" not in program.output()


def test_by_fanotify_where_that_will_do(source, daemons, run):
    (source / "a").mkdir()
    arguments = ("-v", "--fanotify-auto", "--password-file", daemons[0].password_file, source, daemons[0].url)
    program = run(*arguments)
    program.wait_said("in step")
    by_mark = "by one mark" in program.output()
    if os.getuid() != 0:
        assert not by_mark
    write(source / "a/file")
    wait_identical(source, daemons[0].root)
    assert "not watched" not in program.output()


def test_not_by_fanotify_where_something_is_mounted_below(source, daemons, run):
    if subprocess.run(["unshare", "-Urm", "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True).returncode != 0:
        pytest.skip("no mount is allowed here")
    (source / "a").mkdir()
    mounted = ["unshare", "-Urm", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', source / "a"]
    program = run("-v", "--fanotify-auto", "--password-file", daemons[0].password_file, source, daemons[0].url,
                  through=mounted)
    program.wait_said("in step")
    assert "by one mark" not in program.output()
    write(source / "file")
    wait_until((daemons[0].root / "file").exists, "the file")


@pytest.fixture
def run_with_watches(run):
    """run_with_watches(limit, arguments...) runs it in a user namespace that has no more watches than that."""
    if subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode != 0:
        pytest.skip("user namespaces are not allowed here")
    set_limit = 'echo "$0" > /proc/sys/user/max_inotify_watches && exec "$@"'
    return lambda limit, *arguments: run(*arguments, through=["unshare", "-Ur", "sh", "-c", set_limit, str(limit)])


def test_without_a_watch_for_every_directory(source, daemons, run_with_watches):
    for n in range(20):
        write(source / f"{n}/file")
    program = run_with_watches(5, "--delete", "--audit-interval", "1", "--password-file", daemons[0].password_file,
                               source, *(d.url for d in daemons))
    program.wait_said("fs.inotify.max_user_watches")
    wait_identical(source, *(d.root for d in daemons))
    for n in range(20):  # at least 15 of these nobody tells of
        write(source / f"{n}/file", "changed")
    (source / "19/file").unlink()
    wait_identical(source, *(d.root for d in daemons))
    assert program.running()


def test_out_of_watches_on_the_way(source, daemons, run_with_watches):
    program = run_with_watches(5, "--delete", "--audit-interval", "1", "--password-file", daemons[0].password_file,
                               source, *(d.url for d in daemons))
    program.wait_said("in step", times=3)
    for n in range(20):
        write(source / f"{n}/below/file")
    program.wait_said("a full pass follows")
    wait_identical(source, *(d.root for d in daemons))
    write(source / "19/below/file", "changed")
    wait_identical(source, *(d.root for d in daemons))
    assert program.running()


def test_enough_watches_after_all(source, folder, daemons, run_with_watches):
    for n in range(20):
        write(source / f"{n}/file")
    status = folder / "status"
    program = run_with_watches(5, "--delete", "--audit-interval", "0", "--status-file", status, "--password-file",
                               daemons[0].password_file, source, *(d.url for d in daemons))
    program.wait_said("fs.inotify.max_user_watches")
    wait_identical(source, *(d.root for d in daemons))
    for hang_up in range(2):
        program.process.send_signal(signal.SIGHUP)
        program.wait_said("in step", times=3 * (hang_up + 2))
    assert program.output().count("not watched") == 1
    subprocess.run(["nsenter", "-t", str(program.process.pid), "-U", "--preserve-credentials", "sh", "-c",
                    "echo 1000 > /proc/sys/user/max_inotify_watches"], check=True)
    program.process.send_signal(signal.SIGHUP)
    wait_until(lambda: json.loads(status.read_text())["sources"][0]["watches"] == 21, program.output)
    program.wait_said("in step", times=12)
    write(source / "19/file", "changed")
    wait_identical(source, *(d.root for d in daemons))
    assert program.output().count("in step") == 12


def test_a_source_that_was_away_for_a_moment(source, folder, daemons, run):
    """What was made in it then was looked for in vain, and is not watched."""
    program = run("--delete", "--password-file", daemons[0].password_file, source, daemons[0].url)
    program.wait_said("in step")
    program.process.send_signal(signal.SIGSTOP)
    source.rename(folder / "elsewhere")
    (folder / "elsewhere/new").mkdir()
    (folder / "elsewhere").rename(source)
    program.process.send_signal(signal.SIGCONT)
    program.wait_said("the source is back: a full pass follows")
    program.wait_said("in step", times=2)
    write(source / "new/file")
    wait_identical(source, daemons[0].root)
