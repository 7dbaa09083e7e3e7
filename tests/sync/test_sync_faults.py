# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines, processes and targets in trouble: what is said, what the target keeps, and that all is right in the end."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from fault_support import LATE, big, holds, needs_mounts, others_go_on, roots, write
from proxy import Proxy
from sync_support import RsyncDaemon, differences, wait_identical, wait_until


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


@pytest.mark.parametrize("tells", [True, False], ids=["SIGHUP", "nobody tells"])
def test_a_target_that_refuses_deletions_for_a_while(source, daemons, sync, tells):
    for name in "ab":
        write(source / name)
    program = sync()
    bad, *healthy = daemons
    bad.reconfigure(refuse_options="delete")
    (source / "a").unlink()
    program.wait_said("the target refuses deletions: nothing is deleted there", deadline=LATE)
    write(source / "c")
    wait_until((bad.root / "c").exists, program.output, LATE)
    bad.reconfigure(refuse_options=None)
    if tells:
        program.process.send_signal(signal.SIGHUP)
    wait_identical(source, *roots(daemons), deadline=LATE)
    (source / "b").unlink()
    wait_identical(source, *roots(daemons), deadline=LATE)


def test_deletions_that_were_refused_from_the_start(source, daemons, run):
    """No line is cut, no run breaks off in the middle: nothing else asks for a full pass."""
    daemons[0].reconfigure(refuse_options="delete")
    write(source / "kept")
    write(daemons[0].root / "old")
    program = run("--delete", "--password-file", daemons[0].password_file, f"{source}/", daemons[0].url)
    program.wait_said("all but deletions")
    daemons[0].reconfigure(refuse_options=None)
    wait_identical(source, daemons[0].root, deadline=LATE)


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
        for name in ("c", "new/file", "z"):  # what comes after it in rsync's order, in its batch or a later one
            write(source / name)
            wait_until(lambda name=name: (full.root / name).exists(), program.output, LATE)
        (source / "c").unlink()
        wait_until(lambda: not (full.root / "c").exists(), program.output, LATE)
        (source / "big").write_bytes(big(1, 10_000))  # there is room for that
        wait_identical(source, full.root, deadline=LATE)
        program.wait_said("reachable again", deadline=LATE)
    finally:
        full.stop()
