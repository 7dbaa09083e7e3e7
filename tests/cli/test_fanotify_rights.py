# SPDX-License-Identifier: GPL-2.0-or-later
"""inotifywait -F and -S: who did it, and who may watch."""

import itertools
import os
import signal
import subprocess

import pytest

from fanotify_support import Watching, home, needs_root, shell  # noqa: F401
from program import wait_until


class TestWho:
    """%p, %P, --ignore-pid, --ignore-program."""

    def test_the_process_and_its_program(self, inotifywait, home):
        shell("mkdir d", home)
        with Watching(inotifywait, "-e", "create", "--format", "%p %P %f", "d", cwd=home) as watching:
            process = subprocess.Popen(["/bin/bash", "-c", "echo >d/f; read -r"], cwd=home, stdin=subprocess.PIPE)
            lines = watching.lines_until(" f")
            process.communicate(b"\n")
        who = process.pid if os.geteuid() == 0 else ""
        assert lines == [f"{who} {'bash' if who else ''} f"]

    @needs_root
    def test_a_program_that_is_ignored(self, inotifywait, home):
        shell("mkdir d", home)
        with Watching(inotifywait, "-e", "create", "--ignore-program", "bash", "d", cwd=home) as watching:
            process = subprocess.Popen(["/bin/bash", "-c", "echo >d/a; read -r; echo >d/c; read -r"], cwd=home,
                                       stdin=subprocess.PIPE)
            wait_until((home / "d/a").exists, "the file is made")
            (home / "d/b").touch()
            lines = watching.lines_until("CREATE b")
            process.communicate(b"\n\n")
        assert lines == [f"{home}/d/ CREATE b"]

    @needs_root
    def test_a_process_that_is_ignored(self, inotifywait, home):
        shell("mkdir d", home)
        process = subprocess.Popen(["/bin/bash", "-c", "read -r; echo >d/a"], cwd=home, stdin=subprocess.PIPE)
        with Watching(inotifywait, "-e", "create", "--ignore-pid", process.pid, "d", cwd=home) as watching:
            process.communicate(b"\n")
            shell("touch d/b", home)
            lines = watching.lines_until("CREATE b")
        assert lines == [f"{home}/d/ CREATE b"]

    @pytest.mark.parametrize("arguments, complaint", [
        (["--ignore-pid", "1"], "--ignore-pid needs --fanotify: inotify does not tell who did it."),
        (["--ignore-program", "x"], "--ignore-program needs --fanotify: inotify does not tell who did it."),
        (["-F", "--ignore-pid", "0"], "--ignore-pid: '0' is no process number."),
        (["--below"], "--below needs --filesystem."),
    ])
    def test_refused(self, arguments, complaint, inotifywait, room):
        done = subprocess.run([inotifywait, *arguments, room], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"inotifywait: {complaint}\n")


@pytest.fixture(scope="session")
def inotifywait(inotifywait, for_everybody):
    return for_everybody(inotifywait)


@pytest.fixture
def nobody(home):
    """An ordinary user, who may do everything in `home`; None: whoever runs the tests is one."""
    home.chmod(0o777)
    return 65534 if os.geteuid() == 0 else None


def test_an_ordinary_user_is_told_of_directories_that_are_not_watched_themselves(inotifywait, home, nobody):
    """Handles may not be opened: who they are is seen from the directories watched."""
    shell("mkdir -p d/s; chmod -R 777 d", home)
    with Watching(inotifywait, "-F", "-e", "open,create", "d", cwd=home, user=nobody) as watching:
        for deed in ("ls d/s", "mkdir d/n; ls d/n", "mv d/s d/t; ls d/t", "mkdir d/g; ls d/g; rmdir d/g", "touch d/end"):
            shell(deed, home)
        lines = watching.lines_until(" end")
        said = watching.err.read_text()
    opened = {line.split()[0] for line in lines if "OPEN,ISDIR" in line}
    assert opened >= {f"{home}/d/{name}/" for name in "sntg"}
    assert said == "Setting up watches.\nWatches established.\n"


