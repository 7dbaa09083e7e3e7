# SPDX-License-Identifier: GPL-2.0-or-later
"""Out of watches or instances: a person at a terminal is told who has them; a script reads what it always read."""

import os
import re
import subprocess

import pytest

NAMESPACES = subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode == 0
pytestmark = pytest.mark.skipif(not NAMESPACES, reason="user namespaces are not allowed here")

TERSE_WATCHES = [
    "Failed to watch d; upper limit on inotify watches reached!",
    "Please increase the amount of inotify watches allowed per user via `/proc/sys/fs/inotify/max_user_watches'.",
]
TERSE_INSTANCES = [
    "Couldn't initialize inotify: Too many open files",
    "Try increasing the value of /proc/sys/fs/inotify/max_user_instances",
]


def said(program, room, limit, terminal):
    """What the program says on standard error where a limit of its user namespace is so low."""
    (room / "d/a/b").mkdir(parents=True, exist_ok=True)
    name, value = limit
    script = f'echo {value} > /proc/sys/user/max_inotify_{name}; exec "$0" -q -r d'
    command = ["unshare", "-Ur", "sh", "-c", script, program]
    if not terminal:
        done = subprocess.run(command, cwd=room, capture_output=True, text=True)
        assert done.returncode == 1 and done.stdout == ""
        return done.stderr.splitlines()
    ours, theirs = os.openpty()
    process = subprocess.Popen(command, cwd=room, stdin=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while chunk := os.read(ours, 4096):
            text += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 1
    return text.decode().splitlines()


def test_a_script_reads_what_it_always_read(inotifywait, room):
    assert said(inotifywait, room, ("watches", 2), terminal=False) == TERSE_WATCHES
    assert said(inotifywait, room, ("instances", 0), terminal=False) == TERSE_INSTANCES


def test_a_person_is_told_who_has_the_watches(inotifywait, room):
    lines = said(inotifywait, room, ("watches", 2), terminal=True)
    assert lines[:2] == TERSE_WATCHES
    assert re.fullmatch(r"Your processes have \d+ of \d+ watches:", lines[2])
    named = [re.fullmatch(r" +(\d+)  (.+) \(process \d+\)", line) for line in lines[3:-2]]
    # Five are named; others of this user may have more watches than our two.
    assert all(named) and (len(named) == 5 or ("2", "inotifywait") in [match.groups() for match in named])
    assert re.search(r"sysctl fs\.inotify\.max_user_watches=\d+$", lines[-2])
    assert "-S" in lines[-1]


def test_a_person_is_told_who_has_the_instances(inotifywait, room):
    lines = said(inotifywait, room, ("instances", 0), terminal=True)
    assert lines[:2] == TERSE_INSTANCES
    assert re.search(r"sysctl fs\.inotify\.max_user_instances=\d+$", lines[-2])


@pytest.mark.plain_build  # a sanitizer needs descriptors of its own
def test_who_may_open_no_more_files_is_not_told_of_instances(inotifywait, room):
    (room / "d").mkdir()
    script = 'ulimit -n 4 && exec "$0" -q -o out d'
    done = subprocess.run(["sh", "-c", script, inotifywait], cwd=room, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "Couldn't initialize inotify: Too many open files",
        "This process may have 4 open files. Raise that limit:  ulimit -n 1024",
    ]


def test_marks_of_fanotify_run_out(inotifywait, room, fanotify_refusal):
    if why_not := fanotify_refusal(room):
        pytest.skip(why_not)
    (room / "d").mkdir()
    (room / "e").mkdir()
    script = 'echo 1 > /proc/sys/user/max_fanotify_marks && exec "$0" -q -F d e'
    done = subprocess.run(
        ["unshare", "-Ur", "sh", "-c", script, inotifywait], cwd=room, capture_output=True, text=True)
    if done.stderr.startswith("sh:"):  # older kernels
        pytest.skip(done.stderr)
    assert (done.returncode, done.stderr) == (
        1, "Couldn't watch e: the limit is reached: see /proc/sys/fs/fanotify/max_user_marks\n")


def test_what_the_limit_left_out_is_watched_when_watches_are_free_again(inotifywait, room):
    script = """
        mkdir -p d/1 d/2 d/3 && echo 5 > /proc/sys/user/max_inotify_watches || exit 1
        "$0" -m -r -e create d >out 2>err & pid=$!
        until grep -q established err; do :; done
        mkdir d/4; until grep -q 4 out; do :; done
        mkdir d/5 d/5/below; until grep -q "Couldn't watch" err; do :; done
        touch d/5/unheard
        rmdir d/1 d/2; until grep -q unheard out; do :; done
        touch d/5/heard d/5/below/heard; until [ "$(grep -c ' heard' out)" = 2 ]; do :; done
        kill $pid; wait $pid
    """
    subprocess.run(["unshare", "-Ur", "sh", "-c", script, inotifywait], cwd=room, timeout=30, check=False)
    assert sorted((room / "out").read_text().splitlines()) == [
        "d/ CREATE,ISDIR 4", "d/ CREATE,ISDIR 5", "d/5/ CREATE heard", "d/5/ CREATE unheard",
        "d/5/ CREATE,ISDIR below", "d/5/below/ CREATE heard"]
    assert (room / "err").read_text().count("Couldn't watch new directory d/5/: No space left on device") == 1
