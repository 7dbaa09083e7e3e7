# SPDX-License-Identifier: GPL-2.0-or-later
"""Targets, sources and the program itself in trouble: the others go on, and all is right in the end."""

import json
import os
import signal
import subprocess
import time

import pytest
from sync_support import PASSWORD, differences, wait_identical, wait_until, write


def sync_is_not_held_up(source, healthy, count=5):
    """Changes reach the healthy targets while another stays as bad as it is."""
    for n in range(count):
        write(source / f"while-{n}", f"{n} {time.monotonic_ns()}")
        wait_identical(source, *(d.root for d in healthy))


def test_dead_target_delays_nobody_and_catches_up(source, daemons, sync):
    program = sync()
    bad, *healthy = daemons
    bad.stop()
    sync_is_not_held_up(source, healthy)
    program.wait_said("Connection refused")
    bad.start()
    wait_identical(source, bad.root)
    program.wait_said("reachable again")


def test_hung_target_delays_nobody_and_catches_up(source, daemons, sync):
    sync("--timeout", "10000")
    bad, *healthy = daemons
    bad.pause()
    sync_is_not_held_up(source, healthy)
    bad.resume()
    wait_identical(source, bad.root)


def test_hung_target_is_noticed(source, daemons, sync):
    program = sync("--timeout", "2")
    daemons[0].pause()
    write(source / "file")
    program.wait_said("no byte moved for 2 s")
    daemons[0].resume()
    wait_identical(source, *(d.root for d in daemons))


def test_what_a_killed_daemon_leaves_behind_is_swept(source, folder, daemons, sync):
    status = folder / "status.json"
    write(source / "dir/file")
    program = sync("--status-file", status)
    wait_identical(source, *(d.root for d in daemons))
    daemons[0].pause()
    write(source / "dir/file", "changed")
    wait_until(lambda: '"running"' in status.read_text(), "the batch is under way")
    daemons[0].stop()
    write(daemons[0].root / "dir/.file.AbCdEf", "half")
    daemons[0].start()
    wait_until(lambda: not differences(source, daemons[0].root), program.output)


def test_target_dead_at_start(source, daemons, run):
    write(source / "file")
    bad, *healthy = daemons
    bad.stop()
    run("--delete", "--password-file", bad.password_file, source, *(d.url for d in daemons))
    wait_identical(source, *(d.root for d in healthy))
    sync_is_not_held_up(source, healthy)
    bad.start()
    wait_identical(source, bad.root)


def test_target_that_refuses_the_password(source, daemons, sync):
    program = sync()
    bad, *healthy = daemons
    (bad.folder / "secrets").write_text("web:another\n")
    sync_is_not_held_up(source, healthy)
    program.wait_said("auth failed")
    (bad.folder / "secrets").write_text(f"web:{PASSWORD}\n")
    wait_identical(source, bad.root)


def test_one_connection_is_enough(source, start_daemon, run):
    daemon = start_daemon("web1", max_connections="1", lock_file=source.parent / "lock")
    program = run("--delete", "--password-file", daemon.password_file, source, daemon.url)
    for n in range(10):
        write(source / f"d{n}/file", str(n))
        wait_identical(source, daemon.root)
    (source / "d1").rename(source / "renamed")
    wait_identical(source, daemon.root)
    assert "max connections" not in program.output()


def test_daemon_that_refuses_to_delete(source, start_daemon, run):
    daemon = start_daemon("web1", refuse_options="delete")
    program = run("--delete", "--password-file", daemon.password_file, source, daemon.url)
    write(source / "a")
    write(source / "b")
    wait_until(lambda: (daemon.root / "b").exists(), "b is there")
    (source / "a").unlink()
    write(source / "c")
    wait_until(lambda: (daemon.root / "c").exists(), program.output)
    assert (daemon.root / "a").exists()
    assert program.output().count("refuse") <= 2
    assert program.running()


def test_an_unreadable_file_is_told_and_keeps_no_other_back(source, daemons, sync):
    if os.getuid() == 0:
        pytest.skip("root reads everything")
    program = sync()
    write(source / "secret")
    (source / "secret").chmod(0)
    write(source / "plain")
    wait_until(lambda: (daemons[0].root / "plain").exists(), "plain is there")
    program.wait_said("Permission denied")
    (source / "secret").chmod(0o644)
    wait_identical(source, *(d.root for d in daemons))


def test_killed_in_a_burst_and_started_again(source, daemons, sync):
    program = sync()
    for n in range(500):
        write(source / f"{n % 20}/{n}", "x" * 5000)
    program.kill()
    for n in range(0, 500, 2):
        (source / f"{n % 20}/{n}").unlink()
    sync()
    wait_identical(source, *(d.root for d in daemons))


def test_terminated_it_ends_in_order(source, daemons, sync):
    program = sync()
    write(source / "file", "x" * 100_000)
    assert program.terminate() == 0
    assert program.children() == []


