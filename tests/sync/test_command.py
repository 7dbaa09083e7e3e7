# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line and the configuration: what is asked for is done, and what is wrong is said in one line."""

import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from sync_support import differences, wait_identical, wait_until, write


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


@pytest.mark.parametrize("trouble", ["sockets gone", "place gone", "shared connection hangs"])
def test_over_ssh_in_trouble(source, folder, ssh_server, run, trouble):
    """The place of ssh's sockets is tidied away, or goes when its user logs out; or a shared connection hangs."""
    runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    config = folder / "sync.toml"
    config.write_text(f"""
[[source]]
path = "{source}"
delete = true
timeout = "3s"
[[source.target]]
to = "node:{folder}/over-ssh"
ssh = "ssh -F {ssh_server.client_config}"
""")
    program = run("--config", config)
    program.wait_said("in step")
    write(source / "first")
    wait_identical(source, folder / "over-ssh")
    masters = shared_connections(runtime)
    assert masters
    for master in masters:
        os.kill(master, signal.SIGSTOP if "hangs" in trouble else signal.SIGKILL)
    if "hangs" not in trouble:
        shutil.rmtree(runtime if "place" in trouble else next(runtime.iterdir()))
    for n in range(3):
        write(source / f"later-{n}")
        wait_identical(source, folder / "over-ssh")
    for master in masters:
        with suppress(ProcessLookupError):
            os.kill(master, signal.SIGKILL)
    assert program.terminate() == 0