def test_an_ordinary_user_is_told_when_the_queue_overflowed(inotifywait, home, nobody):
    """It holds 16384 events; after that, the tree is read again and goes on being watched."""
    shell("mkdir -p d/s; chmod -R 777 d", home)
    with Watching(inotifywait, "-F", "-r", "-e", "create", "d", cwd=home, user=nobody) as watching:
        watching.process.send_signal(signal.SIGSTOP)
        for number in range(17000):
            (home / f"d/{number}").touch()
        (home / "d/n").mkdir(mode=0o777)
        watching.process.send_signal(signal.SIGCONT)
        wait_until(lambda: "overflowed: events were lost" in watching.err.read_text(), "the overflow is said")
        numbers = itertools.count()

        def new_directory_is_watched():
            (home / f"d/n/{next(numbers)}").touch()
            return any(line.startswith(f"{home}/d/n/ CREATE ") for line in watching.lines())

        wait_until(new_directory_is_watched, "the new directory is watched")
        (home / "d/s/end").touch()
        watching.lines_until("/s/ CREATE end")


def test_an_ordinary_user_watches_a_file(inotifywait, home, nobody):
    shell("mkdir d; echo x >d/f; chmod -R 777 d", home)
    with Watching(inotifywait, "-F", "-e", "close_write", "d/f", cwd=home, user=nobody) as watching:
        shell("echo y >>d/f", home)
        assert watching.lines_until("CLOSE_WRITE") == [f"{home}/d/ CLOSE_WRITE,CLOSE f"]


@needs_root
@pytest.mark.parametrize("capabilities, mode, complaint", [
    ([], "-F", None),
    ([], "-S", "Couldn't initialize fanotify: a whole filesystem is watched by root only (CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH)"),
    (["dac_read_search"], "-F", None),
    (["dac_read_search"], "-S",
     "Couldn't initialize fanotify: a whole filesystem is watched by root only (CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH)"),
    (["sys_admin"], "-F", None),
    (["sys_admin"], "-S", "Couldn't add filesystem watch d: finding directories needs CAP_DAC_READ_SEARCH, too"),
    (["sys_admin", "dac_read_search"], "-F", None),
    (["sys_admin", "dac_read_search"], "-S", None),
])
def test_what_each_capability_is_for(capabilities, mode, complaint, inotifywait, home, nobody):
    shell("mkdir d; chmod 777 d", home)
    wanted = ",".join(["-all", *(f"+{one}" for one in capabilities)])
    program = home / "program"
    program.write_text(f"#!/bin/sh\nexec setpriv --reuid {nobody} --clear-groups --inh-caps={wanted} --ambient-caps={wanted} "
                       f"{inotifywait} \"$@\"\n")
    program.chmod(0o755)
    if complaint:
        done = subprocess.run([program, "-q", mode, "d"], cwd=home, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", complaint + "\n")
        return
    with Watching(program, mode, "-e", "create", "--format", "%p %w%f", "d", cwd=home) as watching:
        (home / "d/f").touch()
        who = os.getpid() if "sys_admin" in capabilities else ""
        assert watching.lines_until("/f") == [f"{who} {home}/d/f"]


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming somebody else needs root")
def test_an_ordinary_user_watches_directories_and_is_told_who_may_watch_filesystems(inotifywait, home, nobody):
    shell("mkdir -p d/s; chmod -R 777 d", home)
    with Watching(inotifywait, "-F", "-r", "-e", "create", "d", cwd=home, user=nobody) as watching:
        shell("touch d/s/f", home)
        assert watching.lines_until("CREATE f") == [f"{home}/d/s/ CREATE f"]
    done = subprocess.run([inotifywait, "-S", "d"], cwd=home, user=nobody, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == ("Couldn't initialize fanotify: a whole filesystem is watched by root only "
                           "(CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH)\n")
