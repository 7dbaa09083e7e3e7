# SPDX-License-Identifier: GPL-2.0-or-later
"""What inotifywatch does beyond inotify-tools, and where it is meant to differ from it."""

import csv
import fcntl
import io
import json
import os
import re
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

from program import wait_until
from watch_program import OURS, Case, Watch, counts_of, play

QUEUE = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
TREE = "mkdir -p a/b c; touch a/f a/b/g c/h.txt c/i.txt"
STEPS = ("touch a/new.txt", "cat a/f", "cat a/b/g", "chmod 600 c/h.txt")

pytestmark = pytest.mark.skipif(not OURS.exists(), reason=f"{OURS}: build it first, or say in NOTIFY_BUILD where it is")


def run(arguments, room, tree=TREE, steps=STEPS, **more):
    return play(Case("", arguments, tree, tuple(steps), **more), OURS, room)


def started(arguments, room, tree=TREE, **more):
    home = room / "home"
    home.mkdir(parents=True)
    subprocess.run(["/bin/sh", "-ec", tree], cwd=home, check=True)
    watch = Watch(OURS, arguments, home, **more)
    watch.start_up()
    return watch


# Sorting by keys that make the reference crash.

@pytest.mark.parametrize(("key", "expected"), [
    (["-a", "all_events"], ["c/", "a/b/", "a/"]),
    (["-d", "all_events"], ["a/", "a/b/", "c/"]),
    (["-d", "close"], ["a/", "a/b/", "c/"]),
    (["-d", "move"], ["a/b/", "a/", "c/"]),
    (["-d", "create,attrib"], ["a/", "c/", "a/b/"]),
    (["-a", "create,attrib"], ["a/b/", "c/", "a/"]),
    (["-a", "q_overflow", "-e", "q_overflow,open,close,create,attrib"], ["a/b/", "a/", "c/"]),
    (["-d", "isdir", "-e", "isdir,open,close,create,attrib"], ["a/b/", "a/", "c/"]),
])
def test_sorting_by_keys_without_a_counter(key, expected, room):
    outcome = run(["-r", *key, "a", "c"], room)
    assert outcome.status == 0
    assert list(counts_of(outcome.out)) == expected


# Rows of directories that move.

def test_all_below_a_directory_that_moved_out_goes_with_it(room):
    steps = ("touch a/b/n", "mkdir -p a/b/s", "touch a/b/s/n", "mv a/b outside", "touch outside/m", "touch outside/s/m", "touch a/m")
    outcome = run(["-r", "-z", "-e", "create,move", "a"], room, steps=steps)
    assert counts_of(outcome.out) == {"a/": {"total": 2, "moved_from": 1, "moved_to": 0, "create": 1}}


@pytest.mark.parametrize("asked", ["moved_from", "moved_to", "move_self"])
def test_half_a_rename_ends_no_row(room, asked):
    """Of one event alone nobody knows where the directory went: the row stays, is called as before and counts on."""
    outcome = run(["-r", "-e", f"{asked},attrib", "a"], room, steps=("touch a/b", "mv a/b a/q", "touch a/q"))
    counts = counts_of(outcome.out)
    assert set(counts) == {"a/b/", "a/"} and counts["a/b/"]["attrib"] == 2
    assert sum(row[asked] for row in counts.values()) == 1


def test_every_name_below_follows_each_rename(room):
    tree = "mkdir -p d/a d/b d/c/e d/f"
    steps = ("mv d D", "touch D/c/e/n", "mv D d", "mv d E", "touch E/b/n")
    outcome = run(["-r", "-z", "-e", "create,move", "."], room, tree, steps)
    assert set(counts_of(outcome.out)) == {"./", "./E/", "./E/a/", "./E/b/", "./E/c/", "./E/c/e/", "./E/f/"}


# Counts.

@pytest.mark.parametrize("options", [[], ["-e", "open,close"], ["--by", "extension"], ["--exclude", "nothing"]])
def test_counts_are_exact(options, room):
    """No two neighbours are equal, so none is merged; and the queue is emptied before it is full."""
    pairs = 25_000
    with started([*options, "a", "c"], room) as watch:
        names = [str(watch.room / name) for name in ("a/f", "c/h.txt", "c/i.txt")]
        for i in range(pairs):
            os.close(os.open(names[i % 3], os.O_RDONLY))
            if i % 2000 == 0:
                watch.settle()
        watch.settle()
        outcome = watch.end()
    assert b"low" not in outcome.err
    rows = counts_of(outcome.out)
    assert sum(row["open"] for row in rows.values()) == pairs
    assert sum(row["close_nowrite"] for row in rows.values()) == pairs
    assert sum(row["total"] for row in rows.values()) == 2 * pairs


