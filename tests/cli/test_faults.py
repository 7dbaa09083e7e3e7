# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong around a watching program, and what it does then. Limits of the kernel: test_limits.py."""

import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest

import model_operations as operations
from model_watch import Plan, Watching, check_probes, check_watches
from program import is_waiting, stop, wait_until

MOUNTS = subprocess.run(["unshare", "-Urm", "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True).returncode == 0


@pytest.fixture
def watching(inotifywait, room, monkeypatch):
    """An inotifywait -m -r on the directory t; o beside it is not watched."""
    monkeypatch.chdir(room)
    os.mkdir(operations.INSIDE)
    os.mkdir(operations.OUTSIDE)
    program = Watching(inotifywait, room, Plan(events="create,delete,move"))
    program.settle()
    yield program
    program.close()


def check(watching):
    watching.settle()
    assert check_watches(watching, operations.INSIDE) == []
    assert check_probes(watching, operations.INSIDE, 0) == []


def test_deep_directories_with_few_descriptors(watching):
    resource.prlimit(watching.pid, resource.RLIMIT_NOFILE, (12, 12))
    os.makedirs(operations.INSIDE + b"/d" * 100)
    check(watching)


@pytest.mark.plain_build  # a sanitizer needs descriptors of its own
def test_no_descriptor_at_all_is_said(watching):
    used = len(os.listdir(f"/proc/{watching.pid}/fd"))
    resource.prlimit(watching.pid, resource.RLIMIT_NOFILE, (used, used))
    os.mkdir(b"t/new")
    watching.settle()
    assert b"Too many open files" in watching.errors


@pytest.mark.plain_build  # a sanitizer needs descriptors of its own
@pytest.mark.parametrize("spare", range(4))
@pytest.mark.parametrize("make, told", [
    (lambda: os.mkdir(b"t/new"), [b"t/new"]),
    (lambda: os.makedirs(b"t/new/deep/down"), [b"t/new", b"t/new/deep", b"t/new/deep/down"]),
    (lambda: (os.makedirs(b"o/old/y/z"), os.rename(b"o/old", b"t/old")), [b"t/old"]),
], ids=["one", "deep", "moved in"])
def test_descriptors_were_short_for_a_while(watching, spare, make, told):
    limits = resource.prlimit(watching.pid, resource.RLIMIT_NOFILE)
    used = len(os.listdir(f"/proc/{watching.pid}/fd"))
    resource.prlimit(watching.pid, resource.RLIMIT_NOFILE, (used + spare, limits[1]))
    make()
    said = watching.settle()
    resource.prlimit(watching.pid, resource.RLIMIT_NOFILE, limits)

    # Nobody tells that there are descriptors again: it is tried once a second while events come, and now and then else.
    def watches_all():
        os.mkfifo(b"t/event")
        os.unlink(b"t/event")
        said.extend(watching.settle())
        return check_watches(watching, operations.INSIDE) == []

    wait_until(watches_all, "all is watched")
    check(watching)
    made = sorted(event.path for event in said if not event.path.endswith(b"/event") and "DELETE" not in event.names)
    assert made == told
    assert watching.errors.count(b"Too many open files") <= 1


@pytest.mark.plain_build  # a sanitizer needs descriptors of its own
def test_a_tree_for_which_descriptors_do_not_suffice_is_not_watched_by_half(inotifywait, room):
    (room / "t/a/b").mkdir(parents=True)
    command = ["prlimit", "--nofile=5", inotifywait, "-t", "1", "-r", "t"]
    done = subprocess.run(command, cwd=room, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.stderr.splitlines()[1:] == ["Couldn't watch t: Too many open files"]
    assert done.returncode == 1


@pytest.mark.plain_build  # a sanitizer needs descriptors of its own
def test_a_large_tree_with_few_descriptors(inotifywait, room):
    for number in range(2**11):
        (room / "t" / "/".join(f"{number:011b}")).mkdir(parents=True)
    command = ["prlimit", "--nofile=12", inotifywait, "-q", "-t", "1", "-r", "t"]
    done = subprocess.run(command, cwd=room, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode == 2


@pytest.mark.plain_build  # a sanitizer has its own words for this
@pytest.mark.parametrize("tool", ["inotifywait", "inotifywatch"])
def test_out_of_memory_is_said(inotifywait, room, tool):
    (room / "t").mkdir()
    options = ["-m", "-q"] if tool == "inotifywait" else []
    process = subprocess.Popen([inotifywait.parents[1] / tool / tool, *options, "-r", "t"], cwd=room,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: is_waiting(process.pid), "the watches")
        status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
        size = int(status["VmData"].split()[0]) * 1024
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (size, size))
        for at in range(50_000):  # every one to be remembered
            os.mkdir(room / f"t/{at:0250}")
            if process.poll() is not None:
                break
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1, said
    assert said.splitlines()[-1] == f"{tool}: out of memory"


@pytest.mark.parametrize("round", range(3))
def test_links_swapped_in_for_directories_lead_nowhere(watching, round):
    """A directory and a link that leads out of the tree change places while new directories are listed."""
    os.makedirs(b"o/secret/deep")
    for at in range(30):
        base = b"t/n%d" % at
        os.makedirs(base + b"/d/e")
        os.symlink(b"../../o/secret", base + b"/l")
        for _ in range(20):
            operations.attempt(("exchange", base + b"/d", base + b"/l"))
    check(watching)


@pytest.mark.skipif(not MOUNTS, reason="no user and mount namespaces here")
def test_an_unmounted_tree_is_said_and_let_go(inotifywait, room):
    script = """
        mkdir d && mount -t tmpfs none d && mkdir d/a || exit 1
        "$0" -m -r -e create,unmount d >out 2>err & pid=$!
        until grep -q established err; do :; done
        touch d/a/f; until grep -q 'CREATE f' out; do :; done
        umount d; until grep -q 'd/a/ UNMOUNT' out; do :; done
        until [ -z "$(grep -hs '^inotify wd' /proc/$pid/fdinfo/*)" ]; do :; done
        kill $pid; wait $pid
    """
    subprocess.run(["unshare", "-Urm", "sh", "-c", script, inotifywait], cwd=room, timeout=30, check=False)
    assert (room / "out").read_text().splitlines()[0] == "d/a/ CREATE f"
    assert "d/ UNMOUNT" in (room / "out").read_text()


@pytest.mark.skipif(not MOUNTS, reason="no user and mount namespaces here")
def test_what_an_unmounted_filesystem_had_hidden_is_watched(inotifywait, room):
    """What was in it all along is no news; a filesystem in that one is unmounted with it."""
    script = """
        mkdir -p d/m/old/n && mount -t tmpfs none d/m && mkdir -p d/m/a/n && mount -t tmpfs none d/m/a/n || exit 1
        mkdir -p d/m/a/n/b
        "$0" -m -r -e create d >out 2>err & pid=$!
        until grep -q established err; do :; done
        until umount -R d/m; do :; done 2>/dev/null  # one of the two may be busy, being looked at
        until grep -qs " ino:$(stat -c %i d/m/old/n | xargs printf %x) " /proc/$pid/fdinfo/*; do :; done
        touch d/m/f d/m/old/f; mkdir d/m/old/n/new; until grep -q new out; do :; done
        kill $pid; wait $pid
    """
    subprocess.run(["unshare", "-Urm", "sh", "-c", script, inotifywait], cwd=room, timeout=30, check=False)
    new = [line for line in (room / "err").read_text().splitlines() if line.startswith("Watching new")]
    assert [line for line in new if "d/m/a/" not in line] == [
        "Watching new directory d/m/", "Watching new directory d/m/old/n/new/"]
    said = [line for line in (room / "out").read_text().splitlines() if " UNMOUNT" not in line]
    assert said == ["d/m/ CREATE f", "d/m/old/ CREATE f", "d/m/old/n/ CREATE,ISDIR new"]


def test_stopped_and_gone_on_it_has_lost_nothing(watching):
    stop(watching.process)
    for at in range(200):
        os.makedirs(b"t/%d/a/b/c" % at)
        if at % 3 == 0:
            os.rename(b"t/%d/a" % at, b"t/%d/z" % at)
    watching.process.send_signal(signal.SIGCONT)
    wait_until(lambda: check_watches(watching, operations.INSIDE) == [], "all is watched")
    check(watching)


def test_what_changed_places_stays_when_its_new_directory_leaves(watching):
    """A directory just born and an old one change places, and where the old one stands now leaves the tree."""
    os.makedirs(b"t/old/x")
    os.mkdir(b"t/leaves")
    check(watching)
    stop(watching.process)
    os.makedirs(b"t/leaves/born/y")
    operations.attempt(("exchange", b"t/old", b"t/leaves/born"))
    os.rename(b"t/leaves", b"o/left")
    watching.process.send_signal(signal.SIGCONT)
    watching.settle()
    assert os.path.isdir(b"t/old/y")
    check(watching)
