# SPDX-License-Identifier: GPL-2.0-or-later
"""What the status file and SIGUSR1 say: in step only what is, and after the end that it has ended."""

import json
import signal

import pytest
from sync_support import wait_identical, wait_until, write


@pytest.fixture
def start(run, source, folder):
    """start(options...) keeps `folder/copy` in step; returns the program and a way to read what its status says."""
    def begin(*options):
        program = run("--delete", "--status-file", folder / "status", *options, source, folder / "copy")
        program.wait_said("in step")
        return program, lambda: json.loads((folder / "status").read_text())["sources"][0]
    return begin


def target_of(status):
    return status["targets"][0]


def test_nothing_is_up_to_date_without_its_source(source, folder, start):
    write(source / "file")
    program, status = start()
    wait_until(lambda: target_of(status())["up_to_date"], status)
    source.rename(folder / "away")
    wait_until(lambda: status()["state"] == "missing" and not target_of(status())["up_to_date"], status)
    program.process.send_signal(signal.SIGUSR1)
    program.wait_said(f"{source} the source is gone: no target gets anything from it")
    (folder / "away").rename(source)
    wait_until(lambda: status()["state"] == "watching" and target_of(status())["up_to_date"], status)


def test_held_deletions_are_not_up_to_date(source, folder, start):
    for n in range(10):
        write(source / f"f{n}")
    program, status = start("--max-delete", "5")
    program.process.send_signal(signal.SIGSTOP)  # so that it is one batch
    for n in range(9):
        (source / f"f{n}").unlink()
    program.process.send_signal(signal.SIGCONT)
    program.wait_said("until SIGHUP")
    wait_until(lambda: target_of(status())["state"] == "held" and not target_of(status())["up_to_date"], status)
    program.process.send_signal(signal.SIGHUP)
    wait_identical(source, folder / "copy")
    wait_until(lambda: target_of(status())["state"] == "idle" and target_of(status())["up_to_date"], status)


def test_once_with_held_deletions_is_no_success(source, folder, run):
    write(source / "kept")
    for n in range(3):
        write(folder / f"copy/stray{n}")
    program = run("--once", "--delete", "--max-delete", "1", source, folder / "copy")
    assert program.wait() == 1
    assert "is not the same as the source: --max-delete keeps what is to be deleted" in program.output()


def test_after_the_end_the_status_says_so(source, folder, start):
    write(source / "file")
    program, status = start()
    assert status()["state"] == "watching"
    assert program.terminate() == 0
    assert status()["state"] == "stopped"


def test_refused_deletions_are_not_up_to_date(source, folder, daemons, run):
    daemons[0].reconfigure(refuse_options="delete")
    write(source / "kept")
    write(daemons[0].root / "old")
    program = run("--delete", "--status-file", folder / "status", "--password-file", daemons[0].password_file, source,
                  daemons[0].url)
    program.wait_said("the target refuses deletions")
    program.wait_said("all but deletions")
    program.terminate()
    target = target_of(json.loads((folder / "status").read_text())["sources"][0])
    assert not target["up_to_date"] and (daemons[0].root / "old").exists()
    program.wait_said("not up to date: it refuses deletions")


def test_an_empty_source_is_not_up_to_date_where_the_target_has_more(source, folder, run):
    for stray, up_to_date in ((None, True), ("old", False)):
        if stray:
            write(folder / "copy" / stray)
        program = run("--delete", "--status-file", folder / "status", source, folder / "copy")
        program.wait_said("in step" if up_to_date else "all but deletions")
        program.terminate()
        target = target_of(json.loads((folder / "status").read_text())["sources"][0])
        assert target["up_to_date"] == up_to_date
