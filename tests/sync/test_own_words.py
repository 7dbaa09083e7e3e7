# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that the program reads and writes, and operands that are none: what cannot be is said at the start, with the
option and the reason, and the status tells a mistake of the command line from one of the configuration."""

import os
import signal
import subprocess
from contextlib import suppress

import pytest
from sync_support import said_by, wait_until


def test_a_status_file_that_cannot_be_written_ends_the_start(folder, source):
    status, said = said_by("--once", "--status-file", "no/where", source, "copy", folder=folder)
    assert status == 1 and said.endswith(" no/where cannot be written: No such file or directory\n")
    assert not (folder / "copy").exists()


@pytest.mark.parametrize("option", ["--password-file", "--exclude-from", "--include-from"])
def test_which_file_cannot_be_read(folder, source, option):
    said = said_by(option, "nope", source, "h::m", folder=folder)
    assert said == (64, f"inotifysync: {option}: nope: No such file or directory\n")


@pytest.mark.parametrize("key", ["password_file", "exclude_from"])
def test_which_key_names_a_file_that_cannot_be_read(folder, source, key):
    config = folder / "sync.toml"
    value = '"/no/such"' if key == "password_file" else '["/no/such"]'
    config.write_text(f'{key} = {value}\n[[source]]\npath = "{source}"\ntargets = ["h::m"]\n')
    assert said_by("--config", config) == (78, f"inotifysync: {config}: {key}: /no/such: No such file or directory\n")


def test_a_log_that_cannot_be_written(folder, source):
    status, said = said_by("--once", "--log-file", "/dev/full", source, "copy", folder=folder)
    assert (status, said) == (0, "inotifysync: /dev/full cannot be written: No space left on device\n")


def test_a_log_that_is_a_pipe_waits_for_no_reader(folder, source, run):
    """Neither for one to come, nor for one that stands still; it gets what was kept for it."""
    os.mkfifo(folder / "log")
    program = run("--log-file", folder / "log", source, folder / "copy")
    wait_until(lambda: (folder / "copy").is_dir(), "the copy")
    reader = os.open(folder / "log", os.O_RDONLY | os.O_NONBLOCK)
    (source / "late").write_text("x")
    wait_until(lambda: (folder / "copy/late").exists(), "the change")
    said = bytearray()

    def is_told():
        with suppress(BlockingIOError):
            said.extend(os.read(reader, 65536))
        return b" in step: " in said and b"1 file" in said

    wait_until(is_told, "both lines")
    os.close(reader)
    assert program.running()


def test_standard_input_that_cannot_be_read(folder, source):
    directory = os.open(folder, os.O_RDONLY)
    status, said = said_by("--from-stdin", source, "copy", folder=folder, stdin=directory)
    os.close(directory)
    assert status == 1 and " standard input cannot be read: Is a directory\n" in said


def test_names_from_elsewhere_are_told_of_once(folder, source, run):
    program = run("--from-stdin", source, folder / "copy", stdin=subprocess.PIPE)
    program.process.stdin.write(b"".join(b"/elsewhere/%d\n" % n for n in range(1000)))
    program.process.stdin.close()
    assert program.wait() == 0
    assert 1 <= program.output().count("left out") < 5


@pytest.mark.parametrize("arguments, words", [
    (["", "t"], "the SOURCE is empty: name a directory"),
    (["source", ""], "a TARGET is empty: name a directory, HOST:PATH, HOST::MODULE or rsync://HOST/MODULE"),
    (["--rsync", "", "source", "t"], "--rsync is given nothing: name a program"),
    (["--pid-file", "", "source", "t"], "--pid-file is given nothing: name a file"),
    (["--jobs", "-1", "source", "t"], "--jobs '-1': a whole number, 0 or more, is needed"),
    (["--password-file", "nope", "source", "t"],
     "--password-file is for rsync daemons, and no target is one (rsync:// or HOST::MODULE)"),
])
def test_what_to_do_is_said(folder, source, arguments, words):
    assert said_by(*arguments, folder=folder) == (64, f"inotifysync: {words}\n")


def test_in_the_background_without_words(folder, source):
    pid_file = folder / "pid"
    status, said = said_by("--daemon", "--pid-file", pid_file, source, "copy", folder=folder)
    wait_until(lambda: pid_file.exists() and (folder / "copy").exists(), "it is at work")
    os.kill(int(pid_file.read_text()), signal.SIGTERM)
    wait_until(lambda: not pid_file.exists(), "the end")
    assert status == 0 and "--daemon without --log-file or --syslog" in said
