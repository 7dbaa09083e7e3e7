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
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

import model_operations as operations  # noqa: E402
import model_seeds  # noqa: E402
import model_shrink  # noqa: E402
from program import watched_inodes  # noqa: E402
from proxy import Proxy  # noqa: E402
from sync_support import RSYNC, Inotifysync, RsyncDaemon, differences, fake_rsync, put_rsync, wait_until  # noqa: E402

DEADLINE = float(os.environ.get("NOTIFY_DEADLINE", "60"))  # seconds


@dataclass
class Stage:
    """A source, a local target, a daemon, and a daemon behind a proxy; `rsync` is found in `bin` alone."""

    folder: Path
    audit: str = ""  # how often a full pass comes

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
        audit = ["--audit-interval", self.audit] if self.audit else []
        self.program = Inotifysync(
            self.folder, "--delete", "--timeout", "3", *audit, "--password-file", self.daemons[0].password_file,
            f"{self.folder}/t/", f"{self.folder}/local/", self.daemons[0].url, self.proxy.url(self.daemons[1]),
            environment={"PATH": str(self.folder / "bin")})

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


def pause_program(stage):
    stage.program.process.send_signal(signal.SIGSTOP)
    return lambda: stage.program.process.send_signal(signal.SIGCONT)


def cut_connection(stage):
    stage.proxy.cut()
    return None


def cut_later(stage):
    stage.proxy.after(3000, "cut")
    return None


def lose_bytes(stage):
    stage.proxy.after(3000, "lose")
    return None


def silence(stage):
    stage.proxy.silence()
    return stage.proxy.speak


def refuse_to_write(stage):
    """The local target cannot be written for a while (root can always)."""
    os.chmod(stage.folder / "local", 0o500)
    return lambda: os.chmod(stage.folder / "local", 0o755)


def read_only(stage):
    stage.daemons[0].reconfigure(read_only="yes")
    return lambda: stage.daemons[0].reconfigure(read_only="no")


def wrong_password(stage):
    secrets = stage.daemons[0].folder / "secrets"
    right = secrets.read_text()
    secrets.write_text("web:another\n")
    return lambda: secrets.write_text(right)


def no_rsync(stage):
    stage.rsync(False)
    return lambda: stage.rsync(True)


def another_rsync(stage, name, text):
    """Until it is ended, what is called rsync is a program in Python."""
    stage.rsync(False)
    fake_rsync(stage.folder / "bin", name, text)
    return lambda: put_rsync(stage.folder / "bin", RSYNC)


def rsync_fails_at_random(stage):
    """Sometimes before it has done anything, sometimes when all is done."""
    return another_rsync(stage, "failing", """
import random
status = random.choice([1, 2, 3, 5, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24, 25, 30, 35, 124, 127, 255])
if random.random() < 0.4:
    sys.exit(status)
done = subprocess.run([REAL, *sys.argv[1:]], close_fds=False).returncode
sys.exit(random.choice([status, done]))
""")


def rsync_is_killed_at_random(stage):
    return another_rsync(stage, "killed", """
import random, signal
child = subprocess.Popen([REAL, *sys.argv[1:]], close_fds=False)
try:
    sys.exit(child.wait(random.random() * 0.15))
except subprocess.TimeoutExpired:
    child.kill()
    os.kill(os.getpid(), signal.SIGKILL)
""")


def rsync_does_nothing(stage):
    return another_rsync(stage, "idle", "sys.exit(0)\n")


def module_elsewhere(stage):
    (stage.folder / "elsewhere").mkdir(exist_ok=True)
    stage.daemons[0].reconfigure(path=stage.folder / "elsewhere")
    return lambda: stage.daemons[0].reconfigure(path=stage.daemons[0].root)


def source_elsewhere(stage):
    """Another directory stands in its place for a while; not from the start, for then that would be the source."""
    itself = (stage.folder / "t").stat().st_ino
    wait_until(lambda: any(inode == itself for inode, _ in watched_inodes(stage.program.process.pid)),
               "the source is watched", DEADLINE)
    (stage.folder / "t").rename(stage.folder / "t-away")
    (stage.folder / "t").mkdir()
    (stage.folder / "t/strange").touch()

    def back():
        shutil.rmtree(stage.folder / "t")
        (stage.folder / "t-away").rename(stage.folder / "t")
    return back


