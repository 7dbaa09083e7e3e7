# SPDX-License-Identifier: GPL-2.0-or-later
"""Random operations on the source of a running inotifysync, and troubles: after every burst all targets become the
same as the source (types, contents, modes, nanosecond times, links).

    model_sync.py [OPTION...] [SEED...]     see --help
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

import model_operations as operations  # noqa: E402
import model_seeds  # noqa: E402
import model_shrink  # noqa: E402
from model_troubles import TROUBLES  # noqa: E402
from proxy import Proxy  # noqa: E402
from sync_support import RSYNC, Inotifysync, RsyncDaemon, differences, wait_until  # noqa: E402

DEADLINE = float(os.environ.get("NOTIFY_DEADLINE", "60"))  # seconds


@dataclass
class Stage:
    """A source, a local target, a daemon, and a daemon behind a proxy; `rsync` is found in `bin` alone."""

    folder: Path
    options: tuple = ()  # of inotifysync

    def __post_init__(self):
        for name in ("t", "o", "local", "bin"):
            (self.folder / name).mkdir()
        self.rsync(True)
        self.daemons = [RsyncDaemon(self.folder, f"web{n}").start() for n in (1, 2)]
        self.proxy = Proxy(self.daemons[1].port)
        self.program = None

    def rsync(self, there):
        if there:
            (self.folder / "bin/rsync").symlink_to(RSYNC)
        else:
            (self.folder / "bin/rsync").unlink()

    def start(self):
        self.program = Inotifysync(
            self.folder, "--delete", "--timeout", "3", *self.options, "--pid-file", self.folder / "pid",
            "--password-file", self.daemons[0].password_file, f"{self.folder}/t/", f"{self.folder}/local/", self.daemons[0].url, self.proxy.url(self.daemons[1]),
            environment={"PATH": str(self.folder / "bin")})

    def wait_ready(self):
        """It watches, and takes signals."""
        itself = f"{self.program.process.pid}\n"
        pid_file = self.folder / "pid"
        wait_until(lambda: pid_file.exists() and pid_file.read_text() == itself, self.program.output, DEADLINE)

    def targets(self):
        return [self.folder / "local", *(daemon.root for daemon in self.daemons)]

    def wrong(self):
        return [f"{target.relative_to(self.folder)}: {line.replace(f'{self.folder}/', '')}"
                for target in self.targets() for line in differences(self.folder / "t", target)]

    def wait_identical(self):
        try:
            wait_until(lambda: not self.wrong(), "the targets are the source", DEADLINE)
        except AssertionError:
            return self.wrong() or []
        return []

    def close(self):
        if self.program:
            self.program.kill()
        self.proxy.close()
        for daemon in self.daemons:
            daemon.stop()


def describe_process(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return f"{pid} {state} {Path(f'/proc/{pid}/cmdline').read_text().replace(chr(0), ' ')}"
    except OSError:
        return f"{pid} gone"


@dataclass(frozen=True)
class Manner:
    """How a burst is done."""

    trouble: object = None
    when: float = 0.5  # how much of the burst comes before the trouble
    threads: int = 1
    shows: bool = False  # the trouble lasts until the program has a word for it, but a second at most


@dataclass
class Failure:
    burst: int
    words: str

    def __str__(self):
        return self.words


def plan(seed, bursts, size, troubles=True, hard_links=False):
    """The bursts of a seed, and the manner of each."""
    rng = random.Random(f"sync {seed}")
    picture = operations.picture(seed, exchanges=True)
    picture.hard_links = hard_links
    picture.large = 0.1  # so that renames are done on the target itself
    if hard_links:
        del picture.top[operations.OUTSIDE]  # what is written through a name out there, nobody can see
    picture.links_to = [b".", b"nowhere", b"a"]  # a daemon without chroot rewrites what leads out of its module
    made = [operations.burst(picture, size) for _ in range(bursts)]
    manners = [Manner(rng.choice(TROUBLES * 2 + [None] * len(TROUBLES)) if troubles else None, rng.random(),
                      rng.choice([1, 1, 2]), rng.random() < 0.1) for _ in range(bursts)]
    return made, manners


def run(bursts, manners, options=(), apart=1):
    """None, or the first Failure. The targets are looked at after every `apart` bursts."""
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="notify-model-sync-", dir=shared))
    before = os.getcwd()
    stage = None
    try:
        stage = Stage(folder, options)
        stage.start()
        os.chdir(folder)
        for number, (burst, manner) in enumerate(zip(bursts, manners)):
            _play(stage, burst, manner)
            looks = (number + 1) % apart == 0 or number + 1 == len(bursts)
            wrong = stage.wait_identical() if looks else []
            if wrong or not stage.program.running():
                return Failure(number, _tell(stage, number, burst, manner, wrong))
        return None
    finally:
        os.chdir(before)
        if stage:
            stage.close()
        wait_until(lambda: _removed(folder), f"{folder} can be removed")


def _removed(folder):
    """What rsync was doing when its parent was killed may go on for a moment."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _play(stage, burst, manner):
    half = round(manner.when * len(burst))
    operations.perform(burst[:half], manner.threads)
    said = len(stage.program.output())
    undo = manner.trouble(stage) if manner.trouble else None
    operations.perform(burst[half:], manner.threads)
    if undo and manner.shows:
        with suppress(AssertionError):
            wait_until(lambda: len(stage.program.output()) > said, "the trouble shows", 1)
    if undo:
        undo()