def test_what_happened_before_the_signal_is_counted(room):
    with started(["a"], room) as watch:
        for i in range(300):
            os.close(os.open(watch.room / "a/f", os.O_RDONLY))
        outcome = watch.end()  # without waiting for it to become idle
    assert counts_of(outcome.out)["a/"] == {"total": 600, "close_nowrite": 300, "open": 300}


@pytest.mark.skipif(QUEUE > 200_000, reason="fs.inotify.max_queued_events is too large to fill")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_overflow_is_said(options, room):
    with started([*options, "a"], room) as watch:
        watch.signal("STOP")
        wait_until(lambda: Path(f"/proc/{watch.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", "SIGSTOP")
        for i in range(QUEUE):
            os.close(os.open(watch.room / "a/f", os.O_RDONLY))
        watch.signal("CONT")
        watch.settle()
        outcome = watch.end()
    assert outcome.status == 0
    assert re.search(rb"overflowed \(once\): events were lost and these counts are low", outcome.err)
    if options:
        said = json.loads(outcome.out)
        assert said["overflows"] == 1
        assert said["totals"]["total"] == QUEUE
    else:
        assert counts_of(outcome.out)["a/"]["total"] == QUEUE


# Signals.

def test_interrupted_while_setting_up(room):
    """Standard input is a pipe that stays open, so the list of operands is never complete."""
    (room / "home").mkdir()
    with Watch(OURS, ["--fromfile", "-"], room / "home", stdin=subprocess.PIPE) as watch:
        watch.reads_operands()
        watch.signal("INT")
        watch.wait_for(b"interrupt me again.\n")
        watch.process.stdin.close()
        watch.wait_for(b"No files specified to watch!")
    (room / "again").mkdir()
    with Watch(OURS, ["--fromfile", "-"], room / "again", stdin=subprocess.PIPE) as watch:
        watch.reads_operands()
        watch.signal("INT")
        watch.wait_for(b"interrupt me again.\n")
        outcome = watch.end("INT")
        watch.process.stdin.close()
    assert outcome.status == 1
    assert outcome.out == b""
    assert outcome.err == (
        b"No statistics have been collected because I haven't finished establishing\n"
        b"inotify watches yet.  If you are sure you want me to exit, interrupt me again.\n"
        b"No statistics collected, asked to abort before all watches could be established.\n")


def test_interrupted_once_while_setting_up_and_later(room):
    home = room / "home"
    (home / "a").mkdir(parents=True)
    with Watch(OURS, ["--fromfile", "-"], home, stdin=subprocess.PIPE) as watch:
        watch.reads_operands()
        watch.signal("INT")
        watch.wait_for(b"interrupt me again.\n")
        watch.process.stdin.write(b"a\n")
        watch.process.stdin.close()
        watch.start_up()
        watch.step("mkdir a/n")
        outcome = watch.end("INT")
    assert outcome.status == 0
    assert counts_of(outcome.out)["a/"]["create"] == 1


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_signals_that_were_ignored_are_heard(name, room):
    def ignore():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)

    with started(["a"], room, preexec_fn=ignore) as watch:
        watch.step("touch a/f")
        watch.step("^USR1")
        outcome = watch.end(name)
    assert outcome.status == 0
    assert outcome.out.count(b"total") == 2


def test_a_closed_standard_output_is_no_error(room):
    with started(["a"], room, preexec_fn=lambda: os.close(1)) as watch:
        watch.step("touch a/f")
        assert watch.end().status == 0


def test_timeout_ends_by_itself(room):
    began = time.monotonic()
    with started(["-t", "3", "a"], room) as watch:
        watch.step("touch a/f")
        wait_until(watch.ended, "the timeout")
        assert time.monotonic() - began > 2.9
        assert counts_of(watch.out)["a/"]["total"] == 3


# Periods.

def test_periods_add_up(room):
    with started(["--interval", "0.2", "-r", "--json", "-e", "create", "a"], room) as watch:
        for i in range(20):
            watch.shell(f"touch a/{i}")
        wait_until(lambda: watch.out.count(b"\n") >= 3, "three periods")
        watch.shell("touch a/b/last")
        outcome = watch.end()
    periods = [json.loads(line) for line in outcome.out.splitlines()]
    assert sum(period["totals"]["create"] for period in periods) == 21
    assert all(period["seconds"] > 0 for period in periods)
    assert [period["time"] for period in periods] == sorted(period["time"] for period in periods)


