# SPDX-License-Identifier: GPL-2.0-or-later
"""--once: its status says whether all targets are the same as the source."""

import signal

from sync_support import fake_rsync, said_by, wait_until, write


def test_once_that_is_ended_early_is_no_success(folder, source, path, run):
    fake_rsync(path, "slow", "import signal\nopen('started', 'w').close()\nsignal.pause()\n")
    program = run("--once", "--rsync", path / "rsync", source, folder / "copy", through=["env", "-C", folder])
    wait_until((folder / "started").exists, "rsync runs")
    program.process.send_signal(signal.SIGTERM)
    program.process.send_signal(signal.SIGTERM)
    assert program.wait() == 1


def test_once_where_not_all_is_deleted(folder, source):
    write(source / "kept")
    for name in "abc":
        write(folder / "copy" / name)
    status, said = said_by("--once", "--delete", "--max-delete", "1", source, "copy", folder=folder)
    assert status == 1 and said.endswith(" copy is not the same as the source: --max-delete keeps what is to be deleted\n")
    assert "SIGHUP" not in said


def test_once_with_an_empty_source(folder, source):
    assert said_by("--once", "--delete", source, "new", folder=folder)[0] == 0  # nothing is to be deleted
    write(folder / "copy/file")
    status, said = said_by("--once", "--delete", source, "copy", folder=folder)
    assert status == 1 and "copy is not the same as the source: the source is empty, or part of it unmounted, so nothing was deleted\n" in said
    assert (folder / "copy/file").exists()


def test_once_to_a_daemon_that_refuses_deletions(source, start_daemon, run):
    daemon = start_daemon("refusing", refuse_options="delete delete-missing-args")
    write(source / "file")
    program = run("--once", "--delete", "--password-file", daemon.password_file, source, daemon.url)
    assert program.wait() == 1
    assert "in step" not in program.output()
    assert "is not the same as the source: it refuses deletions" in program.output()
    assert "again in" not in program.output()
