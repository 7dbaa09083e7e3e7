# SPDX-License-Identifier: GPL-2.0-or-later
"""Random operations against a running `inotifywait -m -r`, and what must hold after every burst of them:

1. Every directory of the tree is watched, and nothing else.
2. Who believes the lines knows the tree: all that is there was reported once, all that was reported is there.
3. A file made in every directory is reported once each, under its right path.

After an overflow of the kernel's queue (the program is stopped while the burst is made) the second cannot hold; the
line that says so must come instead, and the first and third must hold.

    model_watch.py [OPTION...] [SEED...]     see --help
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import model_operations as operations
import model_seeds
import model_shrink
from model_replay import Event, Replay
from program import is_waiting, stop, wait_until, watch_key, watched_inodes

ROOT = Path(__file__).resolve().parents[2]
SANITIZER_STATUS = 99


@dataclass(frozen=True)
class Plan:
    """How the bursts of a seed are made."""

    bursts: int = 12
    size: int = 60
    threads: int = 1
    events: str = "create,delete,move"
    exchanges: bool = False
    overflow: bool = False
    backend: str = "-I"
    inside: bool = False  # nothing is moved in from elsewhere, or out

    @staticmethod
    def of_seed(seed, bursts=12, overflow=False, backend="-I", inside=False):
        """Half of all seeds in one thread, the others in several; some with all events asked for."""
        rng = random.Random(f"plan {seed}")
        return Plan(bursts=bursts, overflow=overflow, backend=backend, inside=inside, size=rng.choice([10, 60, 60, 200]),
                    threads=rng.choice([1, 1, 2, 4]),
                    events=rng.choice(["create,delete,move", "create,delete,move", ""]),
                    exchanges=rng.random() < 0.3 and not inside)


class Watching:
    """The program under test, its lines read as they come."""

    def __init__(self, program, arena, plan):
        self.prefix = b"" if plan.backend == "-I" else os.fsencode(os.path.realpath(arena)) + b"/"
        command = [program, "-m", "-r", plan.backend, "--format", "%e|%c%0%w%0%f%0", "--no-newline"]
        if plan.events:
            command += ["-e", plan.events]
        # Root's queue of fanotify has no limit of its own.
        limited = {"LD_PRELOAD": str(build() / "tests/liblimited_queue.so")} if plan.overflow and plan.backend != "-I" else {}
        self.process = subprocess.Popen(command + [operations.INSIDE], cwd=arena, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **limited})
        self.pid = self.process.pid
        for pipe in (self.process.stdout, self.process.stderr):
            os.set_blocking(pipe.fileno(), False)
        self.raw, self.errors = bytearray(), bytearray()

    def _drain(self):
        for pipe, kept in ((self.process.stdout, self.raw), (self.process.stderr, self.errors)):
            try:
                while chunk := os.read(pipe.fileno(), 1 << 20):
                    kept += chunk
            except BlockingIOError:
                pass

    def has_said(self, words):
        self._drain()
        return words in self.errors

    def _at_rest(self):
        self._drain()
        if self.process.poll() is not None:
            raise AssertionError(f"ended with {self.process.returncode}: {bytes(self.errors).decode(errors='replace')}")
        if not is_waiting(self.pid, finite=True):
            return False
        self._drain()
        return True

    def settle(self):
        """Waits until it has nothing left to say; returns the events since the last time."""
        wait_until(self._at_rest, "the program neither waits nor ends")
        fields = bytes(self.raw).split(b"\0")
        self.raw.clear()
        assert fields.pop() == b"" and len(fields) % 3 == 0, "output that is no whole number of lines"
        return [self._parse(*fields[i:i + 3]) for i in range(0, len(fields), 3)]

    def _parse(self, head, watched, name):
        names, _, cookie = head.decode().partition("|")
        return Event(tuple(names.split(",")), cookie, watched.removeprefix(self.prefix), name)

    def close(self):
        """Ends it; returns what is wrong with how it ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
        self._drain()
        self.process.stdout.close()
        self.process.stderr.close()
        said = bytes(self.errors).decode(errors="replace")
        return [f"ended with {self.process.returncode}: {said}"] if self.process.returncode == SANITIZER_STATUS else []


def directories_of(root):
    """{(inode, device): path} of the directory and all directories below it."""
    return {watch_key(path): path for path, _, _ in os.walk(root)}


def check_watches(watching, root):
    want, have = directories_of(root), watched_inodes(watching.pid)
    wrong = [f"not watched: {path!r}" for key, path in want.items() if key not in have]
    wrong += [f"watched, but not in the tree: inode {inode}" for inode, _ in have - set(want)]
    return wrong


def check_probes(watching, root, serial):
    """A fresh file in every directory: exactly its own path is said, once."""
    expected = []
    for at, path in enumerate(sorted(directories_of(root).values())):
        probe = path + b"/probe-%d-%d" % (serial, at)
        try:
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            expected.append(probe)
        except PermissionError:
            pass
    said = [event.path for event in watching.settle() if "CREATE" in event.names]
    for probe in expected:
        os.unlink(probe)
    watching.settle()
    wrong = [f"probe not reported: {path!r}" for path in expected if path not in said]
    wrong += [f"probe reported under a wrong path: {path!r}" for path in said if path not in expected]
    if len(said) != len(set(said)):
        wrong.append("a probe reported twice")
    return wrong


