# SPDX-License-Identifier: GPL-2.0-or-later
"""Random operations on the source of a running inotifysync, and troubles: after every burst all targets become the
same as the source (types, contents, modes, nanosecond times, links).

    model_sync.py [OPTION...] [SEED...]     see --help
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

import model_operations as operations  # noqa: E402
from proxy import Proxy  # noqa: E402
from sync_support import Inotifysync, RsyncDaemon, differences, wait_until  # noqa: E402

DEADLINE = 90.0  # seconds; longer than a run may be silent before it is ended and tried again


@dataclass
class Stage:
    """A source, a local target, a daemon, and a daemon behind a proxy."""

    folder: Path
    troubles: list = field(default_factory=list)

    def __post_init__(self):
        for name in ("t", "o", "local"):
            (self.folder / name).mkdir()
        self.daemons = [RsyncDaemon(self.folder, f"web{n}").start() for n in (1, 2)]
        self.proxy = Proxy(self.daemons[1].port)
        self.program = None

    def start(self):
        self.program = Inotifysync(self.folder, "--delete", "--password-file", self.daemons[0].password_file,
                                   f"{self.folder}/t/", f"{self.folder}/local/", self.daemons[0].url,
                                   self.proxy.url(self.daemons[1]))

    def targets(self):
        return [self.folder / "local", *(daemon.root for daemon in self.daemons)]

    def wrong(self):
        return [line for target in self.targets() for line in differences(self.folder / "t", target)]

    def wait_identical(self):
        try:
            wait_until(lambda: not self.wrong(), "the targets are the source", DEADLINE)
        except AssertionError:
            return self.wrong() or []
        return []

    def close(self):
        if self.program:
            self.program.kill()
        for daemon in self.daemons:
            daemon.stop()
        self.proxy.close()


# Troubles: each is called in the middle of a burst, and returns what ends it.

def kill_program(stage):
    stage.program.kill()
    return stage.start


def kill_rsync(stage):
    for pid in stage.program.children():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return None


def kill_daemon(stage):
    stage.daemons[0].stop()
    return stage.daemons[0].start


def pause_daemon(stage):
    stage.daemons[0].pause()
    return stage.daemons[0].resume


def cut_connection(stage):
    stage.proxy.cut()
    return None


def refuse_to_write(stage):
    """The local target cannot be written for a while (root can always)."""
    os.chmod(stage.folder / "local", 0o500)
    return lambda: os.chmod(stage.folder / "local", 0o755)


TROUBLES = [kill_program, kill_rsync, kill_daemon, pause_daemon, cut_connection, refuse_to_write]


def describe_process(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return f"{pid} {state} {Path(f'/proc/{pid}/cmdline').read_text().replace(chr(0), ' ')}"
    except OSError:
        return f"{pid} gone"


def run(seed, bursts, size, troubles=True):
    """None, or what is wrong, as text."""
    rng = random.Random(f"sync {seed}")
    picture = operations.picture(seed, exchanges=True)
    picture.hard_links = False  # what is written through a name outside of the source, nobody can see
    picture.links_to = [b".", b"nowhere", b"a"]  # a daemon without chroot rewrites what leads out of its module
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="notify-model-sync-", dir=shared))
    before = os.getcwd()
    stage = None
    try:
        stage = Stage(folder)
        stage.start()
        os.chdir(folder)
        for number in range(bursts):
            burst = operations.burst(picture, size)
            trouble = rng.choice(TROUBLES + [None] * 4) if troubles else None
            threads = rng.choice([1, 1, 2])
            half = rng.randint(0, size)
            operations.perform(burst[:half], threads)
            undo = trouble(stage) if trouble else None
            operations.perform(burst[half:], threads)
            if undo:
                undo()
            wrong = stage.wait_identical()
            if wrong or not stage.program.running():
                name = trouble.__name__ if trouble else "no trouble"
                said = "\n  ".join(stage.program.output().splitlines()[-25:])
                lines = "\n  ".join(wrong[:20])
                children = "\n  ".join(map(describe_process, stage.program.children()))
                return (f"burst {number} ({name}):\n  {lines}\nthe program said:\n  {said}\nits children:\n  {children}\n"
                        f"operations:\n{operations.describe(burst)}")
        return None
    finally:
        os.chdir(before)
        if stage:
            stage.close()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description="Random operations and troubles against inotifysync.")
    parser.add_argument("seeds", nargs="*", type=int, help="seeds to play; without any, --from and --count tell")
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--bursts", type=int, default=10)
    parser.add_argument("--size", type=int, default=60, help="operations in a burst")
    parser.add_argument("--no-troubles", action="store_true")
    parser.add_argument("--keep-going", action="store_true")
    arguments = parser.parse_args()
    failed = done = 0
    for seed in arguments.seeds or range(arguments.first, arguments.first + arguments.count):
        wrong = run(seed, arguments.bursts, arguments.size, not arguments.no_troubles)
        done += arguments.bursts * arguments.size
        if wrong:
            failed += 1
            print(f"seed {seed}, {wrong}", flush=True)
            if not arguments.keep_going:
                break
    print(f"{done} operations, {failed} seeds failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
