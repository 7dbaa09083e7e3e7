# SPDX-License-Identifier: GPL-2.0-or-later
"""Targets, sources and the program itself in trouble: the others go on, and all is right in the end."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from sync_support import PASSWORD, differences, tree, wait_identical, wait_until


def write(path, text="content"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


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


def test_source_moved_away_and_back_deletes_nothing(source, folder, daemons, sync):
    write(source / "a/b/file")
    program = sync()
    wait_identical(source, *(d.root for d in daemons))
    before = tree(source)
    source.rename(folder / "away")
    program.wait_said("the source is gone")
    source.mkdir()
    for daemon in daemons:
        assert tree(daemon.root) == before
    source.rmdir()
    write(folder / "away/meanwhile")
    (folder / "away").rename(source)
    program.wait_said("the source is back")
    wait_identical(source, *(d.root for d in daemons))
    write(source / "after")
    wait_identical(source, *(d.root for d in daemons))


def test_another_directory_in_the_source_s_place_deletes_nothing(source, folder, daemons, sync):
    write(source / "file")
    program = sync()
    wait_identical(source, *(d.root for d in daemons))
    source.rename(folder / "away")
    source.mkdir()
    write(source / "other")
    program.wait_said("the source", times=1)
    assert all((d.root / "file").exists() and not (d.root / "other").exists() for d in daemons)
    assert program.running()


def test_empty_source_at_start_deletes_nothing(source, daemons, run):
    for daemon in daemons:
        write(daemon.root / "precious")
    program = run("--delete", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons))
    program.wait_said("in step", times=3)
    program.wait_said("the source is empty")
    assert all((d.root / "precious").exists() for d in daemons)


def test_without_delete_nothing_is_deleted(source, daemons, run):
    write(source / "a")
    write(daemons[0].root / "stray")
    program = run("--password-file", daemons[0].password_file, source, daemons[0].url)
    program.wait_said("in step")
    (source / "a").unlink()
    write(source / "b")
    wait_until(lambda: (daemons[0].root / "b").exists(), "b is there")
    assert (daemons[0].root / "a").exists() and (daemons[0].root / "stray").exists()


def test_max_delete_holds(source, daemons, sync):
    for n in range(10):
        write(source / f"f{n}")
    program = sync("--max-delete", "5")
    wait_identical(source, *(d.root for d in daemons))
    program.process.send_signal(signal.SIGSTOP)  # so that it is one batch
    for n in range(10):
        (source / f"f{n}").unlink()
    write(source / "new")
    program.process.send_signal(signal.SIGCONT)
    program.wait_said("until SIGHUP", times=3)
    wait_until(lambda: all((d.root / "new").exists() for d in daemons), program.output)
    assert all(len(list(d.root.glob("f*"))) == 10 for d in daemons)


def test_max_delete_sees_what_goes_with_a_directory(source, daemons, sync):
    for n in range(10):
        write(source / f"d/f{n}")
    write(source / "e/f")
    program = sync("--max-delete", "50%")  # of 13 names
    wait_identical(source, *(d.root for d in daemons))
    (source / "d").rename(source / "other")  # nothing is lost by that
    shutil.rmtree(source / "e")
    wait_identical(source, *(d.root for d in daemons))
    program.process.send_signal(signal.SIGSTOP)  # so that it is one batch
    shutil.rmtree(source / "other")
    write(source / "new")
    program.process.send_signal(signal.SIGCONT)
    program.wait_said("until SIGHUP", times=3)
    wait_until(lambda: all((d.root / "new").exists() for d in daemons), program.output)
    assert all(len(list(d.root.glob("other/f*"))) == 10 for d in daemons)
    program.process.send_signal(signal.SIGHUP)
    wait_identical(source, *(d.root for d in daemons))


def test_max_delete_of_a_tree_that_moves_away(source, daemons, sync):
    for n in range(10):
        write(source / f"d/f{n}")
    program = sync("--max-delete", "5")
    wait_identical(source, *(d.root for d in daemons))
    (source / "d").rename(source.parent / "elsewhere")
    program.wait_said("until SIGHUP", times=3)
    assert all(len(list(d.root.glob("d/f*"))) >= 5 for d in daemons)


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


def test_over_ssh(source, folder, ssh_server, run):
    write(source / "a b/file")
    config = folder / "sync.toml"
    config.write_text(f"""