def shared_connections(runtime):
    """The processes that hold them call themselves by their socket."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes()
            if words.startswith(b"ssh: " + os.fsencode(runtime)):
                found.append(int(process.name))
    return found


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


def test_files_go_whose_name_is_excluded_for_directories(source, daemons, sync):
    for name in ("here", "below/here", "replaced"):
        write(source / name)
    sync("--exclude", "here/", "--exclude", "replaced/")
    (source / "here").unlink()
    (source / "below/here").unlink()
    wait_identical(source, *(d.root for d in daemons))
    (source / "replaced").unlink()
    (source / "replaced").mkdir()
    wait_until(lambda: not any((d.root / "replaced").exists() for d in daemons), "the file is gone")


def test_directories_go_where_only_some_files_are_wanted(source, daemons, sync):
    write(source / "a/b/wanted.csv")
    write(source / "a/also.csv")
    sync("--include", "*/", "--include", "*.csv", "--exclude", "*")
    shutil.rmtree(source / "a/b")
    wait_identical(source, *(d.root for d in daemons))
    shutil.rmtree(source / "a")
    wait_identical(source, *(d.root for d in daemons))


def test_names_from_a_pipe_of_directories_that_changed_places(source, daemons, run):
    write(source / "a/was in a")
    write(source / "a/deep/was in a")
    write(source / "b/deep/was in b")
    program = run("--from-stdin", "--delete", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons), stdin=subprocess.PIPE)
    program.wait_said("in step", times=3)

    def tell(*names):
        program.process.stdin.write("".join(f"{source}/{name}\n" for name in names).encode())
        program.process.stdin.flush()
        wait_identical(source, *(d.root for d in daemons))

    for n in range(10):  # until what was read in the full pass is no longer in doubt
        write(source / "file", f"{n}")
        tell("file")
    (source / "a").rename(source / "c")
    (source / "b").rename(source / "a")
    tell("a", "c", "b", "a")


def test_once(source, daemons, run):
    write(source / "dir/file")
    program = run("--once", "--delete", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons))
    assert program.wait() == 0
    assert all(differences(source, d.root) == [] for d in daemons)


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


def test_dots_in_paths_from_a_pipe(source, folder, run):
    write(source / "d/file")
    program = run("--from-stdin", source, folder / "copy", stdin=subprocess.PIPE)
    program.wait_said("in step")
    write(source / "d/new")
    write(source / "up")
    program.process.stdin.write(f"{source}/./d//./new\n{source}/d/../up\n".encode())
    program.process.stdin.close()
    assert program.wait() == 0
    assert (folder / "copy/d/new").exists() and not (folder / "copy/up").exists()
    assert f"{source}/d/../up: not in" in program.output()


def test_who_started_it_may_not_care_for_its_children(source, folder, run):
    """Ignored signals are inherited, and with SIGCHLD ignored nobody can say how a child ended."""
    program = run(source, folder / "copy", through=["env", "--ignore-signal=CHLD"])
    program.wait_said("in step")
    write(source / "later")
    wait_identical(source, folder / "copy")
    program.process.terminate()
    program.wait()


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
    assert len(lines) == 1 and lines[0].startswith("rsync ") and "--bwlimit=5m" in lines[0]
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


def test_sighup_before_the_source_is_watched(source, folder, run):
    for n in range(3000):
        (source / f"{n}").mkdir()
    program = run(source, folder / "copy")

    def has_begun():
        """It ignores SIGPIPE, nearly the first thing that it does."""
        ignored = re.search(r"^SigIgn:\s*(\w+)$", Path(f"/proc/{program.process.pid}/status").read_text(), re.M)
        return int(ignored[1], 16) & 1 << signal.SIGPIPE - 1

    wait_until(has_begun, "it runs")
    program.process.send_signal(signal.SIGHUP)
    wait_identical(source, folder / "copy")
    assert program.running()


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


def test_sighup_with_other_settings_forgets_nothing(source, folder, daemons, run):
    """What a dead target lacks, it lacks also after that, and also where nothing is compared at the start."""
    config = folder / "sync.toml"
    config.write_text(config_text(source, daemons, "delete = true\ninitial_sync = false"))
    program = run("--config", config, "--pid-file", folder / "pid")
    wait_until((folder / "pid").exists, "the source is watched")
    write(source / "first")
    wait_identical(source, *(d.root for d in daemons))
    dead, *healthy = daemons
    dead.stop()
    write(source / "queued")
    wait_identical(source, *(d.root for d in healthy))
    program.wait_said("again in")
    config.write_text(config_text(source, daemons, 'delete = true\ninitial_sync = false\nexclude = ["*.tmp"]'))
    program.process.send_signal(signal.SIGHUP)
    program.wait_said("was read again")
    dead.start()
    wait_identical(source, dead.root)


def test_sighup_starts_nothing_once_it_is_to_end(source, folder, daemons, run):
    config = folder / "sync.toml"
    config.write_text(config_text(source, daemons))
    program = run("--config", config)
    program.wait_said("in step", times=3)
    daemons[0].pause()
    write(source / "file")
    wait_identical(source, *(d.root for d in daemons[1:]))
    program.process.send_signal(signal.SIGTERM)
    wait_until(lambda: len(program.children()) == 1, "only the run that hangs is left")
    config.write_text(config_text(source, daemons, 'exclude = ["*.tmp"]'))
    program.process.send_signal(signal.SIGHUP)
    program.process.send_signal(signal.SIGINT)
    assert program.wait() == 0
    assert "was read again" not in program.output()


def test_sighup_while_a_source_is_away(source, folder, daemons, run):
    """What is no longer wanted is not done when it is back, nor is it done in the meantime."""
    config, status = folder / "sync.toml", folder / "status.json"
    write(source / "old")
    config.write_text(config_text(source, daemons[:2]))
    program = run("--config", config, "--status-file", status)
    wait_identical(source, daemons[0].root, daemons[1].root)
    program.wait_said("in step", times=2)
    source.rename(folder / "away")
    program.wait_said("the source is gone")
    config.write_text(config_text(source, daemons[:1], 'delete = false\nexclude = ["*.o"]'))
    program.process.send_signal(signal.SIGHUP)
    program.wait_said("nothing is sent from there until it is there")
    wait_until(lambda: '"missing"' in status.read_text(), "the status tells of it")
    (folder / "away/old").unlink()
    write(folder / "away/left out.o")
    write(folder / "away/new")
    (folder / "away").rename(source)
    program.wait_said("the source is there")
    wait_until((daemons[0].root / "new").exists, "it is sent")
    write(source / "later")
    wait_until((daemons[0].root / "later").exists, "it is watched")
    assert sorted(os.listdir(daemons[0].root)) == ["later", "new", "old"]
    assert os.listdir(daemons[1].root) == ["old"]


def test_sighup_takes_the_settings_of_the_program(source, folder, daemons, run):
    """Of the one job there is, a hung target has it for ten minutes, until there are more."""
    config, log = folder / "sync.toml", folder / "log"
    old, new = folder / "old.json", folder / "new.json"
    settings = 'jobs = 1\ntimeout = "10m"\nstatus_file = "{}"\n{}'
    config.write_text(settings.format(old, "") + config_text(source, daemons))
    program = run("--config", config)
    program.wait_said("in step", times=3)
    wait_until(old.exists, "the status file")
    daemons[0].pause()
    write(source / "file")
    wait_until(lambda: '"running"' in old.read_text(), "the job is taken")
    more = f'log_file = "{log}"\nlog_format = "json"\n'
    config.write_text(settings.format(new, more).replace("jobs = 1", "jobs = 3") + config_text(source, daemons))
    program.process.send_signal(signal.SIGHUP)
    wait_identical(source, *(d.root for d in daemons[1:]))
    wait_until(new.exists, "the new status file")
    assert not old.exists()
    wait_until(lambda: '"message":"1 file' in log.read_text(), log.read_text)
    daemons[0].resume()
    wait_identical(source, daemons[0].root)


@pytest.mark.parametrize("more", [["--delete"], ["--exclude", "x"], ["src", "dst"]])
def test_sources_are_said_once(folder, source, daemons, run, more):
    config = folder / "sync.toml"
    config.write_text(config_text(source, daemons))
    program = run("--config", config, *more)
    assert program.wait() == 64
    assert more[0] in program.output() and program.output().count("\n") == 1
