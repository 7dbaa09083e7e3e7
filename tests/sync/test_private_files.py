# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may read and write the files around the program, and what names can do to it."""

import os
import re
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from sync_support import at_a_terminal, said_by, wait_identical, wait_until

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
import model_operations as operations  # noqa: E402


def write(path, text="content"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o602, 0o622, 0o646])
def test_a_configuration_that_others_may_write_is_refused(folder, source, run, mode):
    config = folder / "sync.toml"
    config.write_text(f'[[source]]\npath = "{source}"\ntargets = ["{folder}/copy"]\n')
    config.chmod(mode)
    program = run("--config", config, "--once")
    assert program.wait() == 78
    assert program.output() == f"inotifysync: {config}: can be written by others; chmod go-w it\n"
    config.chmod(0o644)
    assert run("--config", config, "--once").wait() == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_files_of_somebody_else_are_refused(folder, source, run):
    config, password = folder / "sync.toml", folder / "password"
    config.write_text(f'[[source]]\npath = "{source}"\ntargets = ["{folder}/copy"]\n')
    password.write_text("secret\n")
    password.chmod(0o600)
    for path in (config, password):
        os.chown(path, 65534, 65534)
    program = run("--config", config, "--once")
    assert program.wait() == 78 and "belongs to another user" in program.output()
    program = run("--password-file", password, source, "rsync://web@127.0.0.1/content/")
    assert program.wait() == 64 and "belongs to another user" in program.output()


def test_the_status_file_is_private_and_leaves_nothing_beside(folder, source, run):
    place = folder / "run"
    place.mkdir()
    os.symlink(source / "victim", place / "status.json.new")  # a name that could be guessed is nobody's business
    write(source / "victim")
    assert run("--once", "--status-file", place / "status.json", source, folder / "copy").wait() == 0
    assert mode_of(place / "status.json") == 0o600
    assert sorted(os.listdir(place)) == ["status.json", "status.json.new"]
    assert (source / "victim").read_text() == "content"


def test_the_status_file_does_not_follow_a_link(folder, source, run):
    write(folder / "victim")
    os.symlink(folder / "victim", folder / "status.json")
    assert run("--once", "--status-file", folder / "status.json", source, folder / "copy").wait() == 0
    assert (folder / "victim").read_text() == "content"
    assert not (folder / "status.json").is_symlink()


@pytest.mark.parametrize("option", ["--status-file", "--pid-file"])
def test_what_is_no_ordinary_file_stays(folder, source, option):
    """/dev/null would be gone for everybody."""
    os.mkfifo(folder / "pipe")
    status, said = said_by("--once", option, folder / "pipe", source, folder / "copy")
    assert status == 1 and "no ordinary file" in said and said.count("\n") == 1, said
    assert (folder / "pipe").is_fifo()


def test_a_pid_file_that_holds_something_else_stays(folder, source):
    write(folder / "precious", "a letter\n")
    status, said = said_by("--once", "--pid-file", folder / "precious", source, folder / "copy")
    assert (status, said) == (1, f"inotifysync: {folder}/precious: holds something else than a process id, "
                                 "and cannot be the pid file\n")
    assert (folder / "precious").read_text() == "a letter\n"


def test_patterns_from_a_pipe_are_not_waited_for(folder, source):
    os.mkfifo(folder / "pipe")
    status, said = said_by("--once", "--exclude-from", folder / "pipe", source, folder / "copy")
    assert status == 64 and f"{folder}/pipe: it is a pipe" in said and said.count("\n") == 1, said


def test_the_sockets_of_ssh_are_private(folder, source, ssh_server, run):
    config, runtime = folder / "sync.toml", Path(tempfile.mkdtemp(dir="/tmp"))  # a socket's path is a short one
    config.write_text(f'[[source]]\npath = "{source}"\n[[source.target]]\nto = "node:{folder}/over-ssh"\n'
                      f'ssh = "ssh -F {ssh_server.client_config}"\n')
    program = run("--config", config, environment={"XDG_RUNTIME_DIR": str(runtime)})
    program.wait_said("in step")
    (directory,) = runtime.iterdir()
    assert mode_of(directory) == 0o700
    assert re.fullmatch(r"inotifysync-\w{6}", directory.name)
    program.terminate()
    runtime.rmdir()  # it is empty again


def test_a_runtime_directory_too_deep_for_sockets(folder, source, ssh_server, run):
    config, runtime = folder / "sync.toml", folder / ("deep" * 20)
    runtime.mkdir()
    config.write_text(f'[[source]]\npath = "{source}"\n[[source.target]]\nto = "node:{folder}/over-ssh"\n'
                      f'ssh = "ssh -F {ssh_server.client_config}"\n')
    program = run("--config", config, "--once", environment={"XDG_RUNTIME_DIR": str(runtime)})
    assert program.wait() == 0, program.output()