[[source]]
path = "{source}"
delete = true
[[source.target]]
to = "node:{folder}/over-ssh"
ssh = "ssh -F {ssh_server.client_config}"
""")
    program = run("--config", config)
    program.wait_said("in step")
    wait_identical(source, folder / "over-ssh")
    write(source / "later")
    (source / "a b").rename(source / "c d")
    wait_identical(source, folder / "over-ssh")


def test_to_a_local_directory(source, folder, run):
    write(source / "file")
    run("--delete", source, folder / "copy/").wait_said("in step")
    write(source / "later")
    wait_identical(source, folder / "copy")


def test_excluded_paths_stay_out(source, daemons, sync):
    write(source / "cache/x")
    write(source / "keep.txt")
    sync("--exclude", "/cache/", "--exclude", "*.tmp")
    write(source / "cache/y")
    write(source / "a.tmp")
    write(source / "b.txt")
    (source / "keep.txt").rename(source / "keep.tmp")
    wait_until(lambda: all(sorted(p.name for p in d.root.iterdir()) == ["b.txt"] for d in daemons),
               lambda: [sorted(os.listdir(d.root)) for d in daemons])


def test_once(source, daemons, run):
    write(source / "dir/file")
    program = run("--once", "--delete", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons))
    assert program.wait() == 0
    assert all(differences(source, d.root) == [] for d in daemons)


def test_once_with_a_dead_target(source, daemons, run):
    write(source / "file")
    daemons[0].stop()
    program = run("--once", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons))
    assert program.wait() == 1
    assert differences(source, daemons[1].root) == []


def test_events_from_a_pipe(source, daemons, run):
    program = run("--from-stdin", "--null", "--delete", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons), stdin=subprocess.PIPE)
    program.wait_said("in step", times=3)
    write(source / "new\nline")
    write(source / "old")
    program.process.stdin.write(f"{source}/new\nline\0{source}/old\0".encode())
    program.process.stdin.flush()
    wait_identical(source, *(d.root for d in daemons))
    (source / "old").unlink()
    program.process.stdin.write(f"{source}/old\0/elsewhere\0".encode())
    program.process.stdin.close()
    assert program.wait() == 0
    assert all(differences(source, d.root) == [] for d in daemons)
    assert "/elsewhere: not in" in program.output()


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
    assert "not up to date: 1 path" in program.output()


def test_without_an_initial_pass_only_changes_go(source, daemons, run):
    write(source / "before")
    program = run("--no-initial-sync", "--from-stdin", "--password-file", daemons[0].password_file, source,
                  daemons[0].url, stdin=subprocess.PIPE)
    write(source / "after")
    program.process.stdin.write(f"{source}/after\n".encode())
    program.process.stdin.close()
    assert program.wait() == 0
    assert sorted(os.listdir(daemons[0].root)) == ["after"]


def test_dry_run_prints_the_command_lines(source, daemons, run):
    write(source / "file")
    program = run("--dry-run", "--delete", source, daemons[0].url, "--", "--bwlimit=5m")
    assert program.wait() == 0
    lines = program.output().splitlines()
    assert len(lines) == 2 and all(line.startswith("rsync ") and "--bwlimit=5m" in line for line in lines)
    assert not (daemons[0].root / "file").exists()


@pytest.mark.parametrize("arguments, status, words", [
    ([], 64, "give a SOURCE"),
    (["src"], 64, "give a SOURCE"),
    (["--bogus", "a", "b"], 64, "--bogus"),
    (["/no/such/source", "target"], 1, "/no/such/source"),
    (["--config", "/no/such.toml"], 78, "/no/such.toml"),
    (["--password-file", "/no/such", "/tmp", "rsync://h/m"], 64, "/no/such"),
    (["--settle", "soon", "/tmp", "x"], 64, "soon"),
    (["--jobs", "two", "/tmp", "x"], 64, "two"),
])
def test_what_is_wrong_is_said_in_one_line(run, arguments, status, words):
    program = run(*arguments)
    assert program.wait() == status
    assert words in program.output()
    assert program.output().count("\n") == 1


def test_an_open_password_file_is_refused(source, folder, run):
    password = folder / "open"
    password.write_text("x")
    password.chmod(0o644)
    program = run("--password-file", password, source, "rsync://web@127.0.0.1/content/")
    assert program.wait() == 64
    assert str(password) in program.output()


def config_text(source, daemons, settings="delete = true"):
    return f'[[source]]\npath = "{source}"\n{settings}\n' + "".join(
        f'[[source.target]]\nname = "{d.name}"\nto = "{d.url}"\npassword_file = "{d.password_file}"\n' for d in daemons)


def test_sighup_takes_targets_in_and_out(source, folder, daemons, run):
    config, status = folder / "sync.toml", folder / "status.json"
    config.write_text(config_text(source, daemons[:2]))
    program = run("--config", config, "--status-file", status)
    program.wait_said("in step", times=2)
    assert status.exists()
    write(source / "file")
    wait_identical(source, daemons[0].root, daemons[1].root)
    config.write_text(config_text(source, daemons[1:]))
    program.process.send_signal(signal.SIGHUP)
    program.wait_said("was read again")
    write(source / "later")
    wait_identical(source, daemons[1].root, daemons[2].root)
    assert not (daemons[0].root / "later").exists()
    config.write_text("nonsense")
    program.process.send_signal(signal.SIGHUP)
    program.wait_said("the settings stay as they are")
    config.write_text(config_text(source, daemons[1:], 'delete = true\nexclude = ["*.tmp"]'))
    program.process.send_signal(signal.SIGHUP)
    program.wait_said("was read again", times=2)
    write(source / "a.tmp")
    write(source / "last")
    wait_until(lambda: (daemons[2].root / "last").exists(), program.output)
    assert not (daemons[2].root / "a.tmp").exists()
    assert program.terminate() == 0


@pytest.mark.parametrize("more", [["--delete"], ["--exclude", "x"], ["src", "dst"]])
def test_sources_are_said_once(folder, source, daemons, run, more):
    config = folder / "sync.toml"
    config.write_text(config_text(source, daemons))
    program = run("--config", config, *more)
    assert program.wait() == 78
    assert more[0] in program.output() and program.output().count("\n") == 1
