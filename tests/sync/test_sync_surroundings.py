# SPDX-License-Identifier: GPL-2.0-or-later
"""rsync, the machine and the source in trouble: what is said, what is kept, and that all is right in the end."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from fault_support import LATE, RSYNC, fake_rsync, may_mount, needs_mounts, put_rsync, roots, write
from sync_support import wait_identical, wait_until

FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)


# rsync

# The thread sanitizer makes fork(2) of vfork(2), and then only the status tells that there was nothing to start.
def says_that_rsync_is_missing(program):
    return any(words in program.output() for words in ("rsync: No such file or directory", "rsync ended with status 127"))


def test_rsync_missing_and_back(source, daemons, sync, path):
    program = sync(environment={"PATH": str(path)})
    (path / "rsync").unlink()
    for n in range(3):  # what waits connected still takes one batch
        write(source / f"{n}/file")
        wait_until(lambda n=n: says_that_rsync_is_missing(program)
                   or all((d.root / f"{n}/file").exists() for d in daemons), program.output, LATE)
    wait_until(lambda: says_that_rsync_is_missing(program), program.output, LATE)
    assert program.running()
    put_rsync(path, RSYNC)
    wait_identical(source, *roots(daemons), deadline=LATE)
    program.wait_said("reachable again", deadline=LATE)


def test_rsync_missing_at_the_start(source, daemons, run, path):
    write(source / "file")
    (path / "rsync").unlink()
    program = run("--password-file", daemons[0].password_file, source, daemons[0].url, environment={"PATH": str(path)})
    wait_until(lambda: says_that_rsync_is_missing(program), program.output, LATE)
    put_rsync(path, RSYNC)
    wait_identical(source, daemons[0].root, deadline=LATE)


# What a receiver does that takes a missing name for a file without a type.
BROKEN_DELETION = """
if "--delete-missing-args" in sys.argv:
    names = sys.stdin.buffer.read()
    base = b"/" if sys.argv[-2] == "/" else os.fsencode(sys.argv[-2])
    for name in names.split(b"\\0"):
        if name and not os.path.lexists(base + b"/" + name):
            print(f"invalid file mode 00 for {os.fsdecode(name)} [receiver]", file=sys.stderr)
            print("rsync error: protocol incompatibility (code 2) at flist.c(994) [receiver=3.4.3]", file=sys.stderr)
            sys.exit(2)
    sys.exit(subprocess.run([REAL, *sys.argv[1:]], input=names, close_fds=False).returncode)
os.execv(REAL, ["rsync", *sys.argv[1:]])
"""


def test_a_receiver_that_cannot_delete_missing_names(source, daemons, run, path):
    fake_rsync(path, "rsync-3.4.3", BROKEN_DELETION)
    for n in range(5):
        write(source / f"d{n}/a/file")
        write(source / f"f{n}")
    program = run("--delete", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons),
                  environment={"PATH": str(path)})
    program.wait_said("in step", times=3)
    for n in range(5):
        (source / f"f{n}").unlink()
        shutil.rmtree(source / f"d{n}")
        write(source / f"new{n}")
        wait_identical(source, *roots(daemons), deadline=LATE)
    assert "again in" not in program.output()


# Somebody is faster: what was missing when the list was made is a directory again when it is looked at.
REBORN = """
if "--files-from=-" in sys.argv:
    names = sys.stdin.buffer.read()
    base = b"/" if sys.argv[-2] == "/" else os.fsencode(sys.argv[-2])
    for name in names.split(b"\\0"):
        if name.endswith(b"/reborn") and not os.path.lexists(base + b"/" + name):
            os.makedirs(base + b"/" + name, exist_ok=True)  # three of us do it
            open(base + b"/" + name + b"/new", "w").close()
    sys.exit(subprocess.run([REAL, *sys.argv[1:]], input=names, close_fds=False).returncode)