def test_terminated_with_a_hung_target(source, daemons, sync):
    program = sync()
    daemons[0].pause()
    write(source / "file")
    wait_identical(source, daemons[1].root)
    program.process.send_signal(signal.SIGTERM)
    program.process.send_signal(signal.SIGINT)  # asked twice, it does not wait for the running batch
    program.wait()
    assert "not up to date" in program.output()


def test_status_file(source, daemons, sync, folder):
    status_file = folder / "status.json"
    sync("--status-file", status_file)
    write(source / "file")
    wait_identical(source, *(d.root for d in daemons))

    def status():
        return json.loads(status_file.read_text())

    def is_in_step(target):
        return target["files"] >= 1 and target["up_to_date"] and target["queue"] == 0 and target["last_success"]

    wait_until(lambda: all(map(is_in_step, status()["sources"][0]["targets"])), status)
    assert len(status()["sources"][0]["targets"]) == 3
    daemons[0].stop()
    write(source / "more")
    wait_until(lambda: "refused" in status()["sources"][0]["targets"][0]["last_error"], lambda: status())


def test_sigusr1_tells_the_state(source, daemons, sync):
    program = sync()
    program.process.send_signal(signal.SIGUSR1)
    program.wait_said("0 paths to go", times=3)


def test_a_file_being_written_is_sent_when_closed(source, daemons, sync):
    sync("--settle", "1000", "--max-delay", "1000")
    with open(source / "big", "wb") as file:
        for _ in range(20):
            file.write(os.urandom(100_000))
            file.flush()
        write(source / "other")
        wait_until(lambda: all((d.root / "other").exists() for d in daemons), "other is there")
        assert not any((d.root / "big").exists() for d in daemons)
    wait_identical(source, *(d.root for d in daemons))

    def times_received(daemon):
        return sum(" recv " in line and " big " in line for line in daemon.log.read_text().splitlines())

    wait_until(lambda: all(map(times_received, daemons)), "the daemons have written it down")
    write(source / "another")
    wait_identical(source, *(d.root for d in daemons))
    assert [times_received(d) for d in daemons] == [1, 1, 1]


def test_a_file_that_stays_open_goes_when_left_alone(source, daemons, sync):
    sync("--settle", "0.2")
    with open(source / "log", "w") as file:
        file.write("a line\n")
        file.flush()
        wait_identical(source, *(d.root for d in daemons))


def test_a_renamed_directory_is_not_sent_again(source, daemons, sync, folder):
    status_file = folder / "status.json"
    for n in range(200):
        write(source / f"old/{n % 7}/{n}", f"{n}" * 3000)
    sync("--status-file", status_file)
    wait_identical(source, *(d.root for d in daemons))

    def sent():
        return [t["bytes"] for t in json.loads(status_file.read_text())["sources"][0]["targets"]]

    wait_until(lambda: min(sent()) > 0, "bytes are counted")
    before = sent()
    (source / "old").rename(source / "new")
    write(source / "marker", "m")
    wait_identical(source, *(d.root for d in daemons))
    wait_until(lambda: all(a > b for a, b in zip(sent(), before)), "the marker is counted")
    assert all(a - b < 10_000 for a, b in zip(sent(), before))


def test_once_with_a_dead_target(source, daemons, run):
    write(source / "file")
    daemons[0].stop()
    program = run("--once", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons))
    assert program.wait() == 1
    assert differences(source, daemons[1].root) == []


def test_the_end_of_a_pipe_with_a_dead_target(source, daemons, run):
    program = run("--from-stdin", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons),
                  stdin=subprocess.PIPE)
    program.wait_said("in step", times=3)
    daemons[0].stop()
    write(source / "file")
    program.process.stdin.write(f"{source}/file\n".encode())
    program.process.stdin.close()
    assert program.wait() == 1
    assert all(differences(source, d.root) == [] for d in daemons[1:])
    assert "not up to date: " in program.output()


def test_written_through_a_name_that_is_gone_again(folder, source, start_daemon, run):
    """While a target hangs, a file gets a second name, is written to through that, and loses it."""
    daemon = start_daemon("web1")
    write(source / "file", "first")
    status_file = folder / "status.json"
    program = run("--delete", "--password-file", daemon.password_file, "--status-file", status_file, "--timeout", "1h",
                  f"{source}/", daemon.url)
    program.wait_said("in step")
    daemon.pause()

    def told_of(names):
        def is_told():
            target = json.loads(status_file.read_text())["sources"][0]["targets"][0]
            return target["state"] == "running" and target["queue"] >= names
        wait_until(is_told, lambda: f"{names} names wait for the target: {status_file.read_text()}")

    write(source / "keeps it busy")
    told_of(1)
    os.link(source / "file", source / "second name")
    told_of(2)
    with open(source / "second name", "a") as file:
        file.write(" and second")
    (source / "second name").chmod(0o600)
    write(source / "told after that")
    told_of(3)
    (source / "second name").unlink()
    daemon.resume()
    wait_identical(source, daemon.root)
    assert program.output().count("in step") == 1
