# SPDX-License-Identifier: GPL-2.0-or-later
"""How the program runs: in the background, under a service manager, on a terminal, under more than it can read."""

import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import termios
import time
from pathlib import Path

import pytest
from sync_support import BUILD, DEADLINE, INOTIFYSYNC, at_a_terminal, fake_rsync, wait_identical, wait_until, write

NAMESPACES = subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode == 0


def test_an_overflow_ends_in_a_full_pass(source, daemons, sync):
    program = sync()
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    program.process.send_signal(signal.SIGSTOP)
    for n in range(limit // 3 + 1000):  # CREATE, MODIFY and CLOSE_WRITE for each
        (source / f"{n}").write_text(str(n))
    write(source / "deep/down/file")
    program.process.send_signal(signal.SIGCONT)
    program.wait_said("the kernel's queue overflowed")
    wait_identical(source, *(d.root for d in daemons))
    write(source / "deep/down/later")
    wait_identical(source, *(d.root for d in daemons))


def test_in_the_background(source, folder, daemons):
    pid_file, log_file = folder / "pid", folder / "log"
    done = subprocess.run([INOTIFYSYNC, "--daemon", "--pid-file", pid_file, "--log-file", log_file, "--password-file",
                           daemons[0].password_file, source, daemons[0].url], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    wait_until(pid_file.exists, "the pid file")
    pid = int(pid_file.read_text())
    try:
        write(source / "file")
        wait_identical(source, daemons[0].root)
        wait_until(lambda: "in step" in log_file.read_text(), "the log")
        log_file.rename(folder / "log.1")
        os.kill(pid, signal.SIGHUP)
        wait_until(log_file.exists, "the log file by its name again")
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not pid_file.exists(), "the end")


def test_in_the_background_errors_are_said_first(folder):
    done = subprocess.run([INOTIFYSYNC, "--daemon", "/no/such", folder / "target"], capture_output=True, text=True,
                          timeout=DEADLINE)
    assert done.returncode == 1
    assert "/no/such" in done.stderr


def test_the_service_manager_is_told(source, folder, daemons, run):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(DEADLINE)
        program = run("--password-file", daemons[0].password_file, source, daemons[0].url,
                      environment={"NOTIFY_SOCKET": str(folder / "notify")})
        assert manager.recv(100) == b"READY=1"
        program.terminate()
        assert manager.recv(100) == b"STOPPING=1"


def test_the_log_as_json(source, daemons, sync):
    program = sync("--log-format", "json")
    write(source / 'a "quoted" file')
    wait_identical(source, *(d.root for d in daemons))

    def lines():
        whole, _, _ = program.output().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    wait_until(lambda: sum(line.get("files", 0) for line in lines() if not line.get("full_pass")) >= 3, program.output)
    assert all({"time", "level", "about", "message"} <= line.keys() for line in lines())


def of_group(group):
    """Processes of the group that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            state, _, of, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if int(of) == group and state not in "ZX":
            found.append(int(entry.name))
    return found


# It leaves somebody behind, as an rsync does whose target is full.
LEAVES_ONE = """
if os.fork() == 0:
    for stream in (0, 1, 2):
        os.close(stream)
    open({seen!r} + ".new", "w").write(str(os.getpgrp()))
    os.rename({seen!r} + ".new", {seen!r})
    while True:
        signal.pause()
while not os.path.exists({seen!r}):
    pass
print("rsync: no luck", file=sys.stderr)
os._exit(11)
"""


@pytest.mark.parametrize("options", [["--once"], []])
def test_nothing_of_an_rsync_outlives_the_program(source, folder, run, path, options):
    write(source / "file")
    seen = folder / "group"
    fake_rsync(path, "rsync-leaves", "import signal\n" + LEAVES_ONE.format(seen=str(seen)))
    program = run(*options, source, folder / "copy", environment={"PATH": str(path)})
    if not options:
        wait_until(seen.exists, "a run")
        program.process.send_signal(signal.SIGTERM)
        program.process.send_signal(signal.SIGTERM)
    program.wait()
    assert of_group(int(seen.read_text())) == []


def test_a_program_that_is_killed_takes_its_rsyncs_along(source, folder, run, path):
    fake_rsync(path, "rsync-slow", "import signal\nwhile True:\n    signal.pause()\n")
    program = run(source, folder / "copy", environment={"PATH": str(path)})
    child, = wait_until(program.children, "an rsync")
    program.kill()
    wait_until(lambda: of_group(child) == [], lambda: f"the end of {of_group(child)}")


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_a_terminal_ends_everything_in_order(source, folder, run, signal_number):
    write(source / "file")
    program = run(source, folder / "copy")
    program.wait_said("in step")
    child, = wait_until(program.children, "the rsync that waits")
    os.killpg(program.process.pid, signal_number)  # as the terminal does
    assert program.wait() == 0
    assert of_group(child) == []


def test_the_directory_it_was_started_in_may_go(source, folder, run):
    (folder / "start").mkdir()
    at = ["sh", "-c", 'cd "$0" && exec "$@"', folder / "start"]
    program = run("--delete", "../source", folder / "copy", "../other", through=at)
    program.wait_said("in step", times=2)
    (folder / "start").rmdir()
    for n in range(5):
        write(source / f"{n}/file")
        wait_identical(source, folder / "copy", folder / "other")
    assert program.output().count("getcwd") <= 2  # of those that stood there already


def test_quiet_says_nothing(source, daemons, run):
    write(source / "file")
    program = run("--quiet", "--once", "--password-file", daemons[0].password_file, source,
                  *(d.url for d in daemons))
    assert program.wait() == 0
    assert program.output() == ""


def test_a_terminal_is_left_in_order(source, daemons):
    for n in range(300):
        write(source / f"{n}")
    status, said = at_a_terminal("--once", "--password-file", daemons[0].password_file, source, *(d.url for d in daemons))
    assert status == 0
    assert said.count(b"in step:") == 3
    assert said.endswith(b"\n") or said.endswith(b"\r\x1b[K")


def test_a_status_file_that_cannot_be_written_for_a_while(folder, source, daemons, sync):
    """It is told, but not with every change, and in the end the file says how it is though nothing more happens."""
    place = folder / "run"
    place.mkdir()
    program = sync("--status-file", place / "status")
    wait_until((place / "status").exists, program.output)
    place.rename(folder / "away")
    (folder / "away/status").unlink()
    end = time.monotonic() + 4
    while time.monotonic() < end or "cannot be written" not in program.output():
        write(source / "file", f"{time.monotonic_ns()}")
        wait_identical(source, *(d.root for d in daemons))
    assert program.output().count("cannot be written") == 1
    (folder / "away").rename(place)
    wait_until((place / "status").exists, program.output)


@pytest.mark.plain_build  # a sanitizer wants /proc
@pytest.mark.skipif(not NAMESPACES, reason="user namespaces are not allowed here")
def test_without_proc(source, folder, daemons, run):
    write(source / "d/file")
    run("--delete", "--password-file", daemons[0].password_file, source, daemons[0].url, folder / "copy",
        environment={"LD_LIBRARY_PATH": str(BUILD / "libnotify_core")},  # beside the program means: by /proc
        through=["unshare", "-Urm", "sh", "-c", 'mount -t tmpfs none /proc && exec "$0" "$@"'])
    wait_identical(source, daemons[0].root, folder / "copy")
    shutil.rmtree(source / "d")
    write(source / "e/file")
    wait_identical(source, daemons[0].root, folder / "copy")


@pytest.mark.skipif(subprocess.run(["unshare", "-Urpf", "--mount-proc", "true"], capture_output=True).returncode != 0,
                    reason="process namespaces are not allowed here")
def test_the_first_process_of_a_container_leaves_no_zombies(source, folder, run):
    """As ssh does with a connection that is shared, this rsync leaves a process behind in a session of its own."""
    (folder / "bin").mkdir()
    fake_rsync(folder / "bin", "leaving", """
from pathlib import Path
subprocess.run([REAL, *sys.argv[1:]], close_fds=False, check=True)
subprocess.run(["sh", "-c", "setsid sleep 0 </dev/null >/dev/null 2>&1 &"])
""")
    unshare = run("--delete", source, folder / "copy", environment={"PATH": f"{folder}/bin:/usr/bin:/bin"},
                  through=["unshare", "-Urpf", "--kill-child", "--mount-proc"])

    def zombies():
        ours = unshare.children()[0]
        children = Path(f"/proc/{ours}/task/{ours}/children").read_text().split()
        return [pid for pid in children if ") Z " in Path(f"/proc/{pid}/stat").read_text()]

    for n in range(5):
        write(source / "file", f"{n}")
        wait_identical(source, folder / "copy")
    wait_until(lambda: len(zombies()) <= 1, "what was left is taken up")


def test_at_a_terminal_that_takes_no_more(source, folder):
    """Somebody has pressed Ctrl-S: what is said has to wait, and nothing else."""
    screen, terminal = pty.openpty()
    program = subprocess.Popen([INOTIFYSYNC, "--delete", source, folder / "copy"], stdin=terminal, stdout=terminal,
                               stderr=terminal, start_new_session=True)
    try:
        write(source / "before")
        wait_identical(source, folder / "copy")
        termios.tcflow(terminal, termios.TCOOFF)
        for n in range(3):
            write(source / f"{n}")
            wait_identical(source, folder / "copy")
        program.send_signal(signal.SIGTERM)
        assert program.wait(DEADLINE) == 0
    finally:
        program.kill()
        program.wait()
        termios.tcflow(terminal, termios.TCOON)
        os.close(terminal)
        os.close(screen)