@dataclass
class Failure:
    burst: int
    wrong: list
    events: list
    said: bytes = b""

    def __str__(self):
        return "\n".join([f"after burst {self.burst}:", *(f"  {line}" for line in self.wrong[:20])])


def run(program, bursts, plan):
    """Plays the bursts in a fresh place. None, or the first Failure."""
    arena = tempfile.mkdtemp(prefix="notify-model-")
    before = os.getcwd()
    os.chdir(arena)
    watching = None
    try:
        os.mkdir(operations.INSIDE)
        os.mkdir(operations.OUTSIDE)
        watching = Watching(program, arena, plan)
        watching.settle()
        failure = _play(watching, bursts, plan)
        wrong = watching.close()
        return failure or (Failure(len(bursts), wrong, []) if wrong else None)
    finally:
        if watching:
            watching.close() if not watching.process.stdout.closed else None
        os.chdir(before)
        shutil.rmtree(arena, ignore_errors=True)


def _play(watching, bursts, plan):
    replay = Replay(operations.INSIDE, plan.inside)
    for number, burst in enumerate(bursts):
        if plan.overflow:
            stop(watching.process)
        operations.perform(burst, plan.threads)
        if plan.overflow:
            _overflow(number, plan.backend)
            watching.process.send_signal(signal.SIGCONT)
        events = watching.settle()
        said = bytes(watching.errors)  # new directories, and an overflow
        watching.errors.clear()
        wrong = check_watches(watching, operations.INSIDE) if plan.backend != "-S" else []
        listing = operations.listing(operations.INSIDE)
        if b"overflowed" in said:
            replay.restart(listing)
        elif plan.overflow:
            wrong.append("the queue overflowed, and nothing says so")
        elif not plan.exchanges:
            replay.take(events)
            wrong += replay.compare(listing)
        wrong += check_probes(watching, operations.INSIDE, number)
        if wrong:
            return Failure(number, wrong, events, said)
    return None


def _overflow(number, backend):
    """More events than the kernel's queue holds: for inotify no two neighbours the same, for fanotify no two of one name."""
    inotify = backend == "-I"
    limit = int(Path(f"/proc/sys/fs/{'inotify' if inotify else 'fanotify'}/max_queued_events").read_text())
    for count in range(limit // 2 + 1 if inotify else limit + 1):
        flood = operations.INSIDE + b"/flood-%d-%d" % (number, 0 if inotify else count)
        os.close(os.open(flood, os.O_WRONLY | os.O_CREAT, 0o600))
        os.unlink(flood)


def make_bursts(seed, plan):
    picture = operations.picture(seed, plan.exchanges, plan.inside)
    return [operations.burst(picture, plan.size) for _ in range(plan.bursts)]


def build():
    return Path(os.environ.get("NOTIFY_BUILD", ROOT / "build")).absolute()


def subject():
    return Path(os.environ.get("NOTIFY_SUBJECT", build() / "tools/inotifywait/inotifywait")).absolute()


def write_dump(directory, seed, bursts, failure):
    lines = [str(failure), "", "operations:", operations.describe(bursts[min(failure.burst, len(bursts) - 1)]), "",
             "events:", *map(str, failure.events), "", "standard error:", failure.said.decode(errors="backslashreplace")]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"seed-{seed}").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description="Random operations against inotifywait -m -r.")
    model_seeds.add_options(parser, count=100, tries=10)
    parser.add_argument("--overflow", action="store_true", help="let the kernel's queue overflow at every burst")
    parser.add_argument("--inside", action="store_true",
                        help="move nothing in from elsewhere: all that comes to be must be told")
    parser.add_argument("--backend", choices=["-I", "-F", "-S"], default="-I",
                        help="how it is to watch (write --backend=-F)")
    parser.add_argument("--dump", metavar="DIRECTORY", help="write the operations and events of a failing burst there")
    parser.add_argument("--bursts", type=int, default=12)
    arguments = parser.parse_args()

    def one(seed):
        plan = Plan.of_seed(seed, arguments.bursts, arguments.overflow, arguments.backend, arguments.inside)
        bursts = make_bursts(seed, plan)
        failure = run(subject(), bursts, plan)
        if failure:
            tell(seed, plan, bursts, failure, arguments)
        return plan.size * plan.bursts, bool(failure)

    return model_seeds.play(arguments, one)


def tell(seed, plan, bursts, failure, arguments):
    if arguments.dump:
        write_dump(Path(arguments.dump), seed, bursts, failure)
    print(f"seed {seed}, {plan}\n{failure}", flush=True)
    if not arguments.shrink:
        return
    bursts, again = model_shrink.shrink(bursts, lambda list_: run(subject(), list_, plan), arguments.tries)
    if again:
        print("shrunk to:", *(operations.describe(burst) for burst in bursts if burst), sep="\n")
        print(again, "events of the last burst:", *again.events, sep="\n", flush=True)
    else:
        print(f"did not fail again in {arguments.tries} tries", flush=True)


if __name__ == "__main__":
    sys.exit(main())