def test_periods_end_with_the_timeout(room):
    with started(["--interval", "0.5", "-t", "1", "--json", "a"], room) as watch:
        wait_until(watch.ended, "the timeout")
        periods = [json.loads(line) for line in watch.out.splitlines()]
    # However late a busy machine lets it run, no period is lost and none is counted twice.
    assert len(periods) >= 2
    assert sum(period["seconds"] for period in periods) >= 0.99


def test_periods_are_blocks_in_a_pipe(room):
    with started(["--interval", "0.2", "-e", "create", "a"], room) as watch:
        wait_until(lambda: watch.out.count(b"\n\n") >= 1, "a period")
        watch.shell("touch a/1")
        wait_until(lambda: b"filename" in watch.out, "a table")
        outcome = watch.end()
    blocks = outcome.out.decode().rstrip("\n").split("\n\n")
    for block in blocks:
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \d+\.\d{3} s  \d+ events  \d+\.\d/s(\n|$)", block)
    tables = [block.split("\n", 1)[1] for block in blocks if "\n" in block]
    assert tables == ["total  create  filename\n1      1       a/"]
    assert b"\x1b" not in outcome.out
    assert b"No events" not in outcome.err


def test_csv_of_periods_has_one_title(room):
    with started(["--interval", "0.2", "--csv", "--rates", "-e", "create", "a"], room) as watch:
        for i in range(3):
            before = watch.out.count(b"\n")
            watch.shell(f"touch a/{i}")
            wait_until(lambda: watch.out.count(b"\n") > before, "a row")
        outcome = watch.end()
    rows = list(csv.reader(io.StringIO(outcome.out.decode())))
    assert rows[0] == ["time", "path", "total", "per_second", "create"]
    assert sum(int(row[2]) for row in rows[1:]) == 3
    assert all(float(row[0]) > 1e9 for row in rows[1:])


def read_terminal(master, text, need):
    def enough():
        try:
            text.append(os.read(master, 65536))
        except BlockingIOError:
            pass
        return need in b"".join(text)
    wait_until(enough, lambda: f"{need!r} in {b''.join(text)!r}")


def test_periods_are_drawn_in_place_on_a_terminal(room):
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 40, 0, 0))
    os.set_blocking(master, False)
    text = []
    tree = "; ".join(f"mkdir -p 'd/{i}\x1b'" for i in range(9))
    with started(["--interval", "0.2", "-r", "-z", "-e", "create", "d"], room, tree=tree, stdout=slave) as watch:
        os.close(slave)
        watch.shell("touch 'd/1\x1b/f'")
        read_terminal(master, text, b"d/1?/\x1b[K")
        watch.end()
    os.close(master)
    screens = b"".join(text).split(b"\x1b[H")[1:]
    assert screens[0].endswith(b"\x1b[J") or len(screens) == 1
    shown = next(screen for screen in screens if b"d/1?/" in screen)
    lines = shown.replace(b"\r", b"").split(b"\x1b[K\n")
    assert len(lines) - 1 <= 5          # no more than fits
    assert all(len(line) <= 40 for line in lines)


# Command lines.

@pytest.mark.parametrize(("arguments", "said"), [
    (["--interval", "0", "a"], "'0' is not a valid interval; please specify seconds, at least 0.01."),
    (["--top", "x", "a"], "'x' is not a valid number of rows; please specify a whole number above zero."),
    (["--by", "size", "a"], "'size' is not what rows can be grouped by; please specify directory, extension or event."),
    (["--json", "--csv", "a"], "--json and --csv cannot both be specified."),
])
def test_what_is_wrong_is_said_in_a_line(arguments, said, room):
    outcome = run(arguments, room)
    assert outcome.err.decode() == said + "\n"
    assert outcome.status == 1
    assert outcome.out == b""


def test_by_another_name(room):
    other = room / "fsnotifywatch"
    other.symlink_to(OURS)
    said = subprocess.run([other, "--help"], capture_output=True, text=True)
    assert said.returncode == 1
    assert said.stdout.startswith("fsnotifywatch ")
    assert "Usage: fsnotifywatch [ options ]" in said.stdout
    wrong = subprocess.run([other, "-Z"], capture_output=True, text=True)
    assert wrong.stderr == f"{other}: invalid option -- 'Z'\n"
