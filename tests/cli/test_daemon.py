# SPDX-License-Identifier: GPL-2.0-or-later
"""-d: into the background, with the events in a file. What goes wrong is said before the terminal is let go."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from program import furnish, is_waiting, wait_until

MARK = "NOTIFY_TEST_ROOM"


def marked(room):
    """The processes of this test: those that carry its mark in their environment."""
    wanted = f"{MARK}={room}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


@pytest.fixture
def home(room, inotifywait):
    furnish(room / "bin", inotifywait)
    (room / "home/d").mkdir(parents=True)
    yield room / "home"
    for pid in marked(room):
        os.kill(pid, signal.SIGKILL)


def run(home, command):
    environment = os.environ | {"PATH": f"{home.parent}/bin:{os.environ['PATH']}", MARK: str(home.parent)}
    return subprocess.run(["/bin/bash", "-c", command], cwd=home, env=environment, capture_output=True,
                          text=True, timeout=30)


def daemon(home):
    """The one process left, once it waits."""
    wait_until(lambda: len(marked(home.parent)) == 1, lambda: f"processes: {marked(home.parent)}")
    pid = marked(home.parent)[0]
    wait_until(lambda: is_waiting(pid, finite=True), "the daemon waits")
    return pid


@pytest.mark.parametrize("quiet", ["", "-q"])
def test_events_go_to_the_file(home, quiet):
    done = run(home, f"inotifywait -d {quiet} -e create -o {home}/out {home}/d")
    assert done.returncode == 0 and done.stdout == ""
    pid = daemon(home)
    (home / "d/f").touch()
    (home / "d/g").touch()
    wait_until(lambda: (home / "out").read_text().count("\n") == 2, "two lines")
    assert (home / "out").read_text() == f"{home}/d/ CREATE f\n{home}/d/ CREATE g\n"
    assert os.getsid(pid) != os.getsid(0)
    assert [os.readlink(f"/proc/{pid}/fd/{number}") for number in (0, 2)] == ["/dev/null", "/dev/null"]


def test_old_lines_stay(home):
    (home / "out").write_text("before\n")
    assert run(home, f"inotifywait -d -e create -o {home}/out {home}/d").returncode == 0
    daemon(home)
    (home / "d/f").touch()
    wait_until(lambda: (home / "out").read_text().count("\n") == 2, "a second line")
    assert (home / "out").read_text() == f"before\n{home}/d/ CREATE f\n"


def test_relative_names_are_looked_up_where_it_was_started(home):
    assert run(home, "inotifywait -d -q -r -e create -o out d").returncode == 0
    daemon(home)
    (home / "d/f").touch()
    wait_until(lambda: (home / "out").read_text() == "d/ CREATE f\n", "the line")
    (home / "d/s").mkdir()
    wait_until(lambda: "CREATE,ISDIR s" in (home / "out").read_text(), "the directory")
    daemon(home)
    (home / "d/s/g").touch()
    wait_until(lambda: "d/s/ CREATE g\n" in (home / "out").read_text(), "a line from the new directory")


@pytest.mark.parametrize("arguments, complaint", [
    ("-o {home}/out {home}/nope", "Couldn't watch {home}/nope: No such file or directory"),
    ("-o out nope", "Couldn't watch nope: No such file or directory"),
    ("-o nope/out d", "nope/out"),
    ("-o d d", "d"),
    ("-o out", "No files specified to watch!"),
    ("-e bogus -o out d", "'bogus' is not a valid event!"),
    ("d", "-o must be specified with -d."),
])
def test_what_goes_wrong_is_said_at_the_prompt(home, arguments, complaint):
    done = run(home, f"inotifywait -d {arguments.format(home=home)}")
    assert complaint.format(home=home) in done.stderr
    assert done.returncode == 1
    wait_until(lambda: marked(home.parent) == [], "no process stays")


def test_it_goes_on_until_it_is_told_to_end(home):
    assert run(home, "inotifywait -d -q -o out d").returncode == 0
    pid = daemon(home)
    for number in range(3):
        (home / f"d/{number}").touch()
        wait_until(lambda: f"CREATE {number}\n" in (home / "out").read_text(), f"line {number}")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: marked(home.parent) == [], "the end")


def test_a_timeout_ends_it(home):
    assert run(home, "inotifywait -d -q -t 1 -o out d").returncode == 0
    wait_until(lambda: marked(home.parent) == [], "the end")


def test_started_with_all_streams_closed(home):
    assert run(home, "inotifywait -d -q -e create -o out d <&- >&- 2>&-").returncode == 0
    daemon(home)
    (home / "d/f").touch()
    wait_until(lambda: (home / "out").read_text() == "d/ CREATE f\n", "the line")