os.execv(REAL, ["rsync", *sys.argv[1:]])
"""


def test_a_directory_deleted_and_made_again_at_the_wrong_moment(source, folder, daemons, run, path):
    write(source / "reborn/old/file")
    write(source / "reborn/older")
    fake_rsync(path, "rsync-reborn", REBORN)
    program = run("--delete", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons),
                  environment={"PATH": str(path)})
    program.wait_said("in step", times=3)
    (source / "reborn").rename(folder / "away")
    wait_until(lambda: (source / "reborn/new").exists(), program.output, LATE)
    wait_identical(source, *roots(daemons), deadline=LATE)
    assert "again in" not in program.output()


@pytest.mark.parametrize("status, words, said", [
    (77, "what is this?", "what is this?"),
    (1, "rsync: --modify-window=-1: unknown option", "unknown option"),
    (2, "protocol version mismatch -- is your shell clean?", "protocol version mismatch"),
    (127, "", "127"),
    (0, "", "is it rsync?"),
    (0, "total size is not said to anybody", "is it rsync?"),
])
def test_an_rsync_that_answers_something_else(source, daemons, run, path, status, words, said):
    """An unknown status, another version, another program: it is told, and nothing is thought to be done."""
    write(source / "file")
    fake_rsync(path, "rsync-strange", f"print({words!r}, file=sys.stderr)\nsys.exit({status})\n")
    program = run("--delete", "--password-file", daemons[0].password_file, source, daemons[0].url,
                  environment={"PATH": str(path)})
    program.wait_said(said, deadline=LATE)
    program.wait_said("again in", deadline=LATE)
    assert "in step" not in program.output()
    assert program.running()
    put_rsync(path, RSYNC)
    program.process.send_signal(signal.SIGHUP)
    wait_identical(source, daemons[0].root, deadline=LATE)


# The machine

@pytest.mark.plain_build  # a sanitizer needs descriptors of its own
def test_no_descriptors_left(source, daemons, sync):
    program = sync("--status-file", source.parent / "status")
    pid = program.process.pid
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]))
    for n in range(3):  # what waits connected still takes one batch
        write(source / f"d{n}/file")
        wait_until(lambda n=n: "Too many open files" in program.output()
                   or all((d.root / f"d{n}/file").exists() for d in daemons), program.output, LATE)
    program.wait_said("Too many open files", deadline=LATE)
    assert program.running()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(most, 1024), most))
    wait_identical(source, *roots(daemons), deadline=LATE)


@pytest.mark.plain_build  # a sanitizer needs descriptors of its own
def test_a_source_that_cannot_be_opened_is_not_said_to_be_gone(source, daemons, sync):
    write(source / "old")
    program = sync()
    pid = program.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    (source / "old").unlink()
    write(source / "new")
    program.wait_said("the source cannot be opened, Too many open files: nothing is deleted anywhere", deadline=LATE)
    assert "gone" not in program.output()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    wait_identical(source, *roots(daemons), deadline=LATE)


@pytest.mark.plain_build  # a sanitizer has its own words for this
def test_out_of_memory_it_says_so_and_ends(source, daemons, sync):
    program = sync()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{program.process.pid}/status").read_text().splitlines())
    size = int(status["VmData"].split()[0]) * 1024
    resource.prlimit(program.process.pid, resource.RLIMIT_DATA, (size, size))
    for n in range(100_000):
        (source / f"{n:0250}").mkdir()
        if not program.running():
            break
    assert program.wait(LATE) == 71
    assert program.output().splitlines()[-1] == "inotifysync: out of memory"
    assert program.children() == []


@needs_mounts
def test_no_watches_left(source, folder, daemons, run):
    for n in range(5):
        write(source / f"d{n}/file")
    script = 'echo 3 > /proc/sys/user/max_inotify_watches; exec "$0" "$@"'
    program = run("--delete", "--password-file", daemons[0].password_file, source, daemons[0].url,
                  through=["unshare", "-Ur", "sh", "-c", script])
    program.wait_said("only full passes will find what changes", deadline=LATE)
    wait_identical(source, daemons[0].root, deadline=LATE)
    write(source / "seen")
    wait_identical(source, daemons[0].root, deadline=LATE)
    write(source / "d4/later")  # perhaps unseen
    program.process.send_signal(signal.SIGHUP)
    assert program.running()


@pytest.fixture
def run_in_another_time(run, folder):
    """run_in_another_time(arguments...) is a program that is told the time which the file `clock` says."""
    (folder / "clock").write_text("+0")
    environment = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(folder / "clock"),
                   "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    started = []

    def start(*arguments):
        started.append(run(*arguments, environment=environment))
        return started[-1]

    forget_time_of_the_dead()
    yield start
    children = [pid for program in started for pid in program.children()]
    for program in started:
        program.kill()
    wait_until(lambda: not any(map(is_alive, children)), "the program's children have ended", LATE)
    forget_time_of_the_dead()


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def forget_time_of_the_dead():
    """A program that is killed, or whose test was, leaves behind what faketime keeps for it."""
    for path in Path("/dev/shm").glob("*faketime_s*_*"):
        with suppress(FileNotFoundError):  # another test may be at it, too
            if not is_alive(path.name.rpartition("_")[2]) and path.stat().st_uid == os.getuid():
                path.unlink()


@pytest.mark.plain_build  # faketime and a sanitizer both want to be first
@pytest.mark.skipif(FAKETIME is None, reason="needs faketime (apt-get install faketime)")
def test_the_clock_is_set_back(source, folder, daemons, run_in_another_time):
    """By a day, while the program runs: what it waits for, it counts by another clock."""
    clock = folder / "clock"
    program = run_in_another_time("--delete", "--settle", "0.2", "--password-file", daemons[0].password_file, source,
                                  *(d.url for d in daemons))
    program.wait_said("in step", times=3)
    write(source / "before")
    wait_identical(source, *roots(daemons), deadline=LATE)
    clock.write_text("-1d")
    yesterday = (source / "before").stat().st_mtime - 86_400
    write(source / "before", "changes")  # as long as it was, and older
    os.utime(source / "before", (yesterday, yesterday))
    with open(source / "open", "w") as file:  # goes when it was left alone for a while
        file.write("a line")
        file.flush()
        wait_identical(source, *roots(daemons), deadline=LATE)
    daemons[0].stop()
    write(source / "meanwhile")
    program.wait_said("again in", deadline=LATE)
    clock.write_text("-2d")
    daemons[0].start()
    wait_identical(source, *roots(daemons), deadline=LATE)
    clock.write_text("+400d")  # and far ahead
    write(source / "ahead")
    (source / "before").unlink()
    wait_identical(source, *roots(daemons), deadline=LATE)


# The source

def enter(program, *command):
    inside = ["nsenter", "-t", str(program.process.pid), "-U", "-m", "--preserve-credentials"]
    subprocess.run([*inside, *command], check=True)


@needs_mounts
def test_the_source_is_unmounted_and_mounted_again(source, folder, daemons, run):
    disk = folder / "disk"
    for n in range(5):
        write(disk / f"d{n}/file")
    script = f'mount --bind "{disk}" "{source}" && exec "$0" "$@"'
    program = run("--delete", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons),
                  through=["unshare", "-Urm", "sh", "-c", script])
    program.wait_said("in step", times=3)
    wait_identical(disk, *roots(daemons))
    enter(program, "umount", "-l", source)
    shutil.rmtree(disk / "d0")  # seen, for the watches are on what is mounted
    program.wait_said("in the source's place: unmounted?", deadline=LATE)
    assert all((d.root / "d0/file").exists() for d in daemons)
    enter(program, "mount", "--bind", disk, source)
    program.wait_said("the source is back", deadline=LATE)
    wait_identical(disk, *roots(daemons), deadline=LATE)
    write(disk / "after")
    wait_identical(disk, *roots(daemons), deadline=LATE)


@needs_mounts
def test_a_filesystem_that_goes_with_all_it_held(source, folder, daemons, run):
    script = f'mount -t tmpfs none "{source}" && mkdir "{source}/d" && echo x >"{source}/d/f" && exec "$0" "$@"'
    program = run("--delete", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons),
                  through=["unshare", "-Urm", "sh", "-c", script])
    program.wait_said("in step", times=3)
    enter(program, "umount", source)
    program.wait_said("in the source's place: unmounted?", deadline=LATE)
    assert all((d.root / "d/f").read_text() == "x\n" for d in daemons)
    assert program.running()


@needs_mounts
def test_a_filesystem_in_the_source_is_unmounted_and_mounted_again(source, folder, daemons, run):
    inner = source / "inner"
    inner.mkdir()
    write(source / "top")
    mount = f'mount -t tmpfs none "{inner}" && echo x >"{inner}/file"'
    program = run("--delete", "--audit-interval", "0", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons), through=["unshare", "-Urm", "sh", "-c", f'{mount} && exec "$0" "$@"'])
    program.wait_said("in step", times=3)
    enter(program, "umount", inner)
    program.wait_said("an empty directory is where a filesystem was: unmounted? a full pass deletes nothing", deadline=LATE)
    program.wait_said("all but deletions", times=3, deadline=LATE)
    assert all((d.root / "inner/file").exists() for d in daemons)
    enter(program, "sh", "-c", mount)
    program.wait_said("in step", times=6, deadline=LATE)
    enter(program, "touch", inner / "later")
    for daemon in daemons:
        wait_until((daemon.root / "inner/later").exists, program.output, LATE)
    enter(program, "umount", inner)
    program.wait_said("all but deletions", times=6, deadline=LATE)
    assert all((d.root / "inner/file").exists() for d in daemons)
    program.process.send_signal(signal.SIGHUP)  # somebody says that it is right
    wait_identical(source, *roots(daemons), deadline=LATE)


def bad_file():
    """A file of the kernel whose read(2) gives EIO, as one on a broken disk does."""
    for path in sorted(Path("/sys/devices").glob("*/power/autosuspend_delay_ms")):
        try:
            path.read_bytes()
        except OSError as error:
            if error.errno == errno.EIO:
                return path
    return None


BAD_FILE = bad_file()
needs_bad_file = pytest.mark.skipif(not may_mount() or BAD_FILE is None,
                                    reason="no file here whose read fails, or no namespaces")


@needs_bad_file
def test_a_disk_that_cannot_be_read(source, folder, daemons, run):
    """One file of the source gives an error when it is read: all others go, and it is told, but not all the time."""
    for name in ("bad", "good", "gone"):
        write(source / name)
    program = run("--delete", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons),
                  through=["unshare", "-Urm"])
    program.wait_said("in step", times=3)
    enter(program, "mount", "--bind", BAD_FILE, source / "bad")
    write(source / "bad", "changed")
    write(source / "later")
    (source / "gone").unlink()
    program.wait_said('bad": Input/output error', deadline=LATE, times=3)
    for daemon in daemons:
        wait_until(lambda d=daemon: sorted(os.listdir(d.root)) == ["bad", "good", "later"],
                   lambda d=daemon: f"{os.listdir(d.root)}\n{program.output()}", LATE)
        assert (daemon.root / "bad").read_text() == "content"
    assert len(program.output().splitlines()) < 30
    enter(program, "umount", source / "bad")
    wait_identical(source, *roots(daemons), deadline=LATE)


@needs_bad_file
def test_a_disk_that_cannot_be_read_at_the_start(source, folder, daemons, run):
    """What a target has of it stays, though the first pass is one that deletes."""
    for daemon in daemons:
        for name in ("bad", "stray"):
            write(daemon.root / name, "old")
    for name in ("bad", "good"):
        write(source / name)
    script = f'mount --bind {BAD_FILE} "{source}/bad" && exec "$0" "$@"'
    program = run("--delete", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons),
                  through=["unshare", "-Urm", "sh", "-c", script])
    program.wait_said('bad": Input/output error', deadline=LATE, times=3)
    assert "in step" not in program.output()
    for daemon in daemons:
        wait_until((daemon.root / "good").exists, program.output, LATE)
        assert (daemon.root / "bad").read_text() == "old"
    enter(program, "umount", source / "bad")
    wait_identical(source, *roots(daemons), deadline=LATE)


@needs_bad_file
def test_once_with_a_file_that_cannot_be_read(source, folder, run):
    for name in ("bad", "good"):
        write(source / name)
    script = f'mount --bind {BAD_FILE} "{source}/bad" && exec "$0" "$@"'
    program = run("--once", source, folder / "copy", through=["unshare", "-Urm", "sh", "-c", script])
    assert program.wait(LATE) == 1
    assert "Input/output error" in program.output() and "in step" not in program.output()
    assert os.listdir(folder / "copy") == ["good"]
