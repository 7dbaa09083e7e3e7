#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays the cases of the README's table "Beside its neighbours", with whichever of the programs is installed.

    tests/bench/peers.py

Takes some minutes: it has to wait for the slowest. What is printed is what was seen; it is no test.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests/sync")]
from programs import idle, processor_time, quiet, wait_until, watches_of  # noqa: E402
from sync_support import BUILD, INOTIFYSYNC, RsyncDaemon, differences  # noqa: E402

OURS = BUILD / "tools/inotifywait/inotifywait"
PRINTERS = {
    "inotify-tools": ["/usr/bin/inotifywait", "-m", "-r", "-q", "d"],
    "fswatch": ["fswatch", "-r", "-x", "d"],
    "notify-tools": [OURS, "-m", "-r", "-q", "d"],
}


class Printer:
    """One that prints events of the directory "d" of a room of its own."""

    def __init__(self, command, setup):
        self.room = Path(tempfile.mkdtemp())
        (self.room / "d").mkdir()
        self.shell(setup)
        self.out, self.err = self.room / "out", self.room / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(command, cwd=self.room, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        directories = sum(path.is_dir() for path in (self.room / "d").rglob("*")) + 1
        wait_until(lambda: watches_of(self.process.pid) >= directories, 60)
        self.settle()

    def settle(self):
        """None but ours can be asked whether all that was done has been looked at."""
        wait_until(idle(self.process.pid, 1), 10)

    def shell(self, command):
        subprocess.run(["bash", "-c", command], cwd=self.room, check=True)

    def end(self, seconds):
        """What it printed by then; fswatch writes what it holds when it is asked to end."""
        wait_until(lambda: self.process.poll() is not None, seconds)
        status = self.process.poll()
        self.process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.process.poll() is not None, 5)
        self.process.kill()
        self.process.wait()
        said = self.out.read_text(), self.err.read_text(), status
        shutil.rmtree(self.room)
        return said


def print_cases(name, command):
    printer = Printer(command, "true")
    printer.shell("for i in {1..400}; do mkdir -p d/$i/a/b/c && : > d/$i/a/b/c/f; done")
    out, _, _ = printer.end(10)
    made = {word for line in out.splitlines() if "CREATE" in line or "Created" in line
            for word in [re.sub(r" (CREATE\S*|Created.*) ?", "", line).rstrip("/")] if word}
    print(f"{name}: of 2,000 entries made in new directories, {len(made)} are told")

    printer = Printer(command, "mkdir -p d/old/{1..50}/x")
    printer.shell("mv d/old d/new")
    printer.settle()
    printer.shell("for i in {1..50}; do echo > d/new/$i/x/f; done")
    out, _, _ = printer.end(10)
    right = {line.split()[0] for line in out.splitlines() if re.search(r"d/new/\d+/x/ ?(CREATE )?f", line)}
    print(f"{name}: of 50 changes below a renamed directory, {len(right)} are told by their paths")

    printer = Printer(command, "mkdir -p d/a/x")
    printer.shell("mv d/a gone")
    printer.settle()
    printer.shell("echo > gone/x/f")
    out, _, _ = printer.end(5)
    told = [line for line in out.splitlines() if re.search(r"d/a/x/ ?(CREATE )?f", line)]
    print(f"{name}: in a directory that was moved away: {told[:1]}")

    # A short latency: with its own, fswatch takes ten minutes to come to the end of the queue.
    printer = Printer([*command[:1], *(["-l", "0.1"] if name == "fswatch" else []), *command[1:]], "true")
    printer.process.send_signal(signal.SIGSTOP)
    printer.shell("for i in {1..20000}; do : > d/$i; done")
    printer.process.send_signal(signal.SIGCONT)
    _, err, status = printer.end(90)
    print(f"{name}: the kernel dropped events: said {err.strip()!r}, status {status}")


def lsyncd(folder, daemon, source, more=""):
    config = folder / "lsyncd.lua"
    config.write_text(f'settings{{nodaemon=true}}\nsync{{default.rsync, source="{source}/", target="{daemon.url}", {more}'
                      f'rsync={{archive=true, password_file="{daemon.password_file}"}}}}\n')
    return ["lsyncd", config]


def ours(folder, daemon, source):
    return [INOTIFYSYNC, "--delete", "--password-file", daemon.password_file, source, daemon.url]


def sync_cases(name, command_of):
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    daemon, source = RsyncDaemon(folder, "node").start(), folder / "source"
    (source / "old").mkdir(parents=True)
    for number in range(500):
        (source / "old" / str(number)).write_bytes(os.urandom(20_000))

    def launch():
        with open(folder / "said", "ab") as said:
            return subprocess.Popen(list(map(str, command_of(folder, daemon, source))), stdout=said, stderr=said,
                                    start_new_session=True)

    def same():
        return not differences(source, daemon.root)

    program = launch()
    wait_until(same, 60)
    at_rest = quiet(lambda: (processor_time(program.pid), len(daemon.log.read_text())), 1)
    wait_until(at_rest, 10)
    logged = len(daemon.log.read_text())
    started = time.monotonic()
    (source / "old").rename(source / "new")
    wait_until(same, 60)
    took = time.monotonic() - started
    wait_until(quiet(lambda: len(daemon.log.read_text()), 2), 20)
    received = sum(map(int, re.findall(r"received (\d+) bytes", daemon.log.read_text()[logged:])))
    print(f"{name}: 10 MB renamed: {received} bytes received by the target, in step after {took:.1f} s")

    one, copy = source / "new/one", daemon.root / "new/one"
    second = time.time_ns() // 10**9 * 10**9
    for text, part in (("aaaa", 1), ("bbbb", 2)):
        one.write_text(text)
        os.utime(one, ns=(second + part * 10**8,) * 2)
        arrived = wait_until(lambda: copy.exists() and copy.read_text() == text, 40)
    print(f"{name}: same size, same second: {'is sent' if arrived else 'the target keeps the old one'}")
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()

    daemon.stop()
    program = launch()
    ended = wait_until(lambda: program.poll() is not None, 5)
    print(f"{name}: a target is down at the start: {f'it ends with {program.poll()}' if ended else 'it goes on'}")
    if not ended:
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    shutil.rmtree(folder)


def main():
    for name, command in PRINTERS.items():
        if shutil.which(str(command[0])):
            print_cases(name, command)
    for name, command_of in (("lsyncd", lsyncd), ("notify-tools", ours)):
        if name != "lsyncd" or shutil.which("lsyncd"):
            sync_cases(name, command_of)


if __name__ == "__main__":
    main()