def _tell(stage, number, burst, manner, wrong):
    name = manner.trouble.__name__ if manner.trouble else "no trouble"  # of the last burst
    said = "\n  ".join(stage.program.output().splitlines()[-25:])
    lines = "\n  ".join(wrong[:40])
    children = "\n  ".join(map(describe_process, stage.program.children() if stage.program.running() else []))
    return (f"burst {number} ({name}):\n  {lines}\nthe program said:\n  {said}\nits children:\n  {children}\n"
            f"operations:\n{operations.describe(burst)}")


def shrink(bursts, manners, tries, options, apart):
    """Fewer operations, then fewer troubles."""
    bursts, failure = model_shrink.shrink(bursts, lambda candidate: run(candidate, manners, options, apart), tries)
    for at in range(len(bursts) if failure else 0):
        calmer = [*manners[:at], replace(manners[at], trouble=None), *manners[at + 1:]]
        found = next(filter(None, (run(bursts, calmer, options, apart) for _ in range(tries))), None)
        if found:
            manners, failure = calmer, found
    return bursts, manners, failure


def main():
    parser = argparse.ArgumentParser(description="Random operations and troubles against inotifysync.")
    model_seeds.add_options(parser, count=20, tries=3)
    parser.add_argument("--bursts", type=int, default=10)
    parser.add_argument("--size", type=int, default=60, help="operations in a burst")
    parser.add_argument("--apart", type=int, default=1, help="look at the targets after so many bursts")
    parser.add_argument("--no-troubles", action="store_true")
    parser.add_argument("--hard-links", action="store_true",
                        help="files have several names; with full passes, for not all that is done to them can be known")
    parser.add_argument("--fanotify", action="store_true", help="the source is watched by fanotify")
    arguments = parser.parse_args()

    def one(seed):
        bursts, manners = plan(seed, arguments.bursts, arguments.size, not arguments.no_troubles,
                               arguments.hard_links)
        failure = run(bursts, manners, options_of(arguments), arguments.apart)
        if failure:
            tell(seed, bursts, manners, failure, arguments)
        return arguments.bursts * arguments.size, bool(failure)

    return model_seeds.play(arguments, one)


def options_of(arguments):
    audit = ["--audit-interval", "3s"] if arguments.hard_links else []
    return [*audit, *["--fanotify"] * arguments.fanotify]


def tell(seed, bursts, manners, failure, arguments):
    print(f"seed {seed}, {failure}", flush=True)
    if not arguments.shrink:
        return
    bursts, manners, again = shrink(bursts, manners, arguments.tries, options_of(arguments), arguments.apart)
    if again:
        print("shrunk to:", flush=True)
        for burst, manner in zip(bursts, manners):
            print(manner, operations.describe(burst), sep="\n", flush=True)
        print(again, flush=True)
    else:
        print(f"did not fail again in {arguments.tries} tries", flush=True)


if __name__ == "__main__":
    sys.exit(main())
