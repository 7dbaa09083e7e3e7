# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures inotifysync beside lsyncd and the classic loop, against three rsync daemons on loopback.

    scripts/bench sync [--with NAME]... [--only WORK]... [--files 10000]

Run by hand, on an idle machine, after a build. Everything lies in /dev/shm. Processor time is that of all processes
(the program, every rsync, the daemons), from the first start to the last end, the same without any work taken off.
"""

import argparse
import ctypes
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1] / "sync")]
from programs import processor_time, quiet, wait_until  # noqa: E402
from sync_support import BUILD, INOTIFYSYNC, PASSWORD, ROOT, RsyncDaemon  # noqa: E402

PR_SET_CHILD_SUBREAPER = 36


def shape(top, below=""):
    """Every path with size and time; quick enough to be asked again and again."""
    entries, stack = {}, [os.path.join(top, below)]
    while stack:
        with os.scandir(stack.pop()) as listing:
            for entry in listing:
                info = entry.stat(follow_symlinks=False)
                is_directory = entry.is_dir(follow_symlinks=False)
                entries[os.path.relpath(entry.path, top)] = (
                    is_directory or (info.st_size, info.st_mtime_ns), info.st_mode)
                if is_directory:
                    stack.append(entry.path)
    return entries


def no_child_left():
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return True
    return False


class Arena:
    """A source, three daemons, and one program that keeps them identical."""

    def __init__(self, program, files):
        self.folder = Path(tempfile.mkdtemp(prefix="sync-bench-", dir="/dev/shm"))
        self.source = self.folder / "source"
        for n in range(files):
            directory = self.source / f"d{n % 100}"
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"f{n}").write_text("x" * 100)
        self.daemons = [RsyncDaemon(self.folder, f"web{n}").start() for n in (1, 2, 3)]
        self.started = []
        if program:
            self.started = program(self)
            self.wait_identical(120)
            self.settle()
        self.runs_before, self.bytes_before = self.runs(), self.bytes()

    def start(self, *command, **more):
        process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True, **more)
        return process

    def roots(self, daemons=None):
        return [d.root for d in (daemons or self.daemons)]

    def identical(self, below="", daemons=None):
        try:
            wanted = shape(self.source, below)
            return all(shape(root, below) == wanted for root in self.roots(daemons))
        except OSError:
            return False

    def wait_identical(self, deadline, below="", daemons=None, pause=0.01):
        if not wait_until(lambda: self.identical(below, daemons), deadline, pause):
            raise TimeoutError(f"over {deadline} s")

    def settle(self):
        """Until the watches are up and nothing is under way; the loop never rests."""
        wait_until(quiet(lambda: ([processor_time(process.pid) for process in self.started], self.runs()), 1), 5)

    def runs(self):
        return sum(d.log.read_text(errors="replace").count("rsync to content") for d in self.daemons)

    def bytes(self):
        total = 0
        for daemon in self.daemons:
            for line in daemon.log.read_text(errors="replace").splitlines():
                words = line.split()
                if "received" in words and "bytes" in words:
                    total += int(words[words.index("received") + 1].replace(",", ""))
        return total

    def end(self):
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.started:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.more_runs, self.more_bytes = self.runs() - self.runs_before, self.bytes() - self.bytes_before
        for process in self.started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for daemon in self.daemons:
            daemon.stop()
        wait_until(no_child_left, 60)  # orphans became ours
        shutil.rmtree(self.folder)


def inotifysync(arena):
    return [arena.start(INOTIFYSYNC, "--delete", "-q", "--password-file", arena.daemons[0].password_file, arena.source,
                        *(d.url for d in arena.daemons))]


def lsyncd(arena):
    config = arena.folder / "lsyncd.lua"
    syncs = "".join(
        f'sync{{default.rsync, source="{arena.source}/", target="{d.url}", delay=0, delete=true,\n'
        f'  rsync={{archive=true, hard_links=true, password_file="{d.password_file}"}}}}\n' for d in arena.daemons)
    config.write_text("settings{nodaemon=true, maxProcesses=6}\n" + syncs)
    return [arena.start("lsyncd", config)]


def loop(arena):
    path = f"{BUILD}/tools/inotifywait:{os.environ['PATH']}"
    for daemon in arena.daemons:
        subprocess.run(["rsync", "-a", f"--password-file={daemon.password_file}", f"{arena.source}/", daemon.url],
                       check=True)
    return [arena.start(ROOT / "scripts/recipes/seed-loop", f"{arena.source}/", d.url, d.password_file,
                        env={**os.environ, "PATH": path}) for d in arena.daemons]


def bare(arena):
    arena_env = {**os.environ, "RSYNC_PASSWORD": PASSWORD}
    for daemon in arena.daemons:
        subprocess.run(["rsync", "-a", f"{arena.source}/", daemon.url], check=True, env=arena_env)
    return []


def latencies(arena, count, gap, daemons=None):
    seen = []
    for n in range(count):
        path = arena.source / f"d{n % 100}/f{n % 100}"
        text = f"content {n} {time.monotonic_ns()}".encode()
        path.write_bytes(text)
        start = time.perf_counter()
        left = [root / path.relative_to(arena.source) for root in arena.roots(daemons)]
        while left and time.perf_counter() - start < 10:
            left = [p for p in left if not (p.exists() and p.stat().st_size == len(text) and p.read_bytes() == text)]
            time.sleep(0.0003)
        seen.append((time.perf_counter() - start) * 1000)
        time.sleep(gap)
    seen.sort()
    return f"median {statistics.median(seen):.1f} ms, p95 {seen[int(len(seen) * 0.95)]:.1f} ms"


def one_file(arena):
    return latencies(arena, 60, 0.3)


def one_hung(arena):
    arena.daemons[0].pause()
    try:
        return latencies(arena, 40, 0.1, arena.daemons[1:])
    finally:
        arena.daemons[0].resume()


def timed(arena, deadline, below=""):
    start = time.perf_counter()
    try:
        arena.wait_identical(deadline, below)
    except TimeoutError as late:
        return str(late)
    return f"{time.perf_counter() - start:.2f} s"


def write_burst(arena, number):
    """5,000 files in 200 new directories; their names."""
    names = []
    for n in range(200):
        (arena.source / f"burst{number}/{n}").mkdir(parents=True)
    for n in range(5000):
        names.append(f"burst{number}/{n % 200}/{n}")
        (arena.source / names[-1]).write_text("x" * 800)
    return names


def last_arrival(arena, below):
    """When the last file got its name on a target: nothing needs to be asked meanwhile, which costs time, too."""
    return max(path.lstat().st_ctime for root in arena.roots() for path in (root / below).glob("*/*"))


def burst(arena):
    made, more = [], []
    for number in range(5):
        start = time.time()
        write_burst(arena, number)
        written = time.time()
        arena.wait_identical(60, f"burst{number}", pause=1)
        made.append(written - start)
        more.append(last_arrival(arena, f"burst{number}") - written)
    return f"made in {statistics.median(made):.2f} s, then {statistics.median(more):.2f} s"


def big_file(arena):
    with open(arena.source / "big", "wb") as file:
        for _ in range(100):
            file.write(os.urandom(1_000_000))
            file.flush()
            time.sleep(0.1)
    return "after close " + timed(arena, 60)


def rename(arena):
    for n in range(2000):
        path = arena.source / f"tree/{n % 20}/{n}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(n) * 900)
    arena.wait_identical(120)
    arena.settle()
    arena.runs_before, arena.bytes_before = arena.runs(), arena.bytes()
    (arena.source / "tree").rename(arena.source / "renamed")
    return timed(arena, 60)


def deep(arena):
    for n in range(500):
        (arena.source / f"deep/{n}/a/b/c").mkdir(parents=True)
        (arena.source / f"deep/{n}/a/b/c/file").write_text("x")
    return timed(arena, 60, "deep")


def overflow(arena):
    for process in arena.started:
        process.send_signal(signal.SIGSTOP)
    for n in range(24_000):
        (arena.source / f"d{n % 100}/new{n % 12000}").write_text("y" * (2000 + n % 7))
    for process in arena.started:
        process.send_signal(signal.SIGCONT)
    return timed(arena, 120)


def trickle(arena):
    """A new file every 50 ms; the lag of each until it is everywhere."""
    waiting, lags = {}, []

    def look():
        for path, made in list(waiting.items()):
            if all((root / path).exists() for root in arena.roots()):
                lags.append((time.perf_counter() - made) * 1000)
                del waiting[path]

    end = time.perf_counter() + 15
    n, due = 0, time.perf_counter()
    while time.perf_counter() < end or (waiting and time.perf_counter() < end + 15):
        if time.perf_counter() >= due and time.perf_counter() < end:
            path = f"d{n % 100}/trickle{n}"
            (arena.source / path).write_text("x" * 300)
            waiting[path] = time.perf_counter()
            n, due = n + 1, due + 0.05
        look()
        time.sleep(0.001)
    lags.sort()
    return f"median {statistics.median(lags):.0f} ms, p95 {lags[int(len(lags) * 0.95)]:.0f} ms, {len(waiting)} late"


def nothing(arena):
    time.sleep(1)
    return ""


def bare_burst(arena):
    times = []
    for number in range(5):
        listing = "\0".join(write_burst(arena, number)).encode()
        start = time.time()
        runs = [subprocess.Popen(["rsync", "-aH", "--files-from=-", "--from0", f"{arena.source}/", d.url],
                                 stdin=subprocess.PIPE, env={**os.environ, "RSYNC_PASSWORD": PASSWORD})
                for d in arena.daemons]
        for run in runs:
            run.stdin.write(listing)
            run.stdin.close()
        for run in runs:
            run.wait()
        times.append(last_arrival(arena, f"burst{number}") - start)
    return f"{statistics.median(times):.2f} s from a start after the writing"


PROGRAMS = {"inotifysync": inotifysync, "lsyncd": lsyncd, "loop": loop}
WORKS = {"one_file": one_file, "one_hung": one_hung, "burst": burst, "big_file": big_file, "rename": rename,
         "deep": deep, "overflow": overflow, "trickle": trickle}


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(program, work, files):
    before = processor_seconds()
    arena = Arena(program, files)
    try:
        said = work(arena)
    finally:
        arena.end()
    return said, processor_seconds() - before, arena.more_runs, arena.more_bytes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--with", dest="programs", action="append", choices=PROGRAMS)
    parser.add_argument("--only", action="append", choices=WORKS)
    parser.add_argument("--files", type=int, default=10_000)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    wanted = [n for n in (options.programs or PROGRAMS) if n != "lsyncd" or shutil.which("lsyncd")]
    idle = {name: measure(PROGRAMS[name], nothing, options.files)[1] for name in wanted}
    for work in options.only or WORKS:
        for name in wanted:
            said, cpu, runs, size = measure(PROGRAMS[name], WORKS[work], options.files)
            print(f"{work:9} {name:12} {said:44} cpu {max(0, cpu - idle[name]):5.1f} s  runs {runs:4}  "
                  f"received {size / 1e6:7.2f} MB", flush=True)
        if work == "burst":
            said, *_ = measure(bare, bare_burst, options.files)
            print(f"{work:9} {'bare rsync':12} {said}", flush=True)


if __name__ == "__main__":
    main()
