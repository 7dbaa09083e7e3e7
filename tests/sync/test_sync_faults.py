# SPDX-License-Identifier: GPL-2.0-or-later
"""One fault after the other: what is said, what the target keeps meanwhile, and that all is right in the end."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from proxy import Proxy
from sync_support import RsyncDaemon, differences, wait_identical, wait_until

RSYNC = shutil.which("rsync")
FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
LATE = float(os.environ.get("NOTIFY_DEADLINE", "60"))  # seconds


def may_mount():
    command = ["unshare", "-Urm", "sh", "-c", "mount -t tmpfs none /mnt"]
    return shutil.which("unshare") and subprocess.run(command, capture_output=True).returncode == 0


needs_mounts = pytest.mark.skipif(not may_mount(), reason="no user and mount namespaces here")


def write(path, text="content"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def big(seed=0, size=3_000_000):
    return random.Random(seed).randbytes(size)


def roots(daemons):
    return [daemon.root for daemon in daemons]


def others_go_on(source, healthy):
    for n in range(3):
        write(source / f"while-{n}", f"{n}")
        wait_identical(source, *roots(healthy), deadline=LATE)


def holds(path, *contents):
    """True once the file is the last of the contents; never may it be anything but one of them."""
    found = path.read_bytes() if path.exists() else None
    assert found in contents, f"{path} is torn: {len(found)} bytes"
    return found == contents[-1]


# The line

@pytest.fixture
def line(source, start_daemon, run):
    """A program, a daemon, and the line between them; the target is in step."""
    write(source / "big", "small as yet")
    daemon = start_daemon("web1")
    proxy = Proxy(daemon.port)
    program = run("--delete", "--timeout", "2", "--password-file", daemon.password_file, source, proxy.url(daemon))
    program.wait_said("in step")
    wait_identical(source, daemon.root)
    yield program, daemon, proxy
    proxy.close()


@pytest.mark.parametrize("what, at", [("cut", 100), ("cut", 1_000_000), ("silence", 1_000_000), ("lose", 1_000_000)])
def test_a_line_in_trouble_in_mid_transfer(source, line, what, at):
    program, daemon, proxy = line
    proxy.after(at, what)
    (source / "big").write_bytes(big())
    wait_until(proxy.happened.is_set, "trouble", LATE)
    if what == "silence":
        program.wait_said("no byte moved for 2 s", deadline=LATE)
        proxy.speak()
    wait_until(lambda: holds(daemon.root / "big", b"small as yet", big()), program.output, LATE)
    wait_identical(source, daemon.root, deadline=LATE)


def test_a_line_that_is_always_cut_is_said_and_mended(source, line):
    program, daemon, proxy = line
    proxy.refuse()
    write(source / "file")
    program.wait_said("again in", deadline=LATE)
    assert not (daemon.root / "file").exists()
    mended = Proxy(daemon.port, proxy.port)
    try:
        wait_identical(source, daemon.root, deadline=LATE)
        program.wait_said("reachable again", deadline=LATE)
    finally:
        mended.close()


# The processes

def transferring(daemon):
    """The temporary file that rsync writes before it gives it its name."""
    return wait_until(lambda: [path for path in daemon.root.glob(".big.*") if path.stat().st_size > 100_000],
                      "a transfer", LATE)


def start_slow(source, daemons, run):
    write(source / "big", "small as yet")
    program = run("--delete", "--timeout", "3", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons), "--", "--bwlimit=2m")
    program.wait_said("in step", times=len(daemons))
    wait_identical(source, *roots(daemons))
    (source / "big").write_bytes(big())
    return program


def test_rsync_killed_in_mid_transfer(source, daemons, run):
    program = start_slow(source, daemons[:1], run)
    transferring(daemons[0])
    for pid in program.children():
        os.kill(pid, signal.SIGKILL)
    program.wait_said("rsync was ended by signal 9", deadline=LATE)
    wait_until(lambda: holds(daemons[0].root / "big", b"small as yet", big()), program.output, LATE)
    wait_identical(source, daemons[0].root, deadline=LATE)


def test_daemon_killed_in_mid_transfer(source, daemons, run):
    program = start_slow(source, daemons[:1], run)
    transferring(daemons[0])
    daemons[0].stop()
    assert holds(daemons[0].root / "big", big(), b"small as yet")
    program.wait_said("again in", deadline=LATE)
    daemons[0].start()
    wait_until(lambda: holds(daemons[0].root / "big", b"small as yet", big()), program.output, LATE)
    program.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not [line for line in differences(source, daemons[0].root) if ".big." not in line],
               lambda: differences(source, daemons[0].root), LATE)


def test_daemon_stopped_in_mid_transfer(source, daemons, run):
    program = start_slow(source, daemons[:1], run)
    transferring(daemons[0])
    daemons[0].pause()
    program.wait_said("no byte moved for 3 s", deadline=LATE)
    assert holds(daemons[0].root / "big", big(), b"small as yet")
    daemons[0].resume()
    wait_until(lambda: holds(daemons[0].root / "big", b"small as yet", big()), program.output, LATE)
    wait_identical(source, daemons[0].root, deadline=LATE)


def test_killed_in_mid_transfer_it_leaves_no_rsync_behind(source, daemons, run):
    program = start_slow(source, daemons[:1], run)
    transferring(daemons[0])
    children = program.children()
    program.kill()
    wait_until(lambda: not [pid for pid in children if Path(f"/proc/{pid}").exists()], "the children's end", LATE)
    assert holds(daemons[0].root / "big", big(), b"small as yet")
    run("--delete", "--password-file", daemons[0].password_file, source, daemons[0].url)
    wait_identical(source, daemons[0].root, deadline=LATE)


# The target

def test_a_module_that_becomes_read_only(source, daemons, sync):
    write(source / "old")
    program = sync()
    bad, *healthy = daemons
    bad.reconfigure(read_only="yes")
    (source / "old").unlink()
    others_go_on(source, healthy)
    program.wait_said("read only", deadline=LATE)
    assert sorted(os.listdir(bad.root)) == ["old"] and program.running()
    bad.reconfigure(read_only="no")
    wait_identical(source, *roots(daemons), deadline=LATE)
    program.wait_said("reachable again", deadline=LATE)


def test_a_module_that_is_taken_away(source, daemons, sync):
    program = sync()
    bad, *healthy = daemons
    text = bad.config.read_text()
    bad.config.write_text(text.replace("[content]", "[other]"))
    others_go_on(source, healthy)
    program.wait_said("Unknown module", deadline=LATE)
    bad.config.write_text(text)
    wait_identical(source, *roots(daemons), deadline=LATE)


def test_a_password_that_is_wrong_from_the_start(source, daemons, run):
    bad, *healthy = daemons
    write(source / "file")
    (bad.folder / "secrets").write_text("web:another\n")
    program = run("--delete", "--password-file", bad.password_file, source, *(d.url for d in daemons))
    others_go_on(source, healthy)
    program.wait_said("auth failed", deadline=LATE)
    assert os.listdir(bad.root) == []
    (bad.folder / "secrets").write_text("web:let me in\n")
    wait_identical(source, *roots(daemons), deadline=LATE)


def test_a_target_that_refuses_deletions_takes_all_else(source, daemons, sync):
    bad, *healthy = daemons
    for name in ("a", "b"):
        write(source / f"{name}/file")
    program = sync()
    wait_identical(source, *roots(daemons))
    bad.reconfigure(refuse_options="delete delete-* force")
    shutil.rmtree(source / "a")
    write(source / "new")
    wait_identical(source, *roots(healthy), deadline=LATE)
    wait_until(lambda: (bad.root / "new").exists(), program.output, LATE)
    assert (bad.root / "a/file").exists()
    program.wait_said("the target refuses deletions: nothing is deleted there", deadline=LATE)
    for n in range(5):
        write(source / f"more-{n}")
        wait_until(lambda n=n: (bad.root / f"more-{n}").exists(), program.output, LATE)
    assert program.output().count("refuses deletions") == 1


class FullDaemon(RsyncDaemon):
    """A daemon whose module lies on a filesystem of one megabyte, which only it can see."""

    def start(self):
        # Not as root of the namespace: rsync would try to become somebody else.
        script = 'mount -t tmpfs -o size=1m none "$0" && exec unshare -U --map-user=1000 --map-group=1000 -- "$@"'
        self.command = ["unshare", "-Urm", "sh", "-c", script, str(self.root), *self.command]
        super().start()
        self.root = Path(f"/proc/{self.process.pid}/root{self.root}")
        return self


@needs_mounts
def test_a_target_that_is_full(source, folder, start_daemon, run):
    settings = {"uid": None, "gid": None}
    full = FullDaemon(folder, "full", {})
    full.reconfigure(**settings)
    try:
        full.start()
        other = start_daemon("web2")
        write(source / "big", "small as yet")
        write(source / "a", "kept")
        program = run("--delete", "--password-file", full.password_file, source, full.url, other.url)
        program.wait_said("in step", times=2)
        write(source / "a", "changed")
        (source / "big").write_bytes(big())
        wait_identical(source, other.root, deadline=LATE)
        program.wait_said("No space left on device", deadline=LATE)
        wait_until(lambda: holds(full.root / "a", b"kept", b"changed"), program.output, LATE)
        assert holds(full.root / "big", b"small as yet") and program.running()
        (source / "big").write_bytes(big(1, 10_000))  # there is room for that
        wait_identical(source, full.root, deadline=LATE)
        program.wait_said("reachable again", deadline=LATE)
    finally:
        full.stop()


# rsync

@pytest.fixture
def path(folder):
    """A PATH in which `rsync` is what a test puts there; first of all the real one."""
    place = folder / "bin"
    place.mkdir()
    put_rsync(place, RSYNC)
    return place


def put_rsync(place, target):
    (place / "rsync.new").symlink_to(target)
    (place / "rsync.new").rename(place / "rsync")


def fake_rsync(place, name, text):
    """A program that stands in for rsync, in Python; REAL is the real one."""
    program = place / name
    program.write_text(f"#!{sys.executable}\nimport os, subprocess, sys\nREAL = {RSYNC!r}\n{text}")
    program.chmod(0o755)
    put_rsync(place, program)


def test_rsync_missing_and_back(source, daemons, sync, path):
    program = sync(environment={"PATH": str(path)})
    (path / "rsync").unlink()
    for n in range(3):  # what waits connected still takes one batch
        write(source / f"{n}/file")
        wait_until(lambda n=n: "rsync: No such file" in program.output()
                   or all((d.root / f"{n}/file").exists() for d in daemons), program.output, LATE)
    program.wait_said("rsync: No such file or directory", deadline=LATE)
    assert program.running()
    put_rsync(path, RSYNC)
    wait_identical(source, *roots(daemons), deadline=LATE)
    program.wait_said("reachable again", deadline=LATE)


def test_rsync_missing_at_the_start(source, daemons, run, path):
    write(source / "file")
    (path / "rsync").unlink()
    program = run("--password-file", daemons[0].password_file, source, daemons[0].url, environment={"PATH": str(path)})
    program.wait_said("rsync: No such file or directory", deadline=LATE)
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
    (0, "", None),
])
def test_an_rsync_that_answers_something_else(source, daemons, run, path, status, words, said):
    """An unknown status, another version, another program: it is told, and nothing is thought to be done."""
    write(source / "file")
    fake_rsync(path, "rsync-strange", f"print({words!r}, file=sys.stderr)\nsys.exit({status})\n")
    program = run("--delete", "--password-file", daemons[0].password_file, source, daemons[0].url,
                  environment={"PATH": str(path)})
    if said:
        program.wait_said(said, deadline=LATE)
        program.wait_said("again in", deadline=LATE)
        assert "in step" not in program.output()
    else:
        program.wait_said("in step", deadline=LATE)  # who says 0 is believed until the next full pass
    assert program.running()
    put_rsync(path, RSYNC)
    program.process.send_signal(signal.SIGHUP)
    write(source / "file", "changed")
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


@pytest.mark.plain_build  # faketime and a sanitizer both want to be first
@pytest.mark.skipif(FAKETIME is None, reason="needs faketime (apt-get install faketime)")
def test_the_clock_is_set_back(source, folder, daemons, run):
    """By a day, while the program runs: what it waits for, it counts by another clock."""
    clock = folder / "clock"
    clock.write_text("+0")
    program = run("--delete", "--settle", "0.2", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons),
                  environment={"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(clock),
                               "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
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


# Such a read fails as one from a broken disk does.
needs_bad_file = pytest.mark.skipif(not may_mount() or not Path("/sys/class/net/lo/speed").exists(),
                                    reason="no file here whose read fails, or no namespaces")


@needs_bad_file
def test_a_disk_that_cannot_be_read(source, folder, daemons, run):
    """One file of the source gives an error when it is read: all others go, and it is told, but not all the time."""
    for name in ("bad", "good", "gone"):
        write(source / name)
    script = f'mount --bind /sys/class/net/lo/speed "{source}/bad" && exec "$0" "$@"'
    program = run("--delete", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons),
                  through=["unshare", "-Urm", "sh", "-c", script])
    program.wait_said("bad", deadline=LATE)
    program.wait_said("Invalid argument", deadline=LATE)
    assert "in step" not in program.output()
    write(source / "later")
    (source / "gone").unlink()
    for daemon in daemons:
        wait_until(lambda d=daemon: sorted(os.listdir(d.root)) == ["good", "later"],
                   lambda d=daemon: f"{os.listdir(d.root)}\n{program.output()}", LATE)
    assert len(program.output().splitlines()) < 30
    enter(program, "umount", source / "bad")
    wait_identical(source, *roots(daemons), deadline=LATE)


@needs_bad_file
def test_once_with_a_file_that_cannot_be_read(source, folder, run):
    for name in ("bad", "good"):
        write(source / name)
    script = f'mount --bind /sys/class/net/lo/speed "{source}/bad" && exec "$0" "$@"'
    program = run("--once", source, folder / "copy", through=["unshare", "-Urm", "sh", "-c", script])
    assert program.wait(LATE) == 1
    assert "Invalid argument" in program.output() and "in step" not in program.output()
    assert os.listdir(folder / "copy") == ["good"]
