# SPDX-License-Identifier: GPL-2.0-or-later
"""What inotifysync says to people: who has used a limit up, and colours where they are wanted."""

import os
import re
import socket
import subprocess

import pytest
from sync_support import INOTIFYSYNC, at_a_terminal, wait_until

NAMESPACES = subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not NAMESPACES, reason="user namespaces are not allowed here")
@pytest.mark.parametrize("limit, value", [("watches", 3), ("instances", 0)])
def test_a_limit_is_told_with_those_who_have_used_it_up(folder, source, limit, value):
    (folder / "target").mkdir()
    for number in range(50):
        (source / str(number)).mkdir()
    log = folder / "log"
    script = f'echo {value} > /proc/sys/user/max_inotify_{limit} && exec "$0" --log-file "$1" "$2" "$3"'
    with open(folder / "stderr", "wb") as stderr:
        program = subprocess.Popen(["unshare", "-Ur", "sh", "-c", script, INOTIFYSYNC, log, source, folder / "target"],
                                   stderr=stderr)

    def said_so_far():
        return "".join(path.read_text() for path in (log, folder / "stderr") if path.exists())

    try:
        wait_until(lambda: "in step" in said_so_far() or program.poll() is not None, said_so_far, 60)
    finally:
        program.terminate()
        program.wait()
    said = [line.partition(" ")[2] for line in log.read_text().splitlines()]
    assert len([line for line in said if "not watched, only full passes will find what changes" in line]) == 1
    assert said[0].endswith(f": reached the limit of inotify {limit}")
    assert re.fullmatch(rf"Your processes have \d+ of \d+ {limit}:", said[1])
    assert any(re.search(rf"  sysctl fs\.inotify\.max_user_{limit}=\d+$", line) for line in said)
    assert any("the option -F" in line for line in said)


def said_at_a_terminal(folder, environment):
    """What is said of a target that cannot be reached."""
    (folder / "source").mkdir(exist_ok=True)
    (folder / "file").touch()
    status, said = at_a_terminal("--once", folder / "source", f"{folder}/file/below", environment=environment)
    assert status == 1
    return said


def test_troubles_have_colours_at_a_terminal_that_has_them(folder):
    coloured = said_at_a_terminal(folder, {"TERM": "xterm", "NO_COLOR": ""})
    assert re.search(rb"\x1b\[3[13]m\d\d:\d\d:\d\d [^\r\n]*\x1b\[0m\r\n", coloured)
    for environment in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb", "NO_COLOR": ""}):
        plain = said_at_a_terminal(folder, environment)
        assert b"below" in plain and not re.search(rb"\x1b\[\d*m", plain)


def test_troubles_have_no_colours_in_a_pipe(folder, source):
    (folder / "file").touch()
    done = subprocess.run([INOTIFYSYNC, "--once", source, f"{folder}/file/below"], capture_output=True, timeout=60,
                          env={**os.environ, "TERM": "xterm", "NO_COLOR": ""})
    assert done.returncode == 1 and done.stderr and b"\x1b" not in done.stdout + done.stderr


def test_a_source_that_is_not_there_is_one_line_with_the_program_name(folder):
    done = subprocess.run([INOTIFYSYNC, "nowhere", "copy"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "inotifysync: nowhere: No such file or directory\n"


def test_what_was_never_compared_is_said_at_the_end(folder, source):
    (folder / "file").touch()
    done = subprocess.run([INOTIFYSYNC, "--once", source, f"{folder}/file/below"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "not up to date: everything is to be compared, last error: " in done.stderr
    assert "again in" not in done.stderr  # nothing is, with --once


# As nobody, where we are root, who may look into everything.
AS_A_USER = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] if os.getuid() == 0 else []


@pytest.mark.parametrize("kind, words", [("closed", "Permission denied"), ("file", "Not a directory")])
def test_why_a_source_cannot_be_is_said(folder, kind, words, for_everybody):
    folder.chmod(0o755)
    (folder / "file").touch()
    (folder / "closed").mkdir(mode=0)
    program = for_everybody(INOTIFYSYNC)
    done = subprocess.run([*AS_A_USER, program, "--once", kind, "copy"], cwd=folder, capture_output=True, text=True,
                          timeout=60)
    assert (done.returncode, done.stderr) == (1, f"inotifysync: {kind}: {words}\n")


@pytest.mark.parametrize("option", ["--status-file", "--pid-file"])
def test_what_cannot_be_written_is_said(folder, source, option):
    done = subprocess.run([INOTIFYSYNC, "--once", option, "nowhere/file", source, folder / "copy"], cwd=folder,
                          capture_output=True, text=True, timeout=60)
    assert " nowhere/file cannot be written: No such file or directory\n" in done.stderr


@pytest.mark.plain_build  # a sanitizer needs descriptors of its own
@pytest.mark.parametrize("targets, most, words", [(1, 7, "not watched"), (30, 12, "inotifysync cannot run, ")])
def test_who_may_open_no_more_files_is_told_how_to(folder, source, targets, most, words):
    """It is not the limit of inotify instances, though the kernel says the same of both."""
    command = 'ulimit -n "$0" && exec "$@"'
    program = subprocess.Popen(["sh", "-c", command, str(most), INOTIFYSYNC, source,
                                *(folder / f"copy{n}" for n in range(targets))],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        hint = f"This process may have {most} open files. Raise that limit:  ulimit -n 1024"
        said = []
        for line in program.stderr:
            said.append(line)
            if hint in line and any(words in one for one in said):
                break
        else:
            raise AssertionError("".join(said))
        assert not any("instances" in line for line in said)
    finally:
        program.kill()
        program.communicate()


def test_why_a_daemon_whose_connections_are_taken_got_nothing(folder, source, start_daemon):
    daemon = start_daemon("web1", max_connections="1", lock_file=folder / "lock")
    with socket.create_connection(("127.0.0.1", daemon.port)) as taken:
        taken.sendall(b"@RSYNCD: 31.0\ncontent\n")
        heard = b""
        while b"AUTHREQD" not in heard:
            heard += taken.recv(1000)
        done = subprocess.run([INOTIFYSYNC, "--once", "--password-file", daemon.password_file, source, daemon.url],
                              capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert re.search(r"not up to date: .*, last error: @ERROR: max connections \(1\) reached", done.stderr)


@pytest.mark.parametrize("variables, hint", [({}, True), ({"RSYNC_PASSWORD": "wrong"}, False)])
def test_a_password_that_nobody_gave(source, start_daemon, variables, hint):
    daemon = start_daemon("web1")
    status, said = at_a_terminal("--once", source, daemon.url, environment=variables)  # where rsync would ask for it
    assert status == 1
    assert b" @ERROR: auth failed on module content" in said
    assert (b"; no password file was given" in said) == hint
    assert b"Password:" not in said


def test_without_the_privilege_one_mark_is_refused(folder, source, for_everybody):
    folder.chmod(0o755)
    done = subprocess.run([*AS_A_USER, for_everybody(INOTIFYSYNC), "--fanotify", source, folder / "copy"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert re.fullmatch(rf"\d\d:\d\d:\d\d {re.escape(str(source))} cannot be watched by fanotify: .*;"
                        r" --fanotify-auto does without where it must\n", done.stderr)
