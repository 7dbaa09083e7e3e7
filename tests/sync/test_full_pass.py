# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens in the source while a full pass is under way, and what such a pass sends again."""

import json
import subprocess

import pytest
from fault_support import LATE, fake_rsync, write
from sync_support import wait_identical, wait_until

# A full pass says that it is about to start and that it is over, and waits until it may go on each time.
HELD = """
import time

def hold(moment):
    open(moment, "w").close()
    while not os.path.exists(moment + "-is-over"):
        time.sleep(0.002)

here = os.path.dirname(sys.argv[0]) + "/"
if any(argument.startswith("--files-from") for argument in sys.argv):
    os.execv(REAL, sys.argv)
hold(here + "before")
status = subprocess.run([REAL, *sys.argv[1:]], close_fds=False).returncode
hold(here + "after")
sys.exit(status)
"""


class HeldPass:
    def __init__(self, place):
        self.place = place
        fake_rsync(place, "held", HELD)

    def wait(self, moment):
        wait_until(lambda: (self.place / moment).exists(), f"the moment {moment} a full pass", LATE)

    def go_on(self, moment):
        (self.place / f"{moment}-is-over").touch()


def moved_in(source, outside):
    (outside / "new").rename(source / "new")


def moved_in_deeper(source, outside):
    (source / "new").mkdir()
    (outside / "new").rename(source / "new/deeper")


def moved_on(source, outside):
    (outside / "new").rename(source / "first")
    (source / "first").rename(source / "new")


@pytest.mark.parametrize("bring", [moved_in, moved_in_deeper, moved_on])
def test_what_came_and_partly_went_during_a_full_pass(source, folder, run, path, bring):
    """The pass brings all of it over; that some of it is gone, nothing tells but the passing of the directory."""
    for name in ("a", "b", "d/c", "d/e/f"):
        write(folder / "outside/new" / name)
    write(source / "file")
    held = HeldPass(path)
    program = run("--delete", f"{source}/", folder / "target", environment={"PATH": str(path)})
    held.wait("before")
    bring(source, folder / "outside")
    held.go_on("before")
    held.wait("after")
    for name in ("a", "d/e/f"):
        next(source.glob(f"**/{name}")).unlink()
    next(source.glob("**/d/e")).rmdir()
    held.go_on("after")
    program.wait_said("in step", deadline=LATE)
    wait_identical(source, folder / "target", deadline=LATE)


@pytest.fixture
def whole_seconds(folder):
    """A filesystem that keeps no fractions of seconds, as its inodes are small."""
    image, top = folder / "image", folder / "seconds"
    top.mkdir()
    with image.open("wb") as file:
        file.truncate(16 << 20)
    for command in (["mkfs.ext2", "-q", "-I", "128", image], ["mount", "-o", "loop", image, top]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"{command[0]}: {done.stderr.strip()}")
    yield top
    subprocess.run(["umount", "-l", top], check=True)


def test_a_target_that_keeps_whole_seconds_gets_nothing_again_and_again(source, folder, whole_seconds, run):
    for number in range(20):
        write(source / f"f{number}")
    status = folder / "status"
    run("--delete", "--audit-interval", "1s", "--status-file", status, f"{source}/", whole_seconds / "copy")
    wait_until(status.exists, "the status file", LATE)

    def counted():
        target = json.loads(status.read_text())["sources"][0]["targets"][0]
        return target["files"], target["runs"]

    seen = []

    def nothing_is_sent():
        """In three runs, one after the other."""
        files, runs = counted()
        if not seen or files != seen[-1][0]:
            seen.append((files, runs))
        return runs >= seen[-1][1] + 3

    wait_until(nothing_is_sent, lambda: f"a full pass that sends nothing; files and runs: {seen}", LATE)
    assert seen[-1][0] >= 40, "the filesystem keeps fractions: this says nothing"