TROUBLES = [kill_program, kill_rsync, kill_daemon, pause_daemon, pause_program, cut_connection, cut_later, lose_bytes,
            silence, refuse_to_write, read_only, wrong_password, no_rsync, rsync_fails_at_random,
            rsync_is_killed_at_random, rsync_does_nothing, module_elsewhere, source_elsewhere]


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


@dataclass
class Failure:
    burst: int
    words: str

    def __str__(self):
        return self.words


def plan(seed, bursts, size, troubles=True):
    """The bursts of a seed, and the manner of each."""
    rng = random.Random(f"sync {seed}")
    picture = operations.picture(seed, exchanges=True)
    picture.hard_links = False  # what is written through a name outside of the source, nobody can see
    picture.links_to = [b".", b"nowhere", b"a"]  # a daemon without chroot rewrites what leads out of its module
    made = [operations.burst(picture, size) for _ in range(bursts)]
    manners = [Manner(rng.choice(TROUBLES * 2 + [None] * len(TROUBLES)) if troubles else None, rng.random(),
                      rng.choice([1, 1, 2])) for _ in range(bursts)]
    return made, manners


def run(bursts, manners, audit=""):
    """None, or the first Failure."""
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="notify-model-sync-", dir=shared))
    before = os.getcwd()
    stage = None
    try:
        stage = Stage(folder, audit)
        stage.start()
        os.chdir(folder)
        for number, (burst, manner) in enumerate(zip(bursts, manners)):
            wrong = _play(stage, burst, manner)
            if wrong or not stage.program.running():
                return Failure(number, _tell(stage, number, burst, manner, wrong))
        return None
    finally:
        os.chdir(before)
        if stage:
            stage.close()
        shutil.rmtree(folder, ignore_errors=True)


def _play(stage, burst, manner):
    half = round(manner.when * len(burst))
    operations.perform(burst[:half], manner.threads)
    undo = manner.trouble(stage) if manner.trouble else None
    operations.perform(burst[half:], manner.threads)
    if undo:
        undo()
    return stage.wait_identical()


def _tell(stage, number, burst, manner, wrong):
    name = manner.trouble.__name__ if manner.trouble else "no trouble"
    said = "\n  ".join(stage.program.output().splitlines()[-25:])
    lines = "\n  ".join(wrong[:40])
    children = "\n  ".join(map(describe_process, stage.program.children() if stage.program.running() else []))
    return (f"burst {number} ({name}):\n  {lines}\nthe program said:\n  {said}\nits children:\n  {children}\n"
            f"operations:\n{operations.describe(burst)}")


def shrink(bursts, manners, tries):
    """Fewer operations, then fewer troubles."""
    bursts, failure = model_shrink.shrink(bursts, lambda candidate: run(candidate, manners), tries)
    for at in range(len(bursts) if failure else 0):
        calmer = [*manners[:at], replace(manners[at], trouble=None), *manners[at + 1:]]
        found = next(filter(None, (run(bursts, calmer) for _ in range(tries))), None)
        if found:
            manners, failure = calmer, found
    return bursts, manners, failure


def main():
    parser = argparse.ArgumentParser(description="Random operations and troubles against inotifysync.")
    model_seeds.add_options(parser, count=20, tries=3)
    parser.add_argument("--bursts", type=int, default=10)
    parser.add_argument("--size", type=int, default=60, help="operations in a burst")
    parser.add_argument("--no-troubles", action="store_true")
    arguments = parser.parse_args()

    def one(seed):
        bursts, manners = plan(seed, arguments.bursts, arguments.size, not arguments.no_troubles)
        failure = run(bursts, manners)
        if failure:
            tell(seed, bursts, manners, failure, arguments)
        return arguments.bursts * arguments.size, bool(failure)

    return model_seeds.play(arguments, one)


def tell(seed, bursts, manners, failure, arguments):
    print(f"seed {seed}, {failure}", flush=True)
    if not arguments.shrink:
        return
    bursts, manners, again = shrink(bursts, manners, arguments.tries)
    if again:
        print("shrunk to:", flush=True)
        for burst, manner in zip(bursts, manners):
            print(manner, operations.describe(burst), sep="\n", flush=True)
        print(again, flush=True)
    else:
        print(f"did not fail again in {arguments.tries} tries", flush=True)


if __name__ == "__main__":
    sys.exit(main())