# Names

ESCAPES = "\x1b]0;title\x07\x1b[2J\n00:00:00 web1 in step: nothing to do"


def test_names_do_not_write_lines_of_the_log(source, folder, run):
    program = run("--from-stdin", "--null", source, folder / "copy", stdin=subprocess.PIPE)
    program.wait_said("in step")
    program.process.stdin.write(b"/elsewhere" + ESCAPES.encode() + b"\0")
    program.process.stdin.close()
    assert program.wait() == 0
    (line,) = [line for line in program.output().splitlines() if "elsewhere" in line]
    assert r"/elsewhere\x1b]0;title\x07\x1b[2J\n00:00:00" in line
    assert "\x1b" not in program.output()


def test_names_do_not_command_the_terminal(folder):
    status, said = at_a_terminal(folder / f"no{ESCAPES}", folder / "copy")
    assert status == 1
    assert rb"\x1b]0;title\x07" in said and b"\x1b" not in said


HOSTILE = ["$(touch pwned)", "`touch pwned`", "; touch pwned", "| touch pwned", "--rsh=touch pwned", "-e touch pwned",
           "--rsync-path=touch pwned", "--delete", "-", "--", "--files-from=x", "host:file", "host::module", "rsync:",
           "#comment", ";comment", "*", "?", "[a]", "~root", "..x", "\x1b[31m", "new\nline", "%n %f", "\\#033", "'",
           '"']


def test_names_are_names_to_rsync_and_the_shell(source, folder, daemons, sync, run, monkeypatch):
    """As files, as directories, moved and deleted, to daemons and to a directory: names and nothing else."""
    monkeypatch.chdir(folder)
    sync()
    run("--delete", source, folder / "copy").wait_said("in step")
    targets = [*(d.root for d in daemons), folder / "copy"]
    for name in HOSTILE:
        write(source / name)
        write(source / "in" / name / name)
        (source / "as directory" / name).mkdir(parents=True)
    wait_identical(source, *targets, deadline=60)
    for name in HOSTILE:
        (source / name).rename(source / "in" / f"{name}.moved")
        (source / "in" / name).rename(source / name)
        (source / "as directory" / name).rmdir()
    wait_identical(source, *targets, deadline=60)
    assert not list(folder.rglob("pwned"))


@pytest.mark.parametrize("name", ["-e touch pwned", "--rsh=touch pwned;", "$(touch pwned)", "new\nline", "a:b"])
def test_a_source_may_have_any_name(folder, run, monkeypatch, name):
    monkeypatch.chdir(folder)
    write(folder / "top" / name / "file")
    run("--delete", folder / "top" / name, folder / "copy").wait_said("in step")
    write(folder / "top" / name / "later")
    wait_identical(folder / "top" / name, folder / "copy")
    assert not list(folder.rglob("pwned"))


def test_links_swapped_in_for_directories_leave_nothing_behind(source, folder, daemons, sync, monkeypatch):
    """A directory and a link out of the source change places all the time while files in it are sent. rsync itself
    may be fooled for a moment; in the end there is nothing on the targets that is not in the source."""
    write(folder / "outside/file", "from outside")
    write(folder / "outside/only there", "from outside")
    write(source / "d/file", "harmless")
    os.symlink("../outside", source / "l")
    sync("--exclude", "/l")
    stop = threading.Event()
    monkeypatch.chdir(source)

    def swap():
        while not stop.is_set():
            operations.attempt(("exchange", b"d", b"l"))

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for at in range(10):
            write(source / "plain", str(at))
            wait_until(lambda: all((d.root / "plain").exists() and (d.root / "plain").read_text() == str(at)
                                   for d in daemons), "plain", 60)
            write(source / "d/file", f"harmless {at}")
            write(source / f"d/{at}", "harmless")
    finally:
        stop.set()
        swapping.join()
    if (source / "d").is_symlink():
        operations.attempt(("exchange", b"d", b"l"))
    wait_identical(source / "d", *(d.root / "d" for d in daemons), deadline=60)


def test_no_secret_on_a_command_line(source, daemons, sync):
    program = sync()
    write(source / "file")
    wait_identical(source, *(d.root for d in daemons))
    for pid in [program.process.pid, *program.children()]:
        try:
            assert b"let me in" not in Path(f"/proc/{pid}/cmdline").read_bytes()
            assert b"let me in" not in Path(f"/proc/{pid}/environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            pass
